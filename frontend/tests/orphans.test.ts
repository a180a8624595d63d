// What becomes of an orphan: only what is proven KCS's, or decided upon, goes; a word of an operator's counts above all.
import { describe, expect, it } from "vitest";
import { orphanState } from "../src/features/admin/orphanState";

describe("an orphan", () => {
  it.each([
    [{ verdict: "ours" }, "waiting"],
    [{ verdict: "no_row" }, "undecided"],
    [{ verdict: "contradicted" }, "undecided"],
    [{ verdict: "made_inside" }, "undecided"],
    [{ verdict: "no_row", decision: "delete" }, "waiting"],
    [{ verdict: "ours", decision: "keep" }, "kept"],
    [{ verdict: "ours", called_at: "2026-01-01T00:00:00Z" }, "removing"],
    [{ verdict: "ours", called_at: "2026-01-01T00:00:00Z", fault: "in use" }, "stuck"],
    [{ verdict: "ours", called_at: "2026-01-01T00:00:00Z", fault: "in use", decision: "keep" }, "kept"],
  ] as const)("%o is %s", (orphan, state) => {
    expect(orphanState(orphan)).toBe(state);
  });
});
