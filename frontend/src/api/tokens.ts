// API tokens of the project: a reader sees their own, a member everybody's.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { ApiTokenRequest } from "./types";

export function useTokens(enabled = true) {
  return useQuery({ queryKey: ["tokens"], queryFn: () => unwrap(client.GET("/api/v1/tokens")), enabled });
}

export function createToken(body: ApiTokenRequest) {
  return unwrap(client.POST("/api/v1/tokens", { body }));
}

export function revokeToken(id: string) {
  return unwrap(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }));
}
