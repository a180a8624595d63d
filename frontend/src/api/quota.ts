// What the project may have in KCS, and its requests for more.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { QuotaRequestBody } from "./types";

export const quotaKey = ["project-quota"] as const;
export const quotaRequestsKey = ["quota-requests"] as const;

const refetchInterval = 30_000;

export function useQuota() {
  return useQuery({ queryKey: quotaKey, queryFn: () => unwrap(client.GET("/api/v1/quota")), refetchInterval });
}

export function useQuotaRequests() {
  return useQuery({ queryKey: quotaRequestsKey, queryFn: () => unwrap(client.GET("/api/v1/quota-requests")), refetchInterval });
}

export function askForMore(body: QuotaRequestBody) {
  return unwrap(client.POST("/api/v1/quota-requests", { body }));
}

export function withdrawQuotaRequest(id: string) {
  return unwrap(client.POST("/api/v1/quota-requests/{id}/withdraw", { params: { path: { id } } }));
}
