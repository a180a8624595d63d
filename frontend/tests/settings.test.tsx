// The settings of the installation: what a draft sends, that saving is tested first, and that nobody overwrites what another has saved.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { saveSettings, testSettings, useInstallation, useInstallationHistory } from "../src/api/installation";
import type { AdminSettings, CatalogueVersion, Check, InstallationSettings, SettingsRevision, SettingsTest, Template } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { controlOf, draftErrors, draftOf, isChanged, rebase, requestOf } from "../src/features/settings/settingsDraft";
import { SettingsPage } from "../src/features/settings/SettingsPage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true, navigate: vi.fn() }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => known.navigate, useSearch: () => ({}) }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator }) }));
vi.mock("../src/api/installation", () => ({ installationKey: ["installation"], useInstallation: vi.fn(), useInstallationHistory: vi.fn(), testSettings: vi.fn(), saveSettings: vi.fn() }));

beforeAll(inEnglish);

const words = en.admin.settings;
const version = (name: string, support: CatalogueVersion["support"] = "current"): CatalogueVersion => ({ version: name, support, image: `kcs-node-${name}` });
const template = (id: string, spec: unknown): Template => ({ id, name: "Small", name_zh: "Xiao", description: "", description_zh: "", spec: spec as Template["spec"] });
const KEYS: Record<string, unknown> = {
  "limits.clusters_per_project": 20,
  "limits.nodes_per_project": null,
  "limits.nodes_per_pool": 100,
  "limits.nodes_per_cluster": 500,
  "limits.kubeconfig_days": 30,
  versions: [version("v1.36.3"), version("v1.35.4")],
  templates: [template("dev", { network: {}, control_plane: { count: 1 } })],
  prices: { currency: "EUR", flavors: { m: 0.1 }, volume_gib: {}, load_balancer: 0, floating_ip: 0 },
  "audit.retention_days": null,
  "audit.forward": "https://siem.example/\u2026",
  "audit.forward_authorization": true,
};

function settings(revision: number, set: InstallationSettings, marked: string[] = []): AdminSettings {
  const values = Object.entries(KEYS).map(([key, configured]) => ({ key, value: configured, configured, ...(marked.includes(key) && { set_by: "olga", set_at: "2026-01-01T00:00:00Z" }) }));
  return { revision, changed_at: "2026-01-01T00:00:00Z", changed_by: "olga", set, values } as AdminSettings;
}

const old: SettingsRevision = { revision: 1, changed_at: "2026-01-01T00:00:00Z", changed_by: "ada", comment: "the season", set: { limits: { nodes_per_pool: 7 } }, differences: [{ key: "limits.nodes_per_pool", after: 7 }] };
const ok: Check = { key: "values", level: "ok", message: "", params: {} } as unknown as Check;
const tested = (part: Partial<SettingsTest> = {}): SettingsTest => ({ checks: [ok], blocked: false, differences: [{ key: "limits.clusters_per_project", before: 30, after: 9 }], ...part });

function answer(given: { data?: AdminSettings; error?: unknown }, history: SettingsRevision[] = [old]) {
  vi.mocked(useInstallation).mockReturnValue({ refetch: vi.fn(), ...given } as unknown as ReturnType<typeof useInstallation>);
  vi.mocked(useInstallationHistory).mockReturnValue({ refetch: vi.fn(), data: { items: history, total: history.length } } as unknown as ReturnType<typeof useInstallationHistory>);
}

const client = new QueryClient();
const page = () => (
  <QueryClientProvider client={client}>
    <ToastHost>
      <SettingsPage />
    </ToastHost>
  </QueryClientProvider>
);

const field = (name: string) => screen.getByLabelText(name, { selector: "input:not([type=checkbox])" });
const button = (name: string) => screen.getByRole("button", { name: new RegExp(`${name}$`) });
const type = (name: string, value: string) => fireEvent.change(field(name), { target: { value } });
const press = (name: string) => act(async () => button(name).click());

const now = settings(3, { limits: { clusters_per_project: 30 } }, ["limits.clusters_per_project"]);

beforeEach(() => {
  vi.resetAllMocks();
  known.operator = true;
  answer({ data: now });
});

const group = (name: string) => within(screen.getByRole("group", { name }));

describe("a draft", () => {
  const set: InstallationSettings = { limits: { clusters_per_project: null, nodes_per_pool: 5 }, prices: null, audit: { retention_days: 90, forward: null } };

  it("is sent as it was set, and names nothing that is as configured", () => {
    expect(requestOf(draftOf(set, null), 4)).toEqual({ revision: 4, ...set });
    expect(JSON.parse(JSON.stringify(requestOf(draftOf({}, null), 0)))).toEqual({ revision: 0, limits: {}, audit: {} });
    expect(isChanged(draftOf(set, null), set, null)).toBe(false);
  });

  it("begins a price list with that of the configuration", () => {
    const configured = { currency: "EUR", flavors: { m: 0.1 }, volume_gib: {}, load_balancer: 0.02, floating_ip: 0 };
    const draft = draftOf({}, configured);
    expect(requestOf(draft, 0).prices).toBeUndefined();
    draft.prices.mode = "own";
    expect(requestOf(draft, 0).prices).toEqual(configured);
    draft.prices.flavors.push({ name: "m ", price: 1 });
    expect(draftErrors(draft)).toEqual({ "prices.flavors": "admin.settings.priceTwice" });
    draft.prices.flavors[1] = { name: "l", price: null };
    draft.prices.currency = " ";
    expect(draftErrors(draft)).toEqual({ "prices.currency": "common.required", "prices.flavors": "common.required" });
  });

  it("sends versions and templates as whole lists, and says what is no specification", () => {
    const offered: InstallationSettings = { limits: {}, versions: [version("v1.36.3", "hidden")], templates: [template("dev", { control_plane: { count: 3 } })], audit: {} };
    const draft = draftOf(offered, null);
    expect(JSON.parse(JSON.stringify(requestOf(draft, 1)))).toEqual({ revision: 1, ...offered });
    expect([isChanged(draft, offered, null), draftErrors(draft)]).toEqual([false, {}]);
    draft.versions = [version("v1.36.3", "hidden"), { version: " v1.37.0 ", support: "preview", image: " " }];
    if (draft.templates?.[0]) draft.templates[0].spec = "control_plane: {}";
    expect(isChanged(draft, offered, null)).toBe(true);
    expect(draftErrors(draft)).toEqual({ "versions[1].image": "common.required", "templates[0].spec": "admin.settings.notJson" });
    expect(requestOf(draft, 1).versions?.[1]?.version).toBe("v1.37.0");
    draft.versions = [];
    draft.templates = null;
    expect(draftErrors(draft)).toEqual({ versions: "common.required" });
    expect(requestOf(draft, 1).templates).toBeUndefined();
    expect([controlOf("templates[2].spec.node_pools[0].flavor"), controlOf("templates[2].spec"), controlOf("versions[0].image")]).toEqual(["templates[2].spec", "templates[2].spec", "versions[0].image"]);
  });

  it("keeps what was typed over what somebody else saved, and takes over the rest", () => {
    const draft = draftOf(set, null);
    draft.limits.nodes_per_pool = { none: false, value: 9 };
    const theirs: InstallationSettings = { limits: { clusters_per_project: 4, nodes_per_pool: 6 }, audit: { retention_days: 30 } };
    expect(requestOf(rebase(draft, set, theirs, null), 5)).toEqual({ revision: 5, limits: { clusters_per_project: 4, nodes_per_pool: 9 }, audit: { retention_days: 30 } });
  });
});

describe("the page", () => {
  it.each([
    [false, {}],
    [true, { error: refusal(403, "KCS-RBAC-002") }],
  ])("is forbidden to others, and asks nothing for them (operator: %s)", (operator, given) => {
    known.operator = operator;
    answer(given);
    render(page());
    expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
    expect(useInstallation).toHaveBeenCalledWith(operator);
  });

  it("says what went wrong when it cannot be loaded, and that nothing was ever set", () => {
    answer({ error: refusal(503, "KCS-STORE-001") });
    const failed = render(page());
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-STORE-001"].title);
    failed.unmount();
    answer({ data: settings(0, {}) }, []);
    render(page());
    expect(screen.getByText(words.history.none)).toBeTruthy();
    expect((button(words.save) as HTMLButtonElement).disabled).toBe(true);
  });

  it("shows what is configured in the place of what is not set, who set the rest, and the way back", async () => {
    render(page());
    expect(field(words.nameOf.nodes_per_pool).getAttribute("placeholder")).toBe("As configured: 100");
    expect(field(words.nameOf.nodes_per_project).getAttribute("placeholder")).toBe("As configured: No limit");
    expect(field(words.nameOf.forward).getAttribute("placeholder")).toBe("As configured: https://siem.example/\u2026");
    expect((field(words.nameOf.clusters_per_project) as HTMLInputElement).value).toBe("30");
    expect(screen.getByText(/^Set by olga/)).toBeTruthy();
    vi.mocked(testSettings).mockResolvedValue(tested());
    await press(`As configured: ${words.nameOf.clusters_per_project}`);
    await press(words.test);
    expect(testSettings).toHaveBeenCalledExactlyOnceWith({ revision: 3, limits: {}, audit: {} });
    expect(saveSettings).not.toHaveBeenCalled();
  });

  it("tests before it saves, and leaves what is blocked where it is", async () => {
    const line = { key: "audit_test_line", level: "blocked", code: "KCS-SET-003", message: "no", field: "audit.forward", params: { reason: "status", status: 500 } } as unknown as Check;
    vi.mocked(testSettings).mockResolvedValue(tested({ checks: [ok, line], blocked: true }));
    render(page());
    type(words.nameOf.forward, " https://other.example/in ");
    fireEvent.change(field(words.nameOf.forward_authorization), { target: { value: "Bearer x" } });
    await press(words.save);
    expect(testSettings).toHaveBeenCalledExactlyOnceWith({ revision: 3, limits: { clusters_per_project: 30 }, audit: { forward: "https://other.example/in", forward_authorization: "Bearer x" } });
    expect(await screen.findAllByText("The receiver answers with status 500")).not.toHaveLength(0);
    expect(field(words.nameOf.forward).getAttribute("aria-invalid")).toBe("true");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("asks with what changes and what is to be known, and saves with the reason", async () => {
    const warning = { key: "limits", level: "warning", code: "KCS-SET-001", message: "", field: "limits.clusters_per_project", params: { key: "limits.clusters_per_project", over: 2, limit: 9 } } as unknown as Check;
    vi.mocked(testSettings).mockResolvedValue(tested({ checks: [ok, warning] }));
    const saved = settings(4, { limits: { clusters_per_project: 9 } });
    vi.mocked(saveSettings).mockResolvedValue(saved);
    render(page());
    type(words.nameOf.clusters_per_project, "9");
    await press(words.save);
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain("Clusters per project: 30 → 9");
    expect(dialog.textContent).toContain("limits.clusters_per_project: 2 have more than 9");
    expect(saveSettings).not.toHaveBeenCalled();
    fireEvent.change(within(dialog).getByLabelText(words.comment), { target: { value: " the season is over " } });
    await act(async () => within(dialog).getByRole("button", { name: words.save }).click());
    expect(saveSettings).toHaveBeenCalledExactlyOnceWith({ revision: 3, comment: "the season is over", limits: { clusters_per_project: 9 }, audit: {} });
    expect(await screen.findByText(words.saved)).toBeTruthy();
  });

  it("offers what is configured until there is a list of its own, in which a version is hidden, added and removed", async () => {
    vi.mocked(testSettings).mockResolvedValue(tested());
    render(page());
    const list = screen.getByLabelText(words.nameOf.versions);
    expect(list.textContent).toContain("As configured: v1.36.3, v1.35.4");
    fireEvent.change(list, { target: { value: "own" } });
    fireEvent.change(group("v1.36.3").getByLabelText(words.partOf.support), { target: { value: "hidden" } });
    fireEvent.click(group("v1.35.4").getByRole("button"));
    await press(words.addVersion);
    await press(words.test);
    expect(testSettings).not.toHaveBeenCalled();
    expect(group("2").getByLabelText(words.partOf.version).getAttribute("aria-invalid")).toBe("true");
    fireEvent.change(group("2").getByLabelText(words.partOf.version), { target: { value: "v1.37.0" } });
    fireEvent.change(group("v1.37.0").getByLabelText(words.partOf.image), { target: { value: "kcs-node-v1.37.0" } });
    await press(words.test);
    expect(testSettings).toHaveBeenCalledExactlyOnceWith({ revision: 3, limits: { clusters_per_project: 30 }, versions: [version("v1.36.3", "hidden"), version("v1.37.0", "preview")], audit: {} });
  });

  it("names what is wrong inside a template's specification, and which template it is", async () => {
    const count = { key: "templates", level: "blocked", code: "KCS-INPUT-001", message: "must be 1, 3 or 5", field: "templates[0].spec.control_plane.count", params: { template: "dev" } } as unknown as Check;
    const inUse = { key: "versions", level: "blocked", code: "KCS-SET-008", message: "", field: "versions", params: { version: "v1.30.1", over: 2 } } as unknown as Check;
    vi.mocked(testSettings).mockResolvedValue(tested({ checks: [ok, inUse, count], blocked: true }));
    render(page());
    fireEvent.change(screen.getByLabelText(words.nameOf.templates), { target: { value: "own" } });
    const spec = within(screen.getByRole("group", { name: "dev" })).getByLabelText(words.partOf.spec) as HTMLTextAreaElement;
    expect(JSON.parse(spec.value)).toEqual({ control_plane: { count: 1 } });
    fireEvent.change(spec, { target: { value: '{"control_plane": {"count": 2}}' } });
    await press(words.test);
    expect(spec.getAttribute("aria-invalid")).toBe("true");
    expect(document.getElementById(`${spec.id}-error`)?.textContent).toMatch(/spec\.control_plane\.count: Template dev: .*must be 1, 3 or 5/);
    expect(screen.getAllByText("v1.30.1: 2 clusters have it")).not.toHaveLength(0);
    const sent = vi.mocked(testSettings).mock.calls[0]?.[0];
    expect([sent?.templates, sent?.versions]).toEqual([[template("dev", { control_plane: { count: 2 } })], undefined]);
  });

  it("tells of a change of versions part by part, and of a new list by its length", () => {
    const before = [version("v1.36.3"), version("v1.35.4")];
    const differences = [{ key: "versions", before, after: [version("v1.36.3", "hidden"), before[1]] }, { key: "templates", after: [template("dev", {})] }];
    answer({ data: now }, [{ ...old, differences }]);
    render(page());
    const told = screen.getByRole("row", { name: /the season/ }).textContent;
    expect(told).toContain("Kubernetes versions \u203a v1.36.3 \u203a support: current \u2192 hidden");
    expect(told).toContain("Templates: as configured \u2192 1 entry");
    expect(told).not.toContain("v1.35.4");
  });

  it("says who was first and goes on from there with what was typed", async () => {
    vi.mocked(testSettings).mockResolvedValue(tested());
    vi.mocked(saveSettings).mockRejectedValue(refusal(409, "KCS-CONF-001"));
    const shown = render(page());
    type(words.nameOf.nodes_per_pool, "50");
    await press(words.save);
    const dialog = await screen.findByRole("dialog");
    await act(async () => within(dialog).getByRole("button", { name: words.save }).click());
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    answer({ data: settings(4, { limits: { clusters_per_project: 5 } }) });
    shown.rerender(page());
    expect(screen.getByRole("alert").textContent).toContain("olga saved revision 4 meanwhile");
    expect((button(words.save) as HTMLButtonElement).disabled).toBe(true);
    await press(words.catchUp);
    expect(screen.queryByRole("alert")).toBeNull();
    vi.mocked(testSettings).mockClear();
    await press(words.test);
    expect(testSettings).toHaveBeenCalledExactlyOnceWith({ revision: 4, limits: { clusters_per_project: 5, nodes_per_pool: 50 }, audit: {} });
  });

  it("takes over what somebody else saved where nothing was typed", () => {
    const shown = render(page());
    answer({ data: settings(4, { limits: { clusters_per_project: 5 } }) });
    shown.rerender(page());
    expect(screen.queryByRole("alert")).toBeNull();
    expect((field(words.nameOf.clusters_per_project) as HTMLInputElement).value).toBe("5");
  });

  it("puts the values of an older revision into the form, and saves nothing by it", async () => {
    render(page());
    const row = screen.getByRole("row", { name: /the season/ });
    expect(row.textContent).toContain("Nodes per pool: as configured → 7");
    await press("Use these values: revision 1");
    expect((field(words.nameOf.nodes_per_pool) as HTMLInputElement).value).toBe("7");
    expect((field(words.nameOf.clusters_per_project) as HTMLInputElement).value).toBe("");
    expect((button(words.save) as HTMLButtonElement).disabled).toBe(false);
    expect(saveSettings).not.toHaveBeenCalled();
  });

  it("asks before older values take the place of what was typed", async () => {
    render(page());
    type(words.nameOf.nodes_per_pool, "50");
    await press("Use these values: revision 1");
    expect((field(words.nameOf.nodes_per_pool) as HTMLInputElement).value).toBe("50");
    const dialog = screen.getByRole("dialog");
    await act(async () => within(dialog).getByRole("button", { name: words.history.use }).click());
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect((field(words.nameOf.nodes_per_pool) as HTMLInputElement).value).toBe("7");
  });

  it("says who was first when that is found out by the test", async () => {
    vi.mocked(testSettings).mockRejectedValue(refusal(409, "KCS-CONF-001"));
    const shown = render(page());
    type(words.nameOf.nodes_per_pool, "50");
    await press(words.save);
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(screen.getByRole("alert").textContent).toContain("KCS-CONF-001");
    answer({ data: settings(4, { limits: { clusters_per_project: 5 } }) });
    shown.rerender(page());
    expect(screen.getAllByRole("alert").some((alert) => alert.textContent.includes("olga saved revision 4 meanwhile"))).toBe(true);
  });
});
