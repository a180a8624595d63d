// The operators' page of keys: what comes next, how far sealing anew is, which process lacks what, and what did not open.
import { render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { useKeys } from "../src/api/keys";
import type { KeyReport } from "../src/api/types";
import { KeysPage } from "../src/features/admin/KeysPage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a> }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator, user: { id: "u-op", name: "operator" } }) }));
vi.mock("../src/api/keys", () => ({ useKeys: vi.fn() }));

beforeAll(inEnglish);

const report: KeyReport = {
  next_step: "settled",
  active: "new",
  rows: 10,
  rewrapped: 10,
  left: 0,
  kinds: [{ kind: "pki", rows: 10, left: 0 }],
  keys: [{ id: "new", rows: 10, active_in: ["one"], missing_in: [] }],
  processes: [{ name: "one", active: "new", keys: ["new"], seen_at: "2026-01-01T00:00:00Z" }],
  unopened: [],
};

function answer(given: { data?: KeyReport; error?: unknown }) {
  vi.mocked(useKeys).mockReturnValue({ refetch: vi.fn(), ...given } as unknown as ReturnType<typeof useKeys>);
}

beforeEach(() => {
  vi.resetAllMocks();
  known.operator = true;
});

describe("the page", () => {
  it("says that nothing is to be done where one key seals everything", () => {
    answer({ data: report });
    render(<KeysPage />);
    expect(screen.getByText(en.admin.keys.stepOf.settled)).toBeTruthy();
    expect(screen.getByText("10 of 10 secrets are sealed with new")).toBeTruthy();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows how far it is, who lacks a key, and what did not open", () => {
    const keys = [
      { id: "new", rows: 4, active_in: ["one"], missing_in: ["two"] },
      { id: "old", rows: 6, active_in: ["two"], missing_in: [] },
      { id: "next", rows: 0, active_in: [], missing_in: ["two"] },
    ];
    answer({ data: { ...report, next_step: "add_missing", rewrapped: 4, left: 6, keys, unopened: ["pki of cluster x"] } });
    render(<KeysPage />);
    expect(screen.getByText(en.admin.keys.stepText.add_missing)).toBeTruthy();
    expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("40");
    expect(screen.getByRole("alert").textContent).toContain("pki of cluster x");
    const rows = within(screen.getByRole("region", { name: en.admin.keys.keys })).getAllByRole("row").slice(1);
    expect(rows.map((row) => within(row).getAllByRole("cell").map((cell) => cell.textContent))).toEqual([
      [en.admin.keys.stateOf.active, "4", "one", "two"],
      [en.admin.keys.stateOf.leaving, "6", "two", "\u2014"],
      [en.admin.keys.stateOf.spare, "0", "\u2014", "two"],
    ]);
  });

  it.each([
    [false, {}],
    [true, { error: refusal(403, "KCS-RBAC-002") }],
  ])("is forbidden to others, and asks nothing for them (operator: %s)", (operator, given) => {
    known.operator = operator;
    answer(given);
    render(<KeysPage />);
    expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
    expect(useKeys).toHaveBeenCalledWith(operator);
  });
});
