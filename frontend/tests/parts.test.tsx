// Parts of the pages, as a person meets them: menus by keyboard, tables, problems, times.
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/client";
import type { Operation } from "../src/api/types";
import { DataTable, type Column } from "../src/components/DataTable";
import { Dialog } from "../src/components/Dialog";
import { MenuButton } from "../src/components/MenuButton";
import { LoadProblem } from "../src/components/Problem";
import { Timeline } from "../src/features/operations/Timeline";
import { CostBreakdown } from "../src/features/costs/Cost";
import { moneyText, spanParts } from "../src/i18n/format";
import { en, inEnglish } from "./english";

beforeAll(inEnglish);

describe("MenuButton", () => {
  it("opens, moves and chooses by keyboard and gives the focus back", () => {
    const chosen = vi.fn();
    render(<MenuButton label="Theme" name="Theme: light" items={["light", "dark"].map((key) => ({ key, label: key, checked: key === "light", onSelect: () => chosen(key) }))} />);
    const button = screen.getByRole("button", { name: "Theme: light" });
    fireEvent.keyDown(button, { key: "ArrowDown" });
    const menu = screen.getByRole("menu");
    expect(document.activeElement).toBe(within(menu).getByRole("menuitemradio", { name: "light" }));
    fireEvent.keyDown(menu, { key: "ArrowDown" });
    expect(document.activeElement?.textContent).toBe("dark");
    fireEvent.click(document.activeElement as Element);
    expect(chosen).toHaveBeenCalledWith("dark");
    expect(screen.queryByRole("menu")).toBeNull();
    expect(document.activeElement).toBe(button);
  });

  it("says why an item cannot be chosen now, and does not choose it", () => {
    const chosen = vi.fn();
    render(<MenuButton label="More" name="More" items={[{ key: "repair", label: "Repair", unavailable: "An operation is running", onSelect: chosen }]} />);
    fireEvent.click(screen.getByRole("button", { name: "More" }));
    const item = screen.getByRole("menuitem");
    expect(document.activeElement).toBe(item);
    expect(item.getAttribute("aria-disabled")).toBe("true");
    expect(item.textContent).toContain("An operation is running");
    fireEvent.click(item);
    expect(chosen).not.toHaveBeenCalled();
    expect(screen.getByRole("menu")).toBeTruthy();
  });

  it("closes on Escape", () => {
    render(<MenuButton label="x" name="x" items={[{ key: "a", label: "a", onSelect: () => undefined }]} />);
    fireEvent.click(screen.getByRole("button", { name: "x" }));
    fireEvent.keyDown(screen.getByRole("menu"), { key: "Escape" });
    expect(screen.queryByRole("menu")).toBeNull();
  });
});

const dialog = (title: string) => (
  <Dialog key={title} title={title} footer={null}>
    <button type="button">in {title}</button>
  </Dialog>
);

describe("Dialog", () => {
  it("takes what stands behind it out of reach, all but toasts, and gives it back", () => {
    document.body.innerHTML = '<div id="root"><div class="app"></div><div class="toasts"></div></div>';
    const [app, toasts] = [".app", ".toasts"].map((part) => document.querySelector<HTMLElement>(part));
    const { unmount } = render(<Dialog title="Sure?">x</Dialog>);
    expect(screen.getByRole("dialog")).toBeTruthy();
    expect([app?.inert, Boolean(toasts?.inert)]).toEqual([true, false]);
    unmount();
    expect(app?.inert).toBe(false);
  });

  it("gives the focus back to the page, also when others have stood in its place", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const opener = document.body.appendChild(document.createElement("button"));
    opener.focus();
    const { rerender, unmount } = render(dialog("all"));
    for (const [here, next] of [["all", "one"], ["one", "all again"]] as const) {
      screen.getByRole("button", { name: `in ${here}` }).focus();
      rerender(dialog(next));
      act(() => vi.runOnlyPendingTimers());
    }
    screen.getByRole("button", { name: "in all again" }).focus();
    unmount();
    vi.runOnlyPendingTimers();
    vi.useRealTimers();
    expect(document.activeElement).toBe(opener);
    opener.remove();
  });
});

describe("DataTable", () => {
  const columns: Column<{ name: string; count: number }>[] = [
    { key: "name", title: "Name", main: true, sort: "name", render: (row) => row.name },
    { key: "count", title: "Count", align: "right", render: (row) => row.count },
  ];
  const rows = [{ name: "a", count: 1 }];

  it("tells loading, empty, error and rows apart", () => {
    const shared = { name: "Things", columns, rowKey: (row: { name: string }) => row.name, empty: <p>nothing</p> };
    const { rerender } = render(<DataTable {...shared} rows={undefined} />);
    expect(screen.getByRole("status", { name: "Loading" })).toBeTruthy();
    rerender(<DataTable {...shared} rows={[]} />);
    expect(screen.getByText("nothing")).toBeTruthy();
    rerender(<DataTable {...shared} rows={undefined} error={new Error("x")} />);
    expect(screen.getByRole("alert")).toBeTruthy();
    rerender(<DataTable {...shared} rows={rows} />);
    expect(screen.getByRole("rowheader", { name: "a" })).toBeTruthy();
  });

  it("asks the server to sort, up and then down", () => {
    const onSort = vi.fn();
    const { rerender } = render(<DataTable name="Things" columns={columns} rows={rows} rowKey={(row) => row.name} empty={null} onSort={onSort} />);
    fireEvent.click(screen.getByRole("button", { name: "Name" }));
    rerender(<DataTable name="Things" columns={columns} rows={rows} rowKey={(row) => row.name} empty={null} sort="name" onSort={onSort} />);
    expect(screen.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort")).toBe("ascending");
    fireEvent.click(screen.getByRole("button", { name: "Name" }));
    expect(onSort.mock.calls).toEqual([["name"], ["-name"]]);
  });
});

describe("a problem", () => {
  const problem = { type: "", title: "A quota", status: 409, detail: "d", code: "KCS-QUOTA-001" as const, params: {}, retryable: true, remedy: "r", request_id: "req-ours", cloud_request_id: "req-cloud", cloud_message: "Quota exceeded for cores" };

  it("shows title, remedy, the cloud's words and both ids", () => {
    const retry = vi.fn();
    render(<LoadProblem error={new ApiError(409, problem)} onRetry={retry} />);
    const alert = screen.getByRole("alert");
    for (const text of ["KCS-QUOTA-001", en.error["KCS-QUOTA-001"].remedy, "Quota exceeded for cores", "req-ours", "req-cloud"]) expect(alert.textContent).toContain(text);
    fireEvent.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledOnce();
  });

  it("shows the server's own words for a code the console does not know", () => {
    render(<LoadProblem error={new ApiError(500, { ...problem, code: "KCS-NEW-001" as typeof problem.code, title: "Something new", remedy: "Do this" })} />);
    const text = screen.getByRole("alert").textContent ?? "";
    expect(text).toContain("Something new");
    expect(text).toContain("Do this");
    expect(text).toContain("KCS-NEW-001");
  });
});

describe("Timeline", () => {
  const started = new Date(Date.now() - 20_000).toISOString();
  const operation: Operation = {
    id: "o",
    cluster: { id: "c", name: "web" },
    kind: "cluster_create",
    nodes: [],
    state: "running",
    progress: 30,
    created_at: started,
    created_by: "me",
    deadline_at: started,
    retries: 0,
    steps: [
      { key: "network", state: "succeeded", started_at: started, finished_at: started, usual_seconds: 3, done: 2, total: 2, resources: [{ kind: "network", name: "kcs-net", state: "ready" }] },
      { key: "node_pools", state: "running", started_at: started, usual_seconds: 15, done: 1, total: 2, waiting_for: "NodesJoining", resources: [{ kind: "server", name: "kcs-w0", state: "pending", cloud_id: "id-1" }] },
      { key: "health", state: "pending", usual_seconds: 2, done: 0, total: 1, resources: [] },
    ],
  };

  it("opens what runs, folds what is done, and unfolds it on demand", () => {
    render(<Timeline operation={operation} />);
    const [network, pools, health] = screen.getAllByRole("listitem").filter((item) => item.className.includes("timeline-step")) as [HTMLElement, HTMLElement, HTMLElement];
    expect(pools.getAttribute("aria-current")).toBe("step");
    expect(pools.textContent).toContain("1 / 2");
    expect(pools.textContent).toContain(en.operation.waiting.NodesJoining);
    expect(pools.textContent).toContain("kcs-w0");
    expect(network.textContent).not.toContain("kcs-net");
    act(() => within(network).getByRole("button").click());
    expect(network.textContent).toContain("kcs-net");
    expect(within(health).queryByRole("button")).toBeNull();
    expect(health.textContent).toContain("usually 2 s");
  });
});

describe("spans of time", () => {
  it.each([
    [0, [[0, "s"]]],
    [59.6, [[1, "min"]]],
    [130, [[2, "min"], [10, "s"]]],
    [3600, [[1, "h"]]],
    [90_061, [[1, "d"], [1, "h"]]],
  ])("%s s", (seconds, parts) => expect(spanParts(seconds)).toEqual(parts));
});

describe("money", () => {
  it.each([
    ["en-US", 0.492, "CNY", 4, "CN\u00a50.492"],
    ["zh-CN", 0.492, "CNY", 4, "\u00a50.492"],
    ["en-US", 1234.5, "USD", 2, "$1,234.50"],
    ["en-US", 0.00005, "EUR", 4, "\u20ac0.0001"],
    ["en-US", 12, "credits", 2, "12.00 credits"],
  ])("%s %s %s", (language, value, currency, digits, text) => expect(moneyText(language, value, currency, digits)).toBe(text));

  it("is told by the hour and by the month, part by part, with what has no price", () => {
    const cost = {
      currency: "USD",
      per_hour: 0.5,
      lines: [
        { kind: "server", name: "m1.medium", count: 3, per_hour: 0.45 },
        { kind: "volume", name: "ssd", count: 60, per_hour: 0.05 },
      ],
      unpriced: ["m1.odd"],
    };
    const { container } = render(<CostBreakdown cost={cost} />);
    const text = container.textContent ?? "";
    for (const part of ["$0.50 per hour", "about $365.00 a month", "m1.odd", "Server", "\u00d7 3", "$0.45", "60 GiB", "$0.05"]) expect(text).toContain(part);
  });
});
