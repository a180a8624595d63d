// Clusters, their pools, nodes, cloud objects and kubeconfigs.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { usePollInterval } from "./live";
import type { ApiAuditLevel, ApiExposure, CertificateRequest, Cluster, ClusterRequest, ClusterSettings, KubeconfigRequest, NodeMarks, NodePoolSpec, Phase, PoolMarks } from "./types";

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

interface AdminFilter extends Pick<ClusterFilter, "search" | "phase"> {
  /** Part of the project's name, or its id. */
  project?: string;
  /** `v1.36.3`, or only its beginning. */
  version?: string;
}

/** What all clusters that are found are together. */
export function useClusterTotals({ search, phase, project, version }: AdminFilter, enabled: boolean) {
  const query = { search, phase, project, version };
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["admin-clusters", "totals", query],
    queryFn: () => unwrap(client.GET("/api/v1/admin/clusters/totals", { params: { query } })),
    refetchInterval,
    enabled,
    placeholderData: keepPreviousData,
  });
}

export function useAdminClusters(filter: ClusterFilter & AdminFilter, enabled: boolean) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["admin-clusters", filter],
    queryFn: () => unwrap(client.GET("/api/v1/admin/clusters", { params: { query: filter } })),
    refetchInterval,
    enabled,
    placeholderData: keepPreviousData,
  });
}

export function useCluster(id: string, enabled = true) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["cluster", id],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}", { params: { path: { id } } })),
    refetchInterval,
    enabled,
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

/** Certificates of the last thirty days that lead past the gate. */
export function useCertificates(id: string) {
  return useQuery({
    queryKey: ["cluster", id, "certificates"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/certificates", { params: { path: { id } } })),
    refetchInterval: 15_000,
  });
}

/** The kubeconfig that holds no secret, for people who are signed in to `server` with `kcs login`. */
export function useKubeconfigExec(id: string, server: string) {
  return useQuery({
    queryKey: ["cluster", id, "kubeconfig-exec", server],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/kubeconfig", { params: { path: { id }, query: { server } } })),
  });
}

export function useAddons(id: string) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["cluster", id, "addons"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/addons", { params: { path: { id } } })),
    refetchInterval,
  });
}

/** Why a cluster takes no change now; null when it does. A repair gives way to what a person asks for, if the engine began it. */
export function unchangeable(cluster: Pick<Cluster, "status" | "operation">): "busy" | "failed" | "deleting" | null {
  if (cluster.status.phase === "Deleting") return "deleting";
  if (cluster.status.phase === "Failed") return "failed";
  const { operation } = cluster;
  const runs = operation && (operation.state === "pending" || operation.state === "running" || operation.state === "blocked");
  return runs && operation.kind !== "cluster_repair" ? "busy" : null;
}

export function planCluster(body: ClusterRequest) {
  return unwrap(client.POST("/api/v1/clusters/plan", { body }));
}

export function createCluster(body: ClusterRequest, key: string) {
  return unwrap(client.POST("/api/v1/clusters", { body, params: { header: { "Idempotency-Key": key } } }));
}

export function planResize(id: string, pool: string, count: number, remove: string[]) {
  return unwrap(client.POST("/api/v1/clusters/{id}/node-pools/{pool}/plan", { params: { path: { id, pool } }, body: { count, remove } }));
}

/** `remove`: ids of nodes that leave first. */
export function resizePool(id: string, pool: string, count: number, remove: string[]) {
  return unwrap(client.PATCH("/api/v1/clusters/{id}/node-pools/{pool}", { params: { path: { id, pool } }, body: { count, remove } }));
}

export function planPool(id: string, body: NodePoolSpec) {
  return unwrap(client.POST("/api/v1/clusters/{id}/node-pools/plan", { params: { path: { id } }, body }));
}

export function createPool(id: string, body: NodePoolSpec) {
  return unwrap(client.POST("/api/v1/clusters/{id}/node-pools", { params: { path: { id } }, body }));
}

/** Other labels and taints of a pool in the place of those it has, on its nodes too. */
export function markPool(id: string, pool: string, body: PoolMarks) {
  return unwrap(client.PUT("/api/v1/clusters/{id}/node-pools/{pool}/marks", { params: { path: { id, pool } }, body }));
}

export function deletePool(id: string, pool: string) {
  return unwrap(client.DELETE("/api/v1/clusters/{id}/node-pools/{pool}", { params: { path: { id, pool } } }));
}

export function planControlPlane(id: string, count: number) {
  return unwrap(client.POST("/api/v1/clusters/{id}/control-plane/plan", { params: { path: { id } }, body: { count } }));
}

export function resizeControlPlane(id: string, count: number) {
  return unwrap(client.PATCH("/api/v1/clusters/{id}/control-plane", { params: { path: { id } }, body: { count } }));
}

export function repairCluster(id: string) {
  return unwrap(client.POST("/api/v1/clusters/{id}/repair", { params: { path: { id } } }));
}

export function rotateCredential(id: string) {
  return unwrap(client.POST("/api/v1/clusters/{id}/credential/rotate", { params: { path: { id } } }));
}

export function rotateEncryptionKey(id: string) {
  return unwrap(client.POST("/api/v1/clusters/{id}/encryption-key/rotate", { params: { path: { id } } }));
}

/** Another level of what the cluster's own API writes down: masters are replaced for it. */
export function changeApiAudit(id: string, level: ApiAuditLevel) {
  return unwrap(client.PATCH("/api/v1/clusters/{id}/api-audit", { params: { path: { id } }, body: { level } }));
}

/** Others who may connect to the cluster's API: everybody, or these ranges alone. */
export function changeApiAccess(id: string, exposure: ApiExposure, allowedCidrs: string[]) {
  return unwrap(client.PATCH("/api/v1/clusters/{id}/api-access", { params: { path: { id } }, body: { exposure, allowed_cidrs: allowedCidrs } }));
}

export function updateCluster(id: string, settings: ClusterSettings) {
  return unwrap(client.PATCH("/api/v1/clusters/{id}", { params: { path: { id } }, body: settings }));
}

/** What a person does with one node that takes a while. */
export type NodeVerb = "drain" | "reboot" | "replace";

export function operateNode(id: string, node: string, verb: NodeVerb) {
  return unwrap(client.POST(`/api/v1/clusters/{id}/nodes/{node}/${verb}`, { params: { path: { id, node } } }));
}

export function setSchedulable(id: string, node: string, on: boolean) {
  return unwrap(client.POST(`/api/v1/clusters/{id}/nodes/{node}/${on ? "uncordon" : "cordon"}`, { params: { path: { id, node } } }));
}

/** Sets labels and taints of a node in the cluster, and takes some away. */
export function markNode(id: string, node: string, body: NodeMarks) {
  return unwrap(client.PATCH("/api/v1/clusters/{id}/nodes/{node}", { params: { path: { id, node } }, body }));
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

/** Whether the cloud has said that its project was deleted. */
export function projectGone(cluster: Pick<Cluster, "status">): boolean {
  return cluster.status.conditions.some((condition) => condition.code === "KCS-AUTH-014");
}

/** Closes the records of a cluster whose project is gone; answers what was recorded. Operators only. */
export function writeOffCluster(id: string, confirm: string) {
  return unwrap(client.POST("/api/v1/admin/clusters/{id}/write-off", { params: { path: { id } }, body: { confirm } }));
}

export function issueKubeconfig(id: string, body: KubeconfigRequest) {
  return unwrap(client.POST("/api/v1/clusters/{id}/kubeconfigs", { params: { path: { id } }, body }));
}

export function issueCertificate(id: string, body: CertificateRequest) {
  return unwrap(client.POST("/api/v1/clusters/{id}/certificates", { params: { path: { id } }, body }));
}

export function revokeKubeconfig(id: string, kid: string) {
  return unwrap(client.DELETE("/api/v1/clusters/{id}/kubeconfigs/{kid}", { params: { path: { id, kid } } }));
}

/** Everybody's in this cluster, or one person's by their id; says how many that were. */
export function revokeAllKubeconfigs(id: string, user?: string) {
  return unwrap(client.DELETE("/api/v1/clusters/{id}/kubeconfigs", { params: { path: { id }, query: { user } } }));
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
