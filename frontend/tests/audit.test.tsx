// The audit log: words for every act, changes side by side, what is chosen in the address, and a line opened by keyboard.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import i18next from "i18next";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { auditExportUrl, useAudit } from "../src/api/audit";
import { client } from "../src/api/client";
import type { AuditLine } from "../src/api/types";
import { ACTIONS, OPERATOR_ACTIONS } from "../src/features/audit/actions";
import { AuditLog } from "../src/features/audit/AuditLog";
import { callOf, differences, facts } from "../src/features/audit/differences";
import { filterOf, type AuditChoice } from "../src/features/audit/filter";
import { fromLocal, toLocal } from "../src/features/audit/times";
import { en, inEnglish } from "./english";

vi.mock("@tanstack/react-router", () => ({ Link: ({ children, to, params }: { children: ReactNode; to: string; params?: Record<string, string> }) => <a href={to.replace(/\$(\w+)/g, (_, name: string) => params?.[name] ?? "")}>{children}</a> }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ project: { id: "p-a", name: "tenant-a" } }) }));

beforeAll(inEnglish);

describe("the acts of the backend", () => {
  const root = join(import.meta.dirname, "../../backend");
  const code = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".rs"))
      .map((name) => readFileSync(join(root, folder, name), "utf8"))
      .join("\n");
  const written = code("store/src") + code("api/src");
  const kinds = Object.keys(en.operation.kind);

  it("that are written down all have a word and can be chosen", () => {
    const acts = [
      ...written.matchAll(/AuditEntry::new\([^"()]*(?:\([^()]*\))?[^"()]*"(\w+)"/g),
      ...written.matchAll(/append_own\([^"]*"(\w+)"/g),
      ...written.matchAll(/\b(?:note|written|audit)\([^"();]*"(\w+_\w+)"/g),
      ...written.matchAll(/Access::\w+ => \("(\w+)"/g),
    ].map((match) => match[1] ?? "");
    const named = [...new Set([...acts, ...kinds])].filter((found) => /_/.test(found));
    expect(named.length).toBeGreaterThan(25);
    for (const found of named) {
      expect([...ACTIONS, ...OPERATOR_ACTIONS], found).toContain(found);
      expect(i18next.exists(`audit.actionOf.${found}`) || i18next.exists(`operation.kind.${found}`), found).toBe(true);
    }
  });

  it("that can be chosen are all written down by it", () => {
    for (const action of [...ACTIONS, ...OPERATOR_ACTIONS]) expect(kinds.includes(action) || written.includes(`"${action}"`), action).toBe(true);
  });
});

describe("a change", () => {
  it("of settings shows what the patch names, and what stayed", () => {
    expect(differences({ name: "shop", before: { deletion_protection: true, repair: "automatic" }, after: { deletion_protection: false } })).toEqual([
      { path: ["deletion_protection"], before: true, after: false, changed: true },
      { path: ["repair"], before: "automatic", after: "automatic", changed: false },
    ]);
  });

  it("of a pool's size compares the counts of that pool", () => {
    const before = { undo: "pool", name: "default", before: { name: "default", flavor: "m1.medium", count: 3, zones: [] } };
    expect(differences({ before, after: { wish: "node_pool_resize", pool: "default", count: 5, remove: [] } })).toEqual([
      { path: ["pool"], before: "default", after: "default", changed: false },
      { path: ["count"], before: 3, after: 5, changed: true },
    ]);
    expect(differences({ before, after: { wish: "node_pool_resize", pool: "default", count: 2, remove: ["n-1"] } }).at(-1)).toEqual({ path: ["remove"], after: ["n-1"], changed: true });
  });

  it("of what somebody may do goes by place, not by where it stands in the list", () => {
    const rows = differences({ name: "ada", before: { role: "member", places: [{ cluster: "c1", role: "member" }, { cluster: "c1", namespace: "web", role: "reader" }] }, after: { role: "guest", places: [{ cluster: "c1", namespace: "web", role: "r1" }] } });
    expect(rows).toEqual([
      { path: ["role"], before: "member", after: "guest", changed: true },
      { path: ["places", "c1"], before: "member", changed: true },
      { path: ["places", "c1", "web"], before: "reader", after: "r1", changed: true },
    ]);
  });

  it("that adds or removes a pool has one side", () => {
    const pool = { name: "gpu", flavor: "m1.large", count: 1, labels: { team: "ml" } };
    const added = differences({ before: { undo: "pool", name: "gpu", before: null }, after: { wish: "node_pool_create", pool } });
    expect(added.map((row) => [row.path.join("."), row.before, row.after])).toEqual([["name", undefined, "gpu"], ["flavor", undefined, "m1.large"], ["count", undefined, 1], ["labels.team", undefined, "ml"]]);
    const removed = differences({ before: { undo: "pool", name: "gpu", before: pool }, after: { wish: "node_pool_delete", pool: "gpu" } });
    expect(removed.every((row) => row.after === undefined && row.changed)).toBe(true);
    expect(removed).toHaveLength(4);
  });

  it("of the control plane, and one that changes nothing of the specification", () => {
    expect(differences({ before: { undo: "control_plane", count: 1 }, after: { wish: "control_plane_resize", count: 3 } })).toEqual([{ path: ["count"], before: 1, after: 3, changed: true }]);
    expect(differences({ before: { undo: "nothing" }, after: { wish: "repair" } })).toEqual([]);
    expect(differences({ before: { undo: "nothing" }, after: { wish: "node_drain", node: "n-1" } })).toEqual([{ path: ["node"], after: "n-1", changed: true }]);
  });

  it("names the members of a list by their names, and leaves out what is empty", () => {
    const after = { version: "v1", zones: [], node_pools: [{ name: "default", count: 2, volume_type: null }, { name: "gpu", count: 1 }], taints: [{ key: "gpu" }] };
    expect(differences({ after }).map((row) => row.path.join("."))).toEqual(["version", "node_pools.default.count", "node_pools.gpu.count", "taints.1.key"]);
    expect(differences({ after: { versions: [{ version: "v1.36.3", support: "hidden" }] } }).map((row) => row.path.join("/"))).toEqual(["versions/v1.36.3/support"]);
  });

  it("is told apart from calls and other facts", () => {
    const detail = { method: "POST", path: "/api/v1/namespaces/a/pods/p/exec", command: "sh -c ls", before: { a: 1 }, name: "x", cidrs: [], looks: 2 };
    expect(callOf(detail)).toEqual({ method: "POST", path: "/api/v1/namespaces/a/pods/p/exec", command: "sh -c ls" });
    expect(callOf({ name: "x" })).toBeNull();
    expect(facts(detail)).toEqual([{ path: ["looks"], value: 2 }]);
  });
});

describe("what is chosen", () => {
  it("goes to the API under its names, and into the export", () => {
    const filter = filterOf({ user: "a b&c", cluster: "c1", outcome: "denied", from: "2026-01-02T03:04:00.000Z" });
    expect(filter).toEqual({ user: "a b&c", cluster_id: "c1", outcome: "denied", from: "2026-01-02T03:04:00.000Z" });
    expect(auditExportUrl("project", filter)).toBe("/api/v1/audit/export?user=a+b%26c&outcome=denied&from=2026-01-02T03%3A04%3A00.000Z&cluster_id=c1");
    expect(auditExportUrl("all", {})).toBe("/api/v1/admin/audit/export");
  });

  it("comes back from the control of times as it went in; half a year typed is none yet", () => {
    const time = "2026-03-04T05:06:00.000Z";
    expect(fromLocal(toLocal(time))).toBe(time);
    expect([toLocal(undefined), fromLocal(""), fromLocal("0202-01-01T00:00")]).toEqual(["", undefined, undefined]);
  });
});

const base: AuditLine = { id: 2, at: "2026-01-02T03:04:05Z", project: { id: "p-a", name: "tenant-a" }, user: { id: "u-1", name: "member-a" }, via: "session", action: "cluster_update", object_kind: "cluster", object_id: "c1", cluster: "c1", outcome: "accepted", request_id: "req-1", source: "192.0.2.7", detail: {} };
const line = (part: Partial<Omit<AuditLine, "detail">>, detail: object): AuditLine => ({ ...base, ...part, detail: detail as AuditLine["detail"] });
const lines = [
  line({ operation: "o1", via: "api_token", via_id: "t-9" }, { name: "shop", before: { deletion_protection: true }, after: { deletion_protection: false } }),
  line({ id: 1, action: "volcano_erupt", outcome: "denied", object_kind: "token", object_id: "t1" }, { name: "<b>evil</b>" }),
];

function Log({ change, choice = {} }: { change: (part: AuditChoice) => void; choice?: AuditChoice }) {
  return <AuditLog audit={useAudit("project", filterOf(choice))} search={choice} clusters={[{ id: "c1", name: "shop", project: base.project }]} change={change} clear={() => change({})} />;
}

const asked = vi.fn();

function show(choice: AuditChoice = {}) {
  const change = vi.fn();
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <Log change={change} choice={choice} />
    </QueryClientProvider>,
  );
  return change;
}

describe("the log", () => {
  beforeEach(() => {
    asked.mockReset();
    vi.spyOn(client, "GET").mockImplementation((async (path: string, init: { params: { query: Record<string, unknown> } }) => {
      asked(path, init?.params?.query);
      return { data: await asked.mock.results.at(-1)?.value };
    }) as unknown as typeof client.GET);
  });

  it("opens a line: both sides, the ids, and only this person", async () => {
    asked.mockImplementation((path: string) => (path === "/api/v1/tokens" ? { items: [{ id: "t-9", name: "nightly" }] } : { items: lines }));
    const change = show();
    const row = (await screen.findByText("Change cluster settings", { selector: ".audit-cell" })).closest("tr") as HTMLElement;
    expect(within(row).getByRole("link", { name: "shop" }).getAttribute("href")).toBe("/clusters/c1");
    expect(within(row).getByRole("link", { name: "Open the operation" }).getAttribute("href")).toBe("/operations/o1");
    const toggle = within(row).getByRole("button", { name: /^Show: Change cluster settings/ });
    expect(toggle.getAttribute("aria-expanded")).toBe("false");
    act(() => toggle.click());
    const table = await screen.findByRole("region", { name: "Change" });
    expect(within(table).getByRole("rowheader", { name: "Deletion protection" })).toBeTruthy();
    expect([table.querySelector("del")?.textContent, table.querySelector("ins")?.textContent]).toEqual(["Yes", "No"]);
    const detail = document.getElementById("audit-2") as HTMLElement;
    expect(within(detail).getByText("req-1")).toBeTruthy();
    expect(within(detail).getByRole("button", { name: "Copy Request ID" })).toBeTruthy();
    await waitFor(() => expect(within(detail).getByText("nightly")).toBeTruthy());
    fireEvent.click(within(detail).getByRole("button", { name: "Only this user" }));
    expect(change).toHaveBeenCalledWith({ user: "u-1" });
    fireEvent.click(within(row).getByRole("button", { name: /^Hide/ }));
    expect(document.getElementById("audit-2")).toBeNull();
  });

  it("names clusters, namespaces and roles of what was given to somebody", async () => {
    const given = line({ action: "member_give", object_kind: "person", object_id: "u-2", cluster: undefined }, { name: "ada", before: null, after: { role: "guest", places: [{ cluster: "c1", namespace: "count", role: "r1" }, { cluster: "gone", role: "reader" }] } });
    asked.mockImplementation((path: string) => (path === "/api/v1/roles" ? { items: [{ id: "r1", name: "On call", permissions: [] }] } : { items: [given] }));
    show();
    fireEvent.click(await screen.findByRole("button", { name: /^Show: Give a person rights/ }));
    const table = await screen.findByRole("region", { name: "Change" });
    await within(table).findByText("On call");
    // A namespace is called what it is called, even where the log has a word for that.
    expect([...table.querySelectorAll("tbody tr")].map((row) => row.textContent)).toEqual(["In all of the projectGuest", "Place › shop › countOn call", "Place › goneReader"]);
  });

  it("goes by the name that was typed where somebody was not let in", async () => {
    const refused = line({ project: { id: "", name: "" }, user: { id: "", name: "eve" }, via: "sign_in", action: "sign_in", object_kind: "session", object_id: "", cluster: undefined, outcome: "denied" }, { domain: "Default" });
    asked.mockReturnValue({ items: [refused] });
    const change = show();
    fireEvent.click(await screen.findByRole("button", { name: /^Show: Try to sign in/ }));
    fireEvent.click(await screen.findByRole("button", { name: "Only this user" }));
    expect(change).toHaveBeenCalledWith({ user: "eve" });
  });

  it("shows an act it does not know by its raw name, and a name as it is written", async () => {
    asked.mockReturnValue({ items: lines });
    show();
    expect((await screen.findByText("volcano_erupt")).tagName).toBe("CODE");
    expect(screen.getByText("<b>evil</b>")).toBeTruthy();
    expect(screen.getByText("Denied", { selector: ".status span" })).toBeTruthy();
  });

  it("loads more by the cursor until there is no more", async () => {
    asked.mockImplementation((_path: string, query: { cursor?: string }) => (query.cursor ? { items: [lines[1]] } : { items: [lines[0]], next_cursor: "c-1" }));
    show({ user: "member-a" });
    await screen.findByText("1 line shown");
    fireEvent.click(screen.getByRole("button", { name: "Load more" }));
    await screen.findByText("2 lines, that is all");
    expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
    await waitFor(() => expect(document.activeElement?.textContent).toBe("2 lines, that is all"));
    expect(asked.mock.calls.map(([path, query]) => [path, query.user, query.cursor])).toEqual([
      ["/api/v1/audit", "member-a", undefined],
      ["/api/v1/audit", "member-a", "c-1"],
    ]);
  });

  it("tells an empty log from one that is filtered empty, and an error from both", async () => {
    asked.mockReturnValue({ items: [] });
    show();
    expect(await screen.findByText(en.audit.none)).toBeTruthy();
    const change = show({ action: "cluster_delete" });
    fireEvent.click((await screen.findAllByRole("button", { name: "Clear filters" }))[0] as HTMLElement);
    expect(change).toHaveBeenCalledWith({});
    asked.mockRejectedValue(new Error("gone"));
    show({ user: "x" });
    expect(await screen.findByRole("alert")).toBeTruthy();
  });

  it("gives the address what is chosen, and takes away what is chosen no more", async () => {
    asked.mockReturnValue({ items: lines });
    const change = show({ action: "cluster_delete" });
    fireEvent.change(await screen.findByRole("combobox", { name: "Action" }), { target: { value: "" } });
    fireEvent.click(screen.getByRole("button", { name: "Failed" }));
    expect(change.mock.calls).toEqual([[{ action: undefined }], [{ outcome: "failed" }]]);
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "2026-01-02T03:04" } });
    await waitFor(() => expect(change).toHaveBeenLastCalledWith({ from: fromLocal("2026-01-02T03:04") }, true));
  });
});
