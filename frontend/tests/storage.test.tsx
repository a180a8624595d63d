// Storage of a cluster: its classes, making, choosing and deleting them, and its volumes from both sides.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Cluster, ClusterVolume, StorageClass } from "../src/api/types";
import { StorageTab } from "../src/features/cluster/StorageTab";
import { en, inEnglish } from "./english";
import { press } from "./press";
import { refusal } from "./refusal";

vi.mock("@tanstack/react-router", () => ({ useParams: () => ({ id: "c1" }) }));

beforeAll(inEnglish);

const storage = (name: string, rest: Partial<StorageClass> = {}): StorageClass => ({ name, provisioner: "cinder.csi.openstack.org", volume_type: "ssd", reclaim_policy: "Delete", binding: "WaitForFirstConsumer", expandable: true, default: false, managed: false, ...rest });
const all = [storage("cinder-standard", { default: true, managed: true }), storage("own", { reclaim_policy: "Retain" })];
let classes: StorageClass[];
let permissions: Cluster["permissions"];
let volumes: { items: ClusterVolume[]; api_reachable: boolean; cloud_reachable: boolean };

beforeEach(() => {
  classes = all;
  permissions = ["kubernetes_write"];
  volumes = { items: [], api_reachable: true, cloud_reachable: true };
  vi.spyOn(client, "GET").mockImplementation((async (path: string) => {
    if (path === "/api/v1/clusters/{id}") return { data: { id: "c1", name: "shop", permissions, status: { phase: "Running", conditions: [] } } };
    if (path.endsWith("/storage-classes")) return { data: { items: classes } };
    if (path.endsWith("/volumes")) return { data: volumes };
    if (path.endsWith("/volume-types")) return { data: { items: [{ id: "v1", name: "ssd", default: false }, { id: "v2", name: "standard", default: true }] } };
    return { data: { items: [] } };
  }) as unknown as typeof client.GET);
});

function show() {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <StorageTab />
    </QueryClientProvider>,
  );
}

/** What can be done with a class. */
async function menu(name: string) {
  show();
  fireEvent.click(await screen.findByRole("button", { name: `Actions on ${name}` }));
  return within(await screen.findByRole("menu"));
}

const one = (name: string) => ({ params: { path: { id: "c1", name } } });

describe("storage classes", () => {
  it("are shown with the default and what they mean, and cannot be changed by who only looks", async () => {
    permissions = [];
    show();
    const row = within((await screen.findByText("cinder-standard")).closest("tr") as HTMLElement);
    for (const text of [en.storage.default, en.storage.ofAddon, en.storage.reclaimOf.Delete, en.storage.bindingOf.WaitForFirstConsumer]) expect(row.getByText(text)).toBeTruthy();
    expect(screen.getByText(en.storage.reclaimOf.Retain)).toBeTruthy();
    expect(screen.queryByRole("button", { name: new RegExp(en.storage.create) })).toBeNull();
    expect(screen.queryByRole("button", { name: /Actions on/ })).toBeNull();
  });

  it("say where none is the default", async () => {
    classes = [storage("own")];
    show();
    expect(await screen.findByText(en.storage.noDefault)).toBeTruthy();
  });

  it("become the default in the place of another", async () => {
    const put = vi.spyOn(client, "PUT").mockResolvedValue({ data: undefined } as never);
    const items = await menu("own");
    fireEvent.click(items.getByRole("menuitem", { name: en.storage.choose }));
    await waitFor(() => expect(put).toHaveBeenCalledWith("/api/v1/clusters/{id}/kubernetes/storage-classes/{name}/default", one("own")));
  });

  it("of the add-on are not deleted, and it is said why", async () => {
    const items = await menu("cinder-standard");
    const entry = items.getByRole("menuitem", { name: new RegExp(en.storage.again) });
    expect(entry.getAttribute("aria-disabled")).toBe("true");
    expect(items.queryByRole("menuitem", { name: en.storage.choose })).toBeNull();
  });

  it("of one's own are deleted after a question", async () => {
    const gone = vi.spyOn(client, "DELETE").mockResolvedValue({ data: undefined } as never);
    const items = await menu("own");
    fireEvent.click(items.getByRole("menuitem", { name: en.cluster.delete }));
    const dialog = await screen.findByRole("dialog", { name: "Delete storage class own?" });
    expect(gone).not.toHaveBeenCalled();
    expect(within(dialog).queryByText(en.storage.deleteDefault)).toBeNull();
    await press(dialog, en.cluster.delete);
    await waitFor(() => expect(gone).toHaveBeenCalledWith("/api/v1/clusters/{id}/kubernetes/storage-classes/{name}", one("own")));
  });

  it("are made of the cloud's default type unless another is chosen, and a taken name is said at the name", async () => {
    const post = vi.spyOn(client, "POST").mockRejectedValueOnce(refusal(409, "KCS-NAME-005", [{ field: "name", message: "taken", code: "KCS-NAME-005" }])).mockResolvedValue({ data: undefined } as never);
    show();
    fireEvent.click(await screen.findByRole("button", { name: new RegExp(`${en.storage.create}$`) }));
    const dialog = await screen.findByRole("dialog", { name: en.storage.create });
    await within(dialog).findByRole("option", { name: "standard" });
    await press(dialog, en.storage.create);
    expect(await within(dialog).findByText(en.common.required)).toBeTruthy();
    expect(post).not.toHaveBeenCalled();
    const name = within(dialog).getByRole("textbox");
    fireEvent.change(name, { target: { value: " own " } });
    await press(dialog, en.storage.create);
    expect(await within(dialog).findByText(new RegExp(en.error["KCS-NAME-005"].title))).toBeTruthy();
    fireEvent.change(name, { target: { value: "fast" } });
    await press(dialog, en.storage.create);
    const body = { name: "fast", volume_type: "standard", reclaim_policy: "Delete", binding: "WaitForFirstConsumer", expandable: true };
    await waitFor(() => expect(post).toHaveBeenLastCalledWith("/api/v1/clusters/{id}/kubernetes/storage-classes", { params: { path: { id: "c1" } }, body }));
  });
});

const row = async (text: string) => within((await screen.findByText(text)).closest("tr") as HTMLElement);

describe("volumes", () => {
  const inside = { name: "pv-data", phase: "Bound", capacity: "10Gi", claim: "web/data", storage_class: "own", reclaim_policy: "Retain", access_modes: ["ReadWriteOnce"], driver: "cinder.csi.openstack.org", handle: "disk-1" };
  const disk = { id: "disk-1", name: "pvc-1", status: "in-use", size_gib: 12, claim: "web/data" };

  it("are shown with their claim and the disk in the cloud, whose id can be copied", async () => {
    volumes.items = [{ persistent_volume: inside, disk }];
    show();
    const volume = await row("web/data");
    for (const text of ["pv-data", "Bound", "12 GiB", "own", en.storage.reclaimOf.Retain, "in-use", "disk-1"]) expect(volume.getByText(text)).toBeTruthy();
    expect(volume.getByRole("button", { name: "Copy cloud ID of pv-data" })).toBeTruthy();
  });

  it("that only one side knows of are shown, too, and it is said which", async () => {
    volumes.items = [{ disk: { ...disk, id: "disk-2", claim: "web/left" } }, { persistent_volume: { ...inside, handle: "nowhere" } }];
    show();
    expect((await row("web/left")).getByText(en.storage.notInCluster)).toBeTruthy();
    const lost = await row("web/data");
    for (const text of ["nowhere", "cinder.csi.openstack.org", "10Gi"]) expect(lost.getByText(text)).toBeTruthy();
    expect(screen.queryByText(en.storage.apiSilent)).toBeNull();
  });

  it("are not called missing while the cluster does not answer", async () => {
    volumes = { items: [{ disk }], api_reachable: false, cloud_reachable: true };
    show();
    expect(await screen.findByText(en.storage.apiSilent)).toBeTruthy();
    expect((await row("web/data")).queryByText(en.storage.notInCluster)).toBeNull();
    expect(screen.queryByText(en.storage.cloudSilent)).toBeNull();
  });
});
