// What is offered follows from what the person may do, in all of the project or with this cluster alone, and not from the name of a role.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, renderHook, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import { useLiveStream } from "../src/api/live";
import { openEvents } from "../src/api/sse";
import type { Cluster, Operation, Permission, Role, Session } from "../src/api/types";
import { SettingsContext } from "../src/app/settings";
import { SideMenu } from "../src/app/SideMenu";
import { ClusterPage } from "../src/features/cluster/ClusterPage";
import { NodesTab } from "../src/features/cluster/NodesTab";
import { Protection } from "../src/features/cluster/Protection";
import { ClusterListPage } from "../src/features/clusters/ClusterListPage";
import { OperationView } from "../src/features/operations/OperationView";
import { OverviewPage } from "../src/features/overview/OverviewPage";
import { TemplateListPage } from "../src/features/templates/TemplateListPage";
import { en, inEnglish } from "./english";

const route = vi.hoisted(() => ({ path: "/clusters/c1" }));

vi.mock("@tanstack/react-router", () => ({
  Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>,
  Navigate: ({ to }: { to: string }) => <p>led to {to}</p>,
  Outlet: () => <p>what is there</p>,
  useNavigate: () => vi.fn(),
  useSearch: () => ({}),
  useParams: () => ({ id: "c1" }),
  useRouterState: () => route.path,
}));

vi.mock("../src/api/sse", async (original) => ({ ...(await original<typeof import("../src/api/sse")>()), openEvents: vi.fn(() => () => undefined) }));

beforeAll(inEnglish);

const session: Session = { user: { id: "u1", name: "ada", domain: "default" }, project: { id: "p1", name: "tenant-a" }, projects: [], roles: [], permissions: [], operator: false, csrf_token: "", expires_at: "2999-01-01T00:00:00Z" };
const cluster = {
  id: "c1",
  name: "shop",
  project: { id: "p1", name: "tenant-a" },
  spec: { version: "v1.36.3", node_pools: [], deletion_protection: true },
  status: { phase: "Running", conditions: [], api_endpoint: "https://192.0.2.1:6443", masters_ready: 1, nodes_ready: 0 },
  permissions: [] as Permission[],
} as unknown as Cluster;
const pools = ["control-plane", "default"].map((name, i) => ({ name, role: i ? "worker" : "master", flavor: "m1", root_volume_gib: 20, desired: 1, current: 1, ready: 1, zones: [], labels: {}, taints: [] }));
const nodes = [{ id: "n1", name: "kcs-1-default-0", pool: "default", role: "worker", ready: true, removing: false, bootstrap: { state: "done" }, server: { id: "s1", state: "known" } }];
const tabs = async () => within(await screen.findByRole("navigation", { name: en.cluster.tabs })).getAllByRole("link").map((tab) => tab.textContent);
const blocked = { id: "o1", cluster: { id: "c1", name: "shop" }, kind: "node_pool_resize", state: "blocked", progress: 10, steps: [], created_at: "2026-01-01T00:00:00Z", created_by: "bob", retries: 0, nodes: [] } as unknown as Operation;

const asked: string[] = [];
let items: Record<string, unknown> = {};

/** Shows something to a person with these permissions, be it everywhere or with the one cluster. */
function show(what: ReactNode, everywhere: Permission[], here: Permission[] = everywhere, roles: Role[] = [], rest: Partial<Cluster> = {}) {
  items = {
    "/api/v1/session": { ...session, permissions: everywhere, roles },
    "/api/v1/clusters/{id}": { ...cluster, permissions: here, ...rest },
    "/api/v1/clusters/{id}/node-pools": { items: pools },
    "/api/v1/clusters/{id}/nodes": { items: nodes },
    "/api/v1/templates": { items: [{ id: "t1", own: true, name: "mine", description: "", spec: {} }] },
    "/api/v1/about": { version: "1", environment: "prod", direct_access: false, notes: [] },
  };
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  queries.setQueryData(["session"], items["/api/v1/session"]);
  return render(
    <SettingsContext value={{ language: "en-US", theme: "light", dark: false, setLanguage: vi.fn(), setTheme: vi.fn() }}>
      <QueryClientProvider client={queries}>{what}</QueryClientProvider>
    </SettingsContext>,
  );
}

beforeEach(() => {
  asked.length = 0;
  vi.spyOn(client, "GET").mockImplementation((async (path: string) => {
    asked.push(path);
    return { data: items[path] ?? { items: [] } };
  }) as unknown as typeof client.GET);
});

const menu = async (name: string | RegExp) => {
  fireEvent.click(await screen.findByRole("button", { name }));
  return screen.getAllByRole("menuitem").map((item) => item.textContent);
};

describe("with a cluster of one's own", () => {
  it("is offered what it allows, and nothing of the project", async () => {
    show(<ClusterPage />, [], ["kubeconfig_issue", "control_plane_resize", "cluster_delete"], ["guest"]);
    expect(await menu(/More/)).toEqual([en.cluster.menu.controlPlane]);
    expect(screen.getByRole("button", { name: new RegExp(en.cluster.getKubeconfig) })).toBeTruthy();
    expect(screen.getByRole("button", { name: /Delete$/ })).toBeTruthy();
  });

  it("is shown what is around the namespaces only where all of it is seen", async () => {
    const { nodes: around, storage, addons, objects, ...inside } = en.cluster.tab;
    const { unmount } = show(<ClusterPage />, [], [], ["guest"]);
    expect(await tabs()).toEqual(expect.arrayContaining([around, storage, addons, objects]));
    unmount();
    show(<ClusterPage />, [], [], ["guest"], { namespaces: ["web"] });
    expect((await tabs()).toSorted()).toEqual(Object.values(inside).toSorted());
  });

  it("is led to the cluster by a link to what is around the namespaces", async () => {
    for (const [tab, led] of [["nodes", true], ["storage", true], ["addons", true], ["objects", true], ["workloads", false]] as const) {
      route.path = `/clusters/c1/${tab}`;
      const some = show(<ClusterPage />, [], [], ["guest"], { namespaces: ["web"] });
      expect(await screen.findByText(led ? "led to /clusters/$id" : "what is there")).toBeTruthy();
      some.unmount();
      const all = show(<ClusterPage />, [], [], ["guest"]);
      expect(await screen.findByText("what is there")).toBeTruthy();
      all.unmount();
    }
    route.path = "/clusters/c1";
  });

  it("is not offered what only another allows", async () => {
    show(<ClusterPage />, ["template_create"], [], []);
    expect(await menu(/More/)).toEqual([en.template.saveAs]);
    expect(screen.queryByRole("button", { name: new RegExp(`${en.cluster.getKubeconfig}|Delete$`) })).toBeNull();
  });

  it("can be told to go on where it hangs, which takes asking for the cluster", async () => {
    show(<OperationView operation={blocked} feed="done" />, [], ["operation_retry"]);
    expect(await screen.findByRole("button", { name: /Retry$/ })).toBeTruthy();
    expect(screen.queryByRole("button", { name: new RegExp(`${en.operation.cancel}$`) })).toBeNull();
  });

  it("is not asked for where the project's permissions say enough", () => {
    show(<OperationView operation={blocked} feed="done" />, ["operation_retry", "operation_cancel"]);
    expect(screen.getByRole("button", { name: /Retry$/ })).toBeTruthy();
    expect(screen.getByRole("button", { name: new RegExp(`${en.operation.cancel}$`) })).toBeTruthy();
    expect(asked).not.toContain("/api/v1/clusters/{id}");
  });
});

describe("nodes and pools", () => {
  it("are each offered what is allowed of them", async () => {
    const { unmount } = show(<NodesTab />, [], ["node_pool_resize"]);
    expect(await menu(/pool default/i)).toEqual([en.cluster.pools.resize]);
    expect(screen.getAllByRole("button", { name: /actions/i })).toHaveLength(1);
    expect(screen.queryByRole("button", { name: new RegExp(en.create.addPool) })).toBeNull();
    unmount();
    show(<NodesTab />, [], ["node_pool_create", "node_pool_delete"]);
    expect(await menu(/pool default/i)).toEqual([en.cluster.delete]);
    expect(screen.getByRole("button", { name: new RegExp(en.create.addPool) })).toBeTruthy();
  });

  it("have no column of actions where none is allowed", async () => {
    show(<NodesTab />, []);
    await waitFor(() => expect(screen.getAllByRole("table")).toHaveLength(2));
    expect(screen.queryByRole("columnheader", { name: en.cluster.actions })).toBeNull();
  });

  it("show what a node said as it booted to whoever may operate nodes", async () => {
    show(<NodesTab />, [], ["node_operate"]);
    expect(await menu(/kcs-1-default-0/)).toContain(en.cluster.console.open);
  });
});

describe("settings", () => {
  it("can be switched by whoever may change them", () => {
    const { unmount } = show(<Protection cluster={{ ...cluster, permissions: ["cluster_update"] }} />, []);
    expect(screen.getByRole("switch")).toBeTruthy();
    unmount();
    show(<Protection cluster={cluster} />, ["cluster_update"]);
    expect(screen.queryByRole("switch")).toBeNull();
  });
});

describe("the project", () => {
  it("lets nobody begin a cluster who may not, and tells a guest why there is none", async () => {
    const { unmount } = show(<ClusterListPage />, [], [], ["guest"]);
    expect(await screen.findByText(en.clusters.noneGuest)).toBeTruthy();
    expect(screen.queryByText(en.clusters.create)).toBeNull();
    unmount();
    const second = show(<ClusterListPage />, ["template_create"]);
    expect(await screen.findByText(en.clusters.noneReader)).toBeTruthy();
    second.unmount();
    show(<ClusterListPage />, ["cluster_create"]);
    expect((await screen.findAllByText(en.clusters.create)).length).toBeGreaterThan(0);
  });

  it("asks for no plan, which would be refused, where nothing may be created", async () => {
    const plan = vi.spyOn(client, "POST");
    show(<OverviewPage />, [], [], ["guest"]);
    expect(await screen.findByText(en.clusters.noneGuest)).toBeTruthy();
    expect(screen.queryByText(en.overview.quota)).toBeNull();
    expect(plan).not.toHaveBeenCalled();
  });

  it("offers of a template what may be done with it", async () => {
    const { unmount } = show(<TemplateListPage />, ["cluster_create"]);
    expect(await menu(/mine/)).toEqual([en.clusters.create]);
    unmount();
    const second = show(<TemplateListPage />, ["template_change"]);
    expect(await menu(/mine/)).toEqual([en.template.edit, en.cluster.delete]);
    second.unmount();
    show(<TemplateListPage />, []);
    await screen.findByText("mine");
    expect(screen.queryByRole("button", { name: /mine/ })).toBeNull();
  });

  it("has in a guest's menu what a guest has a use for", () => {
    const { unmount } = show(<SideMenu />, [], [], ["guest"]);
    expect(screen.queryByText(en.shell.nav.templates)).toBeNull();
    expect(screen.getByText(en.shell.nav.members)).toBeTruthy();
    unmount();
    show(<SideMenu />, [], [], ["reader"]);
    expect(screen.getByText(en.shell.nav.templates)).toBeTruthy();
  });
});

describe("what was given or taken meanwhile", () => {
  it("is asked for after the stream of changes broke, as it does then, and not after every change", () => {
    const queries = new QueryClient();
    const invalidate = vi.spyOn(queries, "invalidateQueries");
    renderHook(() => useLiveStream(), { wrapper: ({ children }: { children: ReactNode }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider> });
    const handlers = vi.mocked(openEvents).mock.lastCall?.[1];
    const told = () => invalidate.mock.calls.filter(([of]) => of?.queryKey?.[0] === "session").length;
    act(() => handlers?.onState?.("live"));
    act(() => handlers?.onEvent({ event: "clusters_changed", data: "{}", id: "" }));
    expect(told()).toBe(0);
    act(() => handlers?.onState?.("waiting"));
    act(() => handlers?.onState?.("live"));
    expect(told()).toBe(1);
  });
});
