// Clusters, their pools, nodes, cloud objects and kubeconfigs.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { usePollInterval } from "./live";
import type { ClusterRequest, Phase } from "./types";

export interface ClusterFilter {
  search?: string;
  phase?: Phase;
  cursor?: string;
  limit?: number;
  sort?: string;
}

export function useClusters(filter: ClusterFilter) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["clusters", filter],
    queryFn: () => unwrap(client.GET("/api/v1/clusters", { params: { query: filter } })),
    refetchInterval,
    placeholderData: keepPreviousData,
  });
}

export function useAdminClusters(filter: ClusterFilter & { project?: string }, enabled: boolean) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["admin-clusters", filter],
    queryFn: () => unwrap(client.GET("/api/v1/admin/clusters", { params: { query: filter } })),
    refetchInterval,
    enabled,
    placeholderData: keepPreviousData,
  });
}

export function useCluster(id: string) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["cluster", id],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}", { params: { path: { id } } })),
    refetchInterval,
  });
}

export function useNodePools(id: string) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["cluster", id, "node-pools"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/node-pools", { params: { path: { id } } })),
    refetchInterval,
  });
}

export function useNodes(id: string) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["cluster", id, "nodes"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/nodes", { params: { path: { id } } })),
    refetchInterval,
  });
}

export function useResources(id: string) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["cluster", id, "resources"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/resources", { params: { path: { id } } })),
    refetchInterval,
  });
}

export function useKubeconfigs(id: string) {
  return useQuery({
    queryKey: ["cluster", id, "kubeconfigs"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/kubeconfigs", { params: { path: { id } } })),
    refetchInterval: 15_000,
  });
}

export function planCluster(body: ClusterRequest) {
  return unwrap(client.POST("/api/v1/clusters/plan", { body }));
}

export function createCluster(body: ClusterRequest, key: string) {
  return unwrap(client.POST("/api/v1/clusters", { body, params: { header: { "Idempotency-Key": key } } }));
}

export function planResize(id: string, pool: string, count: number) {
  return unwrap(client.POST("/api/v1/clusters/{id}/node-pools/{pool}/plan", { params: { path: { id, pool } }, body: { count } }));
}

export function resizePool(id: string, pool: string, count: number) {
  return unwrap(client.PATCH("/api/v1/clusters/{id}/node-pools/{pool}", { params: { path: { id, pool } }, body: { count } }));
}

export function useDeletePlan(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ["cluster", id, "delete-plan"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/delete-plan", { params: { path: { id } } })),
    enabled,
    gcTime: 0,
  });
}

export function deleteCluster(id: string, confirm: string, volumes: Record<string, "keep" | "erase">) {
  return unwrap(client.DELETE("/api/v1/clusters/{id}", { params: { path: { id } }, body: { confirm, volumes } }));
}

export function issueKubeconfig(id: string, expiresIn: number, name?: string) {
  return unwrap(client.POST("/api/v1/clusters/{id}/kubeconfigs", { params: { path: { id } }, body: { expires_in: expiresIn, name } }));
}

export function revokeKubeconfig(id: string, kid: string) {
  return unwrap(client.DELETE("/api/v1/clusters/{id}/kubeconfigs/{kid}", { params: { path: { id, kid } } }));
}

/** The last lines of a node's console: text of the machine, not to be trusted. */
export function useConsoleLog(id: string, node: string | undefined) {
  return useQuery({
    queryKey: ["cluster", id, "console", node],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/nodes/{node}/console", { params: { path: { id, node: node ?? "" } } })),
    enabled: node !== undefined,
    refetchInterval: 5_000,
    gcTime: 0,
  });
}
