// What becomes of an orphan, in one word.
import type { Orphan } from "../../api/types";
import type { Tone } from "../../components/Status";

export type OrphanState = "kept" | "undecided" | "waiting" | "removing" | "stuck";

export function orphanState(orphan: Pick<Orphan, "verdict" | "decision" | "called_at" | "fault">): OrphanState {
  if (orphan.decision === "keep") return "kept";
  if (orphan.called_at) return orphan.fault ? "stuck" : "removing";
  return orphan.verdict === "ours" || orphan.decision === "delete" ? "waiting" : "undecided";
}

export const orphanTone: Record<OrphanState, Tone> = { kept: "off", undecided: "warn", waiting: "wait", removing: "busy", stuck: "bad" };
