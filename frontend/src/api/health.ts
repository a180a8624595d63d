// How the service itself is. Operators only.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";

export function useHealth(enabled: boolean) {
  return useQuery({ queryKey: ["health"], queryFn: () => unwrap(client.GET("/api/v1/admin/health")), refetchInterval: 5_000, enabled });
}
