// Members of the project, and the roles that it composed itself.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { CustomRoleRequest, MemberRequest } from "./types";

export const membersKey = ["members"] as const;
export const rolesKey = ["roles"] as const;

const refetchInterval = 30_000;

export function useMembers(enabled = true) {
  return useQuery({ queryKey: membersKey, queryFn: () => unwrap(client.GET("/api/v1/members")), refetchInterval, enabled });
}

/** Takes the place of all that was given to the person, and of Keystone's role. */
export function giveMember(id: string, body: MemberRequest) {
  return unwrap(client.PUT("/api/v1/members/{id}", { params: { path: { id } }, body }));
}

/** Keystone's role counts again. */
export function resetMember(id: string) {
  return unwrap(client.DELETE("/api/v1/members/{id}", { params: { path: { id } } }));
}

/** In all clusters of the project; the answer says how many those were. */
export function revokeKubeconfigsOf(id: string) {
  return unwrap(client.DELETE("/api/v1/members/{id}/kubeconfigs", { params: { path: { id } } }));
}

export function useRoles(enabled = true) {
  return useQuery({ queryKey: rolesKey, queryFn: () => unwrap(client.GET("/api/v1/roles")), refetchInterval, enabled });
}

export function createRole(body: CustomRoleRequest) {
  return unwrap(client.POST("/api/v1/roles", { body }));
}

export function updateRole(id: string, body: CustomRoleRequest) {
  return unwrap(client.PUT("/api/v1/roles/{id}", { params: { path: { id } }, body }));
}

export function deleteRole(id: string) {
  return unwrap(client.DELETE("/api/v1/roles/{id}", { params: { path: { id } } }));
}
