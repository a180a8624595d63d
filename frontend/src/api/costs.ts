// What the project's clusters cost, where the operator keeps a price list.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { usePollInterval } from "./live";

export function useCosts() {
  const refetchInterval = usePollInterval();
  return useQuery({ queryKey: ["costs"], queryFn: () => unwrap(client.GET("/api/v1/costs")), refetchInterval });
}
