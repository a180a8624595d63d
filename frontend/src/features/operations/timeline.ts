// What the timeline shows of a step, worked out apart from the page.
import type { Operation, Step } from "../../api/types";
import type { Tone } from "../../components/Status";

export type StepLook = "pending" | "running" | "succeeded" | "failed" | "blocked" | "halted" | "skipped";

/** A failed step of a blocked operation has not failed for good: somebody must act, then it goes on. */
export function stepLook(step: Step, operation: Operation): StepLook {
  if (step.state === "failed" && operation.state === "blocked") return "blocked";
  // A step left running when the operation ended or was stopped is not running any more.
  if (step.state === "running" && operation.state !== "running" && operation.state !== "pending") return "halted";
  return step.state;
}

export const lookTone: Record<StepLook, Tone> = { pending: "wait", running: "busy", succeeded: "ok", failed: "bad", blocked: "warn", halted: "stopped", skipped: "off" };

/** Slow, not failed: it has taken over twice what it usually takes, and half a minute more. */
export function isSlow(step: Step, now: number): boolean {
  if (step.state !== "running" || !step.started_at) return false;
  return (now - new Date(step.started_at).getTime()) / 1000 > step.usual_seconds * 2 + 30;
}

/** The steps worth opening without being asked: what runs and what stands still. */
export function opensItself(look: StepLook): boolean {
  return look === "running" || look === "failed" || look === "blocked";
}

/** Seconds the rest usually takes; null once it has ended. */
export function usualRest(operation: Operation, now: number): number | null {
  if (operation.state !== "running" && operation.state !== "pending") return null;
  const rest = operation.steps.reduce((sum, step) => {
    if (step.state === "succeeded" || step.state === "skipped") return sum;
    const spent = step.started_at ? (now - new Date(step.started_at).getTime()) / 1000 : 0;
    return sum + Math.max(0, step.usual_seconds - spent);
  }, 0);
  return Math.round(rest);
}

/** The title of the browser's window while an operation is under way. */
export function windowTitle(operation: Operation, done: string): string {
  const name = operation.cluster.name;
  switch (operation.state) {
    case "pending":
    case "running":
      return `▶ ${operation.progress}% ${name}`;
    case "blocked":
      return `⚠ ${operation.progress}% ${name}`;
    case "failed":
      return `✕ ${name} · ${done}`;
    default:
      return `${name} · ${done}`;
  }
}
