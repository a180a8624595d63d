// What is in the form of a token, what is wrong in it, and the request it becomes.
import type { ApiTokenRequest, Permission } from "../../api/types";
import { areasOf, type Area } from "../access/permissions";
import { namespaceList, namespacesError } from "../access/namespaces";
import { splitList } from "../create/draft";

const DAY = 86_400;
export const LIFETIMES = { day: 1, month: 30, quarter: 90, year: 365 } as const;
export type Lifetime = keyof typeof LIFETIMES | "custom";

/** `all`: whatever its owner may do. */
export type May = "all" | "read" | "chosen";

export interface TokenDraft {
  name: string;
  lifetime: Lifetime;
  /** Where the lifetime is a custom one. */
  days: number;
  may: May;
  permissions: ReadonlySet<Permission>;
  allClusters: boolean;
  clusters: ReadonlySet<string>;
  namespaces: string;
  cidrs: string;
}

export const emptyDraft: TokenDraft = { name: "", lifetime: "month", days: 7, may: "read", permissions: new Set(), allClusters: true, clusters: new Set(), namespaces: "", cidrs: "" };

/** Acts that are about no cluster there is; a token for chosen clusters cannot do them. */
export const OF_NO_CLUSTER: ReadonlySet<Permission> = new Set(["cluster_create", "template_create", "template_change", "members_manage"]);

/** The choices for a token of somebody who may do this, for all clusters or chosen ones. */
export function offered(owners: ReadonlySet<Permission>, allClusters: boolean): Area[] {
  return areasOf((permission) => owners.has(permission) && (allClusters || !OF_NO_CLUSTER.has(permission)));
}

/** A range of addresses as the API takes it; a single address is a range of one. */
export function rangeOf(text: string): string | null {
  const [address = "", prefix, ...more] = text.split("/");
  const four = /^\d{1,3}(\.\d{1,3}){3}$/.test(address) && address.split(".").every((part) => Number(part) <= 255);
  const six = !four && address.includes(":") && URL.canParse(`http://[${address}]/`);
  const longest = four ? 32 : 128;
  if ((!four && !six) || more.length > 0) return null;
  if (prefix === undefined) return `${address}/${longest}`;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest ? text : null;
}

/** What is chosen and can be done by such a token. */
function chosen(draft: TokenDraft, owners: ReadonlySet<Permission>): Permission[] {
  return offered(owners, draft.allClusters).flatMap(({ permissions }) => permissions.filter((permission) => draft.permissions.has(permission)));
}

/** Keys of texts by field. `owners`: what the token's owner may do. */
export function draftErrors(draft: TokenDraft, owners: ReadonlySet<Permission>): Record<string, string> {
  const errors: Record<string, string> = {};
  if (draft.name.trim() === "") errors.name = "common.required";
  if (draft.may === "chosen" && chosen(draft, owners).length === 0) errors.permissions = "token.invalid.permissions";
  if (!draft.allClusters && draft.clusters.size === 0) errors.clusters = "token.invalid.clusters";
  const namespaces = namespacesError(draft.namespaces);
  if (namespaces) errors.namespaces = namespaces;
  if (splitList(draft.cidrs).some((range) => rangeOf(range) === null)) errors.cidrs = "token.invalid.cidrs";
  return errors;
}

export function tokenRequest(draft: TokenDraft, owners: ReadonlySet<Permission>): ApiTokenRequest {
  const namespaces = namespaceList(draft.namespaces);
  return {
    name: draft.name.trim(),
    expires_in: (draft.lifetime === "custom" ? draft.days : LIFETIMES[draft.lifetime]) * DAY,
    ...(draft.may !== "all" && { permissions: draft.may === "chosen" ? chosen(draft, owners) : [] }),
    ...(!draft.allClusters && { clusters: [...draft.clusters] }),
    ...(namespaces.length > 0 && { namespaces }),
    cidrs: splitList(draft.cidrs).flatMap((range) => rangeOf(range) ?? []),
  };
}
