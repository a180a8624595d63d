// Objects in the cloud with a mark of KCS's that nobody looks after. Operators only.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { OrphanDecision } from "./types";

export function useOrphans(enabled: boolean) {
  return useQuery({ queryKey: ["orphans"], queryFn: () => unwrap(client.GET("/api/v1/admin/orphans")), refetchInterval: 15_000, enabled });
}

export function decideOrphan(id: string, decision: OrphanDecision) {
  return unwrap(client.POST("/api/v1/admin/orphans/{id}/decision", { params: { path: { id } }, body: { decision } }));
}
