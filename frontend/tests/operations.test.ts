// Following an operation: revisions, progress that never falls, and what the timeline makes of it.
import { describe, expect, it } from "vitest";
import { follow, followPoll, type Followed } from "../src/api/operations";
import type { Operation, Step } from "../src/api/types";
import { isSlow, stepLook, usualRest, windowTitle } from "../src/features/operations/timeline";

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000).toISOString();
const clock = (seconds: number) => 1_700_000_000_000 + seconds * 1000;

function operation(more: Partial<Operation> = {}): Operation {
  return {
    id: "o",
    cluster: { id: "c", name: "web" },
    kind: "cluster_create",
    nodes: [],
    state: "running",
    progress: 10,
    steps: [],
    created_at: at(0),
    created_by: "someone",
    deadline_at: at(3600),
    retries: 0,
    ...more,
  };
}

const step = (more: Partial<Step>): Step => ({ key: "network", state: "running", usual_seconds: 10, done: 0, total: 1, resources: [], ...more });

const event = (id: number, told: Operation) => ({ id: String(id), event: "operation", data: JSON.stringify(told) });

describe("follow", () => {
  it("takes newer revisions and drops older or repeated ones", () => {
    let known: Followed | undefined = follow(undefined, event(5, operation({ progress: 30 })));
    known = follow(known, event(4, operation({ progress: 90, state: "failed" })));
    expect(known?.operation.state).toBe("running");
    known = follow(known, event(5, operation({ progress: 99 })));
    expect(known?.operation.progress).toBe(30);
    known = follow(known, event(6, operation({ progress: 40 })));
    expect(known).toMatchObject({ revision: 6, operation: { progress: 40 } });
  });

  it("lets progress fall after a retry only", () => {
    const known = follow(undefined, event(1, operation({ progress: 60 })));
    expect(follow(known, event(2, operation({ progress: 20 })))?.operation.progress).toBe(60);
    expect(follow(known, event(2, operation({ progress: 20, retries: 1 })))?.operation.progress).toBe(20);
  });

  it("leaves heartbeats and broken events aside", () => {
    const known = follow(undefined, event(1, operation()));
    expect(follow(known, { id: "2", event: "heartbeat", data: "{}" })).toBe(known);
    expect(follow(known, { id: "2", event: "operation", data: "{half" })).toBe(known);
  });

  it("does not let a late answer undo the end", () => {
    const known = follow(undefined, event(9, operation({ state: "succeeded", progress: 100 })));
    expect(followPoll(known, operation({ progress: 80 })).operation.state).toBe("succeeded");
    const failed = follow(undefined, event(9, operation({ state: "failed" })));
    expect(followPoll(failed, operation({ retries: 1 })).operation.state).toBe("running");
  });
});

describe("the timeline", () => {
  it("shows a failed step of a blocked operation as blocked, not failed", () => {
    expect(stepLook(step({ state: "failed" }), operation({ state: "blocked" }))).toBe("blocked");
    expect(stepLook(step({ state: "failed" }), operation({ state: "failed" }))).toBe("failed");
    expect(stepLook(step({ state: "running" }), operation({ state: "cancelled" }))).toBe("halted");
  });

  it("calls a step slow well after its usual time, and never a finished one", () => {
    const running = step({ started_at: at(0) });
    expect(isSlow(running, clock(40))).toBe(false);
    expect(isSlow(running, clock(51))).toBe(true);
    expect(isSlow({ ...running, state: "succeeded" }, clock(500))).toBe(false);
  });

  it("estimates the rest from what is not done", () => {
    const steps = [step({ state: "succeeded" }), step({ started_at: at(0) }), step({ state: "pending", usual_seconds: 20 })];
    expect(usualRest(operation({ steps }), clock(4))).toBe(26);
    expect(usualRest(operation({ steps }), clock(400))).toBe(20);
    expect(usualRest(operation({ steps, state: "blocked" }), clock(4))).toBeNull();
  });

  it("puts progress into the window's title", () => {
    expect(windowTitle(operation({ progress: 62 }), "done")).toBe("▶ 62% web");
    expect(windowTitle(operation({ state: "blocked", progress: 62 }), "done")).toBe("⚠ 62% web");
    expect(windowTitle(operation({ state: "succeeded" }), "done")).toBe("web · done");
  });
});
