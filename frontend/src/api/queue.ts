// Operations of all tenants, and what holds the engine back. Operators only.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { usePollInterval } from "./live";
import type { Cluster, OperationKind, OperationState, Queue } from "./types";

export const queueKey = ["queue"] as const;
export const adminOperationsKey = ["admin-operations"] as const;

export interface AdminOperationsQuery {
  search?: string;
  project?: string;
  state?: OperationState;
  ended?: boolean;
  kind?: OperationKind;
  cursor?: string;
}

export function useQueue(enabled: boolean) {
  const refetchInterval = usePollInterval();
  return useQuery({ queryKey: queueKey, queryFn: () => unwrap(client.GET("/api/v1/admin/queue")), refetchInterval, enabled });
}

export function useAdminOperations(query: AdminOperationsQuery, enabled: boolean) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: [...adminOperationsKey, query],
    queryFn: () => unwrap(client.GET("/api/v1/admin/operations", { params: { query: { ...query, limit: 50 } } })),
    refetchInterval,
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function retryAny(id: string) {
  return unwrap(client.POST("/api/v1/admin/operations/{id}/retry", { params: { path: { id } } }));
}

export function cancelAny(id: string) {
  return unwrap(client.POST("/api/v1/admin/operations/{id}/cancel", { params: { path: { id } } }));
}

/** Holds the engine back from a cluster, or from all. */
export function pause(cluster: string | undefined, reason: string): Promise<Queue | Cluster> {
  const body = { reason };
  return cluster === undefined ? unwrap(client.PUT("/api/v1/admin/queue/pause", { body })) : unwrap(client.PUT("/api/v1/admin/clusters/{id}/pause", { params: { path: { id: cluster } }, body }));
}

export function resume(cluster: string | undefined): Promise<Queue | Cluster> {
  return cluster === undefined ? unwrap(client.DELETE("/api/v1/admin/queue/pause")) : unwrap(client.DELETE("/api/v1/admin/clusters/{id}/pause", { params: { path: { id: cluster } } }));
}
