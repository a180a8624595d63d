// What a tenant may have while it is being set: limits by resource, and lists of what it may use.
import type { AdminTenant, Allowed, Limited, TenantRequest } from "../../api/types";
import { ALLOWED_KINDS, type AllowedKind } from "../quota/AllowedList";

export const MODES = ["installation", "none", "own"] as const;
/** As everybody, none, or the tenant's own. */
export type LimitMode = (typeof MODES)[number];

export interface LimitDraft {
  mode: LimitMode;
  /** Counts where it is the tenant's own. */
  value: number | null;
}

export interface ListDraft {
  /** Whether the tenant may use these only. */
  only: boolean;
  chosen: ReadonlySet<string>;
}

export interface TenantDraft {
  limits: Record<Limited, LimitDraft>;
  allowed: Record<AllowedKind, ListDraft>;
  /** Names of flavors besides, separated by commas. */
  otherFlavors: string;
}

export function draftOf(tenant: AdminTenant, flavors: ReadonlySet<string>): TenantDraft {
  const limits = tenant.limits.map(({ resource, limit, own, installation }) => {
    const mode: LimitMode = own ? (limit === null ? "none" : "own") : "installation";
    return [resource, { mode, value: limit ?? installation }];
  });
  const lists = ALLOWED_KINDS.map((kind) => [kind, { only: Boolean(tenant.allowed[kind]), chosen: new Set(tenant.allowed[kind]) }]);
  const others = (tenant.allowed.flavors ?? []).filter((name) => !flavors.has(name));
  const draft = { limits: Object.fromEntries(limits), allowed: Object.fromEntries(lists), otherFlavors: others.join(", ") } as TenantDraft;
  const { only, chosen } = draft.allowed.flavors;
  draft.allowed.flavors = { only, chosen: new Set([...chosen].filter((name) => flavors.has(name))) };
  return draft;
}

const namesOf = (text: string) => text.split(/[,\uff0c\s]+/).filter((name) => name !== "");

function listOf(draft: TenantDraft, kind: AllowedKind): string[] {
  const chosen = [...draft.allowed[kind].chosen];
  return kind === "flavors" ? [...new Set([...chosen, ...namesOf(draft.otherFlavors)])] : chosen;
}

/** What stands against saving it, by field. */
export function draftErrors(draft: TenantDraft): Record<string, "common.required" | "admin.tenants.nothing"> {
  const errors: ReturnType<typeof draftErrors> = {};
  for (const [resource, { mode, value }] of Object.entries(draft.limits)) if (mode === "own" && value === null) errors[`limits.${resource}`] = "common.required";
  for (const kind of ALLOWED_KINDS) if (draft.allowed[kind].only && listOf(draft, kind).length === 0) errors[`allowed.${kind}`] = "admin.tenants.nothing";
  return errors;
}

/** As it is sent: what follows the installation is not named, and neither is a list of all. */
export function tenantRequest(draft: TenantDraft): TenantRequest {
  const limits: TenantRequest["limits"] = {};
  for (const [resource, { mode, value }] of Object.entries(draft.limits)) if (mode !== "installation") limits[resource] = mode === "none" ? null : value;
  const allowed: Allowed = {};
  for (const kind of ALLOWED_KINDS) if (draft.allowed[kind].only) allowed[kind] = listOf(draft, kind);
  return { limits, allowed };
}
