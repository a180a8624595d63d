// A request for more while it is being written: limits by resource, and why.
import type { LimitUse, Limited, QuotaRequestBody } from "../../api/types";

export interface AskDraft {
  wanted: Partial<Record<Limited, number | null>>;
  reason: string;
}

/** What stands against sending it, by field. */
export function askErrors(draft: AskDraft, limits: LimitUse[]): Record<string, { key: "quota.notMore" | "quota.nothing" | "common.required"; limit?: number }> {
  const errors: ReturnType<typeof askErrors> = {};
  for (const { resource, limit } of limits) {
    const wanted = draft.wanted[resource];
    if (typeof wanted === "number" && typeof limit === "number" && wanted <= limit) errors[`wanted.${resource}`] = { key: "quota.notMore", limit };
  }
  const first = limits.find((limit) => limit.limit !== null);
  if (first && Object.keys(askBody(draft).wanted).length === 0) errors[`wanted.${first.resource}`] = { key: "quota.nothing" };
  if (draft.reason.trim() === "") errors.reason = { key: "common.required" };
  return errors;
}

/** As it is sent: what was left empty is not asked for. */
export function askBody(draft: AskDraft): QuotaRequestBody {
  const wanted = Object.entries(draft.wanted).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return { wanted: Object.fromEntries(wanted), reason: draft.reason.trim() };
}
