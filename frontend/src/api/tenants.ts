// Tenants, what they may have, and what they ask for. Operators only.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { QuotaDecision, QuotaRequestState, TenantRequest } from "./types";

export const tenantsKey = ["tenants"] as const;
export const tenantRequestsKey = ["tenant-requests"] as const;

const refetchInterval = 15_000;
const limit = 50;

export interface TenantsQuery {
  search?: string;
  asks?: boolean;
  cursor?: string;
}

export function useTenants(query: TenantsQuery, enabled: boolean) {
  return useQuery({
    queryKey: [...tenantsKey, query],
    queryFn: () => unwrap(client.GET("/api/v1/admin/tenants", { params: { query: { ...query, limit } } })),
    refetchInterval,
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useTenant(id: string) {
  return useQuery({ queryKey: [...tenantsKey, "one", id], queryFn: () => unwrap(client.GET("/api/v1/admin/tenants/{id}", { params: { path: { id } } })) });
}

/** Takes the place of all that was said of the tenant before. */
export function setTenant(id: string, body: TenantRequest) {
  return unwrap(client.PUT("/api/v1/admin/tenants/{id}", { params: { path: { id } }, body }));
}

export function useTenantRequests(query: { state?: QuotaRequestState; cursor?: string }, enabled: boolean) {
  return useQuery({
    queryKey: [...tenantRequestsKey, query],
    queryFn: () => unwrap(client.GET("/api/v1/admin/quota-requests", { params: { query: { ...query, limit } } })),
    refetchInterval,
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function decideRequest(id: string, body: QuotaDecision) {
  return unwrap(client.POST("/api/v1/admin/quota-requests/{id}/decision", { params: { path: { id } }, body }));
}
