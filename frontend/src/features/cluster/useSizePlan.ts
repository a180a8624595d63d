// The plan of a change of a cluster's size, asked for when the form rests: of a pool, of one more pool, of the control plane.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { SizePlan } from "../../api/types";
import { useDebounced } from "../create/usePlan";

export interface SizePlanning {
  /** The form holds a change that can be planned. */
  asked: boolean;
  /** Of what is in the form, or was a moment ago. */
  plan: SizePlan | undefined;
  error: unknown;
  /** What is in the form is newer than the plan. */
  stale: boolean;
  /** The plan is of what is in the form, and nothing stands against it. */
  ready: boolean;
  retry: () => void;
}

/** Milliseconds without a change after which a form rests. */
export const RESTS = 300;

/** `of`: what changes, as the plans are remembered by it. `change`: null while there is nothing to plan. */
export function useSizePlan<Change>(of: readonly string[], change: Change | null, ask: (change: Change) => Promise<SizePlan>): SizePlanning {
  const settled = useDebounced(change, RESTS);
  const query = useQuery({
    queryKey: ["size-plan", ...of, settled],
    queryFn: () => (settled === null ? Promise.reject(new Error("nothing to plan")) : ask(settled)),
    enabled: change !== null && settled !== null,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const asked = change !== null;
  const error = asked ? query.error : null;
  const plan = asked && !error ? query.data : undefined;
  const stale = query.isFetching || JSON.stringify(change) !== JSON.stringify(settled);
  return { asked, plan, error, stale, ready: plan !== undefined && !plan.blocked && !stale, retry: () => void query.refetch() };
}
