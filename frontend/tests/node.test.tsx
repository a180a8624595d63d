// A node as Kubernetes sees it: what is wrong with it, what it has room for, and which pods are on it.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Cluster, ClusterNode, KubernetesNode, NodePool, Pod } from "../src/api/types";
import { changeOf, marksOf } from "../src/features/cluster/marks";
import { NodesTab } from "../src/features/cluster/NodesTab";
import { en, inEnglish } from "./english";
import { press } from "./press";
import { refusal } from "./refusal";

vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useParams: () => ({ id: "c1" }), useNavigate: () => vi.fn(), useSearch: () => ({}) }));

beforeAll(inEnglish);

const time = "2026-01-01T00:00:00Z";
const cluster = { id: "c1", name: "shop", spec: { version: "v1.36.3", node_pools: [] }, status: { phase: "Running", conditions: [] }, permissions: [], created_at: time } as unknown as Cluster;
const one: ClusterNode = { id: "n1", name: "w-0", pool: "default", role: "worker", ready: true, removing: false, bootstrap: { state: "done", at: time }, joined_at: time };
const inside: KubernetesNode = {
  name: "w-0",
  status: "Ready",
  schedulable: true,
  roles: [],
  version: "v1.36.3",
  cpu: "4",
  memory: "16777216Ki",
  pods: "110",
  allocatable_cpu: "3800m",
  allocatable_memory: "16000000Ki",
  conditions: [
    { type: "DiskPressure", status: "True", reason: "Full", message: "the disk is full", since: time },
    { type: "Ready", status: "True", reason: "", message: "" },
  ],
  taints: ["gpu=yes:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"],
  operating_system: "Ubuntu 24.04 LTS",
  container_runtime: "containerd://2.1.4",
  labels: { team: "shop", "kubernetes.io/os": "linux" },
  reserved: ["kubernetes.io/os", "node.kubernetes.io/unschedulable"],
};
const pod: Pod = { name: "web-1", namespace: "shop", status: "Running", ready: 1, restarts: 3, containers: [], labels: {} };
const pool: NodePool = { name: "default", role: "worker", flavor: "m1.medium", root_volume_gib: 20, desired: 1, current: 1, ready: 1, zones: [], labels: { tier: "web" }, taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] };
const asked = vi.fn();
let podsFail = false;
let permissions: Cluster["permissions"] = [];

beforeEach(() => {
  asked.mockReset();
  podsFail = false;
  permissions = [];
  const items: Record<string, unknown> = {
    "/api/v1/clusters/{id}/node-pools": { items: [pool] },
    "/api/v1/clusters/{id}/nodes": { items: [one, { ...one, id: "n2", name: "w-1" }] },
    "/api/v1/clusters/{id}/kubernetes/nodes": { items: [inside] },
    "/api/v1/clusters/{id}/kubernetes/pods": { items: [pod] },
  };
  vi.spyOn(client, "GET").mockImplementation((async (path: string, given?: { params?: { query?: unknown } }) => {
    asked(path, given?.params?.query);
    if (path === "/api/v1/clusters/{id}") return { data: { ...cluster, permissions } };
    if (podsFail && path.endsWith("/pods")) throw refusal(503, "KCS-API-001");
    return { data: items[path] ?? { items: [] } };
  }) as unknown as typeof client.GET);
});

function show() {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <NodesTab />
    </QueryClientProvider>,
  );
}

/** The dialog that the node's name leads to. */
async function opened() {
  show();
  fireEvent.click(await screen.findByRole("button", { name: "w-0" }));
  return within(await screen.findByRole("dialog"));
}

describe("a node", () => {
  it("is shown with its conditions, its room and its pods, for whoever may only look, too", async () => {
    const dialog = await opened();
    await dialog.findByText("web-1");
    expect(asked).toHaveBeenCalledWith("/api/v1/clusters/{id}/kubernetes/pods", { node: "w-0", limit: 500 });
    for (const text of ["the disk is full", "4, of which pods may use 3800m", "16 GiB, of which pods may use 15.3 GiB", "1 of at most 110", "gpu=yes:NoSchedule", "team=shop"]) expect(dialog.getByText(text)).toBeTruthy();
    expect(dialog.getByText(en.cluster.node.condition)).toBeTruthy();
    expect(dialog.queryByRole("button", { name: en.cluster.marks.edit })).toBeNull();
  });

  it("counts no pods before they are known", async () => {
    podsFail = true;
    const dialog = await opened();
    expect((await dialog.findByRole("alert")).textContent).toContain("KCS-API-001");
    expect(dialog.queryByText(/of at most 110/)).toBeNull();
    expect(dialog.getByRole("heading", { name: en.workload.pods })).toBeTruthy();
  });

  it("that Kubernetes does not know leads nowhere", async () => {
    show();
    await screen.findByRole("button", { name: "w-0" });
    expect(screen.getByText("w-1")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "w-1" })).toBeNull();
  });
});

describe("labels and taints of a pool", () => {
  it("are given to it in the place of those it has", async () => {
    permissions = ["node_operate"];
    const sent = vi.spyOn(client, "PUT").mockResolvedValue({ data: undefined } as never);
    show();
    fireEvent.click(await screen.findByRole("button", { name: "Actions on node pool default" }));
    fireEvent.click(await screen.findByRole("menuitem", { name: en.cluster.pools.labels }));
    const dialog = await screen.findByRole("dialog", { name: "Labels and taints of default" });
    expect(within(dialog).getByText(en.cluster.marks.poolText)).toBeTruthy();
    const taints = within(within(dialog).getByRole("group", { name: `default ${en.create.taints}` }));
    fireEvent.click(taints.getByRole("button", { name: "Remove gpu" }));
    await press(dialog, en.cluster.marks.save);
    await waitFor(() => expect(sent).toHaveBeenCalledWith("/api/v1/clusters/{id}/node-pools/{pool}/marks", { params: { path: { id: "c1", pool: "default" } }, body: { labels: { tier: "web" }, taints: [] } }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });
});

/** The dialog in which a node's labels and taints are changed. */
async function marking() {
  permissions = ["node_operate"];
  const dialog = await opened();
  fireEvent.click(await dialog.findByRole("button", { name: en.cluster.marks.edit }));
  return screen.findByRole("dialog", { name: "Labels and taints of w-0" });
}

describe("labels and taints of a node", () => {
  it("are changed without those that are Kubernetes' own", async () => {
    const sent = vi.spyOn(client, "PATCH").mockResolvedValue({ data: undefined } as never);
    const dialog = await marking();
    const labels = within(within(dialog).getByRole("group", { name: `w-0 ${en.create.labels}` }));
    const taints = within(within(dialog).getByRole("group", { name: `w-0 ${en.create.taints}` }));
    expect(labels.queryByDisplayValue("kubernetes.io/os")).toBeNull();
    expect(taints.queryByDisplayValue("node.kubernetes.io/unschedulable")).toBeNull();
    expect(within(dialog).getByRole("button", { name: en.cluster.marks.save })).toHaveProperty("disabled", true);
    fireEvent.change(labels.getByDisplayValue("shop"), { target: { value: "store" } });
    fireEvent.click(taints.getByRole("button", { name: "Remove gpu" }));
    fireEvent.click(taints.getByRole("button", { name: new RegExp(`${en.create.addTaint}$`) }));
    fireEvent.change(taints.getByRole("textbox", { name: en.create.key }), { target: { value: " batch " } });
    await press(dialog, en.cluster.marks.save);
    const body = { labels: { team: "store" }, taints: [{ key: "batch", value: "", effect: "NoSchedule" }], remove_taints: [{ key: "gpu", effect: "NoSchedule" }] };
    await waitFor(() => expect(sent).toHaveBeenCalledWith("/api/v1/clusters/{id}/nodes/{node}", { params: { path: { id: "c1", node: "n1" } }, body }));
    // Back to the node.
    expect(await screen.findByText("the disk is full")).toBeTruthy();
  });

  it("that Kubernetes would not take are named where they stand", async () => {
    vi.spyOn(client, "PATCH").mockRejectedValue(refusal(400, "KCS-INPUT-001", [{ field: "labels.team", message: "the value must be a Kubernetes label value" }]));
    const dialog = await marking();
    fireEvent.change(within(dialog).getByDisplayValue("shop"), { target: { value: "two words" } });
    await press(dialog, en.cluster.marks.save);
    const labels = within(dialog).getByRole("group", { name: `w-0 ${en.create.labels}` });
    expect(await within(labels).findByText(/the value must be a Kubernetes label value/)).toBeTruthy();
  });

  it("are what they were where nothing was changed, and a taint of another effect is another one", () => {
    const before = marksOf(inside);
    expect(changeOf(before, { labels: [...before.labels, { key: "", value: "x" }], taints: before.taints })).toBeNull();
    expect(changeOf(before, { labels: [], taints: before.taints })).toEqual({ labels: { team: null }, taints: [], remove_taints: [] });
    expect(changeOf(before, { ...before, taints: [{ key: "gpu", value: "no", effect: "NoSchedule" }] })).toEqual({ labels: {}, taints: [{ key: "gpu", value: "no", effect: "NoSchedule" }], remove_taints: [] });
    const evicts = { key: "gpu", value: "yes", effect: "NoExecute" as const };
    expect(changeOf(before, { ...before, taints: [evicts] })).toEqual({ labels: {}, taints: [evicts], remove_taints: [{ key: "gpu", effect: "NoSchedule" }] });
  });
});
