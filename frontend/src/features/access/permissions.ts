// What can be allowed, by area and in the order it is shown.
import type { Permission } from "../../api/types";

export interface Area {
  area: string;
  permissions: Permission[];
}

/** What a token or a role can name. Tokens are made and revoked by people themselves, so those two are not among them. */
export const AREAS: readonly Area[] = [
  { area: "clusters", permissions: ["cluster_create", "cluster_update", "cluster_repair", "control_plane_resize", "cluster_delete"] },
  { area: "nodes", permissions: ["node_pool_create", "node_pool_resize", "node_pool_delete", "node_operate"] },
  { area: "operations", permissions: ["operation_retry", "operation_cancel"] },
  { area: "kubernetes", permissions: ["kubernetes_write", "kubernetes_exec"] },
  { area: "access", permissions: ["kubeconfig_issue", "kubeconfig_revoke", "kubeconfig_revoke_all"] },
  { area: "templates", permissions: ["template_create", "template_change"] },
  { area: "quota", permissions: ["quota_request"] },
  { area: "members", permissions: ["members_manage"] },
];

/** What whoever may look does for themselves. */
const OF_EVERYBODY: ReadonlySet<Permission> = new Set(["kubeconfig_issue", "kubeconfig_revoke", "token_create", "token_revoke"]);

/** What no role but the owner's has. */
const OF_OWNERS: ReadonlySet<Permission> = new Set(["members_manage"]);

/** Those of the areas that fit; areas without any are left out. */
export function areasOf(fits: (permission: Permission) => boolean): Area[] {
  return AREAS.map(({ area, permissions }) => ({ area, permissions: permissions.filter(fits) })).filter(({ permissions }) => permissions.length > 0);
}

/** What a role of the project's own can name: the rest everybody has, or owners only. */
export const OF_ROLES: readonly Area[] = areasOf((permission) => !OF_EVERYBODY.has(permission) && !OF_OWNERS.has(permission));
