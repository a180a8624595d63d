// The operators' page of the service's own health: what is ill, who runs which version, what waits since when.
import { render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { useHealth } from "../src/api/health";
import type { ServiceStanding } from "../src/api/types";
import { HealthPage } from "../src/features/admin/HealthPage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a> }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator, user: { id: "u-op", name: "operator" } }) }));
vi.mock("../src/api/health", () => ({ useHealth: vi.fn() }));

beforeAll(inEnglish);

const well: ServiceStanding = {
  processes: [{ name: "one", version: "0.1.0", seen_at: "2026-01-01T00:00:00Z" }],
  parts: [{ part: "database", ok: true, message: "answers" }],
  schema: { version: 22, known: 22 },
  services: [{ service: "compute", answered_at: "2026-01-01T00:00:00Z" }],
  queue: { paused_clusters: 0, pending: 0, running: 0, blocked: 0, in_work: 0, due: 0 },
  sweeps: { running: 0, due: 0 },
  keys: { next_step: "settled", rows: 10, left: 0 },
};

function answer(given: { data?: ServiceStanding; error?: unknown }) {
  vi.mocked(useHealth).mockReturnValue({ refetch: vi.fn(), ...given } as unknown as ReturnType<typeof useHealth>);
}

const rowsOf = (name: string) =>
  within(screen.getByRole("region", { name }))
    .getAllByRole("row")
    .slice(1)
    .map((row) => row.textContent ?? "");

beforeEach(() => {
  vi.resetAllMocks();
  known.operator = true;
});

describe("the page", () => {
  it("says that all is well where it is", () => {
    answer({ data: well });
    render(<HealthPage />);
    expect(rowsOf(en.admin.health.parts)[0]).toContain(en.admin.health.well);
    expect(rowsOf(en.admin.health.services)[0]).toContain(en.admin.health.answers);
    expect(screen.getByText("The database's schema is at step 22, as this program wants it")).toBeTruthy();
    expect(screen.getByText(en.admin.keys.stepOf.settled)).toBeTruthy();
    for (const text of [en.admin.health.ill, en.admin.health.away, en.admin.health.mixed, en.common.paused.everything]) expect(screen.queryByText(text)).toBeNull();
  });

  it("says what is ill, in its own words, and what waits since when", () => {
    answer({
      data: {
        ...well,
        processes: [...well.processes, { name: "two", seen_at: "2026-01-01T00:00:00Z" }],
        parts: [{ part: "cloud", ok: false, message: "no answer of compute" }],
        schema: { version: 21, known: 22 },
        services: [{ service: "network", away_since: "2026-01-01T00:00:00Z", why: "status 503" }, { service: "image" }],
        queue: { ...well.queue, due: 4, paused: { everything: true, reason: "the cloud is upgraded", since: "2026-01-01T00:00:00Z", by: "operator" } },
        oldest_due_at: "2026-01-01T00:00:00Z",
        keys: { next_step: "wait", rows: 10, left: 6 },
      },
    });
    render(<HealthPage />);
    expect(rowsOf(en.admin.health.parts)[0]).toContain("no answer of compute");
    const [network, image] = rowsOf(en.admin.health.services);
    expect(network).toContain(en.admin.health.away);
    expect(network).toContain("status 503");
    expect(image).toContain(en.admin.health.unasked);
    expect(rowsOf(en.admin.keys.processes)[1]).toContain(en.admin.health.older);
    expect(screen.getByText(en.admin.health.mixed)).toBeTruthy();
    expect(screen.getByText(en.common.paused.everything)).toBeTruthy();
    expect(screen.getByText("the cloud is upgraded")).toBeTruthy();
    expect(screen.getByText("The database's schema is at step 21, this program knows 22: run kcs migrate")).toBeTruthy();
    expect(screen.getByText("6 of 10 secrets left to seal anew")).toBeTruthy();
    const due = screen.getByText(en.admin.queue.figure.due).parentElement;
    expect(due?.textContent).toContain("4");
    expect(due?.querySelector("time")?.dateTime).toBe("2026-01-01T00:00:00Z");
  });

  it.each([
    [false, {}],
    [true, { error: refusal(403, "KCS-RBAC-002") }],
  ])("is forbidden to others, and asks nothing for them (operator: %s)", (isOperator, given) => {
    known.operator = isOperator;
    answer(given);
    render(<HealthPage />);
    expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
    expect(useHealth).toHaveBeenCalledWith(isOperator);
  });

  it("says what went wrong when it cannot be loaded", () => {
    answer({ error: refusal(503, "KCS-INTERNAL-001") });
    render(<HealthPage />);
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-INTERNAL-001"].title);
  });
});
