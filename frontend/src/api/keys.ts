// The keys that seal secrets, and how far a change of them is. Operators only.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";

export function useKeys(enabled: boolean) {
  return useQuery({ queryKey: ["keys"], queryFn: () => unwrap(client.GET("/api/v1/admin/keys")), refetchInterval: 5_000, enabled });
}
