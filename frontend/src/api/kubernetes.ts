// Typed reads of what runs in a cluster, done as the person who is signed in.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";

export interface WorkloadFilter {
  namespace?: string;
  search?: string;
  /** Of pods: those on this node. */
  node?: string;
  cursor?: string;
  limit?: number;
}

const refetchInterval = 5_000;

export function useNamespaces(id: string, enabled = true) {
  return useQuery({
    queryKey: ["kubernetes", id, "namespaces"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/kubernetes/namespaces", { params: { path: { id } } })),
    enabled,
    staleTime: 15_000,
    retry: false,
  });
}

export function useDeployments(id: string, filter: WorkloadFilter, enabled: boolean) {
  return useQuery({
    queryKey: ["kubernetes", id, "deployments", filter],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/kubernetes/deployments", { params: { path: { id }, query: filter } })),
    enabled,
    refetchInterval,
    retry: false,
    placeholderData: keepPreviousData,
  });
}

export function usePods(id: string, filter: WorkloadFilter, enabled: boolean) {
  return useQuery({
    queryKey: ["kubernetes", id, "pods", filter],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/kubernetes/pods", { params: { path: { id }, query: filter } })),
    enabled,
    refetchInterval,
    retry: false,
    placeholderData: keepPreviousData,
  });
}

/** Nodes as Kubernetes sees them, by name. */
export function useKubernetesNodes(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ["kubernetes", id, "nodes"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/kubernetes/nodes", { params: { path: { id }, query: { limit: 500 } } })),
    select: (list) => new Map(list.items.map((node) => [node.name, node])),
    enabled,
    refetchInterval,
    retry: false,
  });
}
