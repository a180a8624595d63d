// People who are signed in or hold tokens or kubeconfigs, in all projects. Operators only.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";

/** As many as the server lists. */
export const MOST_PEOPLE = 500;

export function usePeople(search: string | undefined, enabled: boolean) {
  return useQuery({
    queryKey: ["people", search],
    queryFn: () => unwrap(client.GET("/api/v1/admin/people", { params: { query: { search } } })),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** Ends all that a person holds; says how much that was. */
export function cutOff(id: string) {
  return unwrap(client.DELETE("/api/v1/admin/people/{id}/access", { params: { path: { id } } }));
}

/** All that a person holds, one by one. */
export function useAccess(id: string) {
  return useQuery({
    queryKey: ["people", "access", id],
    queryFn: () => unwrap(client.GET("/api/v1/admin/people/{id}/access", { params: { path: { id } } })),
    refetchInterval: 15_000,
  });
}

/** Ends one of the things that a person holds. */
export function endAccess(id: string, held: string) {
  return unwrap(client.DELETE("/api/v1/admin/people/{id}/access/{held}", { params: { path: { id, held } } }));
}
