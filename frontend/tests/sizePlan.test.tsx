// The plan of a change of size in its dialogs: when it is asked for, what is shown of it, and when the change may be asked for.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, renderHook, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createPool, planControlPlane, planPool, planResize, resizeControlPlane, resizePool } from "../src/api/clusters";
import type { Check, Cluster, SizePlan } from "../src/api/types";
import ControlPlaneDialog from "../src/features/cluster/ControlPlaneDialog";
import PoolDialog from "../src/features/cluster/PoolDialog";
import ResizeDialog from "../src/features/cluster/ResizeDialog";
import { SizePlanView } from "../src/features/cluster/SizePlanView";
import { RESTS, type SizePlanning, useSizePlan } from "../src/features/cluster/useSizePlan";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

vi.mock("@tanstack/react-router", () => ({ useNavigate: () => vi.fn() }));
vi.mock("../src/api/clusters", () => ({ createPool: vi.fn(), planControlPlane: vi.fn(), planPool: vi.fn(), planResize: vi.fn(), resizeControlPlane: vi.fn(), resizePool: vi.fn() }));
const offer = vi.hoisted(() => (...names: string[]) => () => ({ data: { items: names.map((name) => ({ id: name, name, vcpus: 2, ram_mib: 4096, disk_gib: 40 })) } }));
vi.mock("../src/api/catalogue", () => ({ useFlavors: offer("m1.medium", "m1.large"), useVolumeTypes: offer(), useZones: offer(), useImages: offer(), useKeyPairs: offer() }));

beforeAll(inEnglish);

const quota = [{ resource: "instances", used: 6, limit: 20, need: 2, promised: 0 }];
const well: SizePlan = { from: 3, to: 5, removed: [], checks: [{ key: "quota", level: "ok", message: "", params: {} }], limits: [], quota, objects: [], blocked: false };
const short: Check = { key: "quota", level: "blocked", code: "KCS-QUOTA-001", message: "instances: 2 needed, 1 left", params: {} };
const client = () => new QueryClient({ defaultOptions: { mutations: { retry: false } } });
const within = (queries: QueryClient) => ({ children }: { children: ReactNode }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider>;

/** Plans of the control plane's size. */
const plans = (ask: (count: number) => Promise<SizePlan>, first: number | null) =>
  renderHook(({ count }: { count: number | null }) => useSizePlan(["c", "control-plane"], count, ask), { initialProps: { count: first }, wrapper: within(client()) });
const planned = (plan: Partial<SizePlan>): SizePlanning => ({ asked: true, plan: { ...well, ...plan }, error: null, stale: false, ready: true, retry: () => undefined });
const show = (dialog: ReactNode) => render(dialog, { wrapper: within(client()) });
const ok = (name: string) => screen.getByRole<HTMLButtonElement>("button", { name });
/** The form rests for as long as it takes until it is planned. */
const rest = () => act(() => vi.advanceTimersByTimeAsync(RESTS));

describe("the plan of what is in the form", () => {
  it("is asked for once, when the form rests", async () => {
    const ask = vi.fn((count: number) => Promise.resolve({ ...well, to: count }));
    const { result, rerender } = plans(ask, null);
    expect([result.current.asked, result.current.ready]).toEqual([false, false]);
    for (const count of [4, 5, 6]) rerender({ count });
    expect([result.current.asked, result.current.stale]).toEqual([true, true]);
    await waitFor(() => expect(result.current.plan?.to).toBe(6));
    expect(ask.mock.calls.map(([count]) => count)).toEqual([6]);
    expect(result.current.ready).toBe(true);
  });

  it("is shown on while the next one comes, but is not good for it", async () => {
    const ask = vi.fn((count: number) => Promise.resolve({ ...well, to: count }));
    const { result, rerender } = plans(ask, 5);
    await waitFor(() => expect(result.current.ready).toBe(true));
    rerender({ count: 3 });
    expect([result.current.plan?.to, result.current.ready]).toEqual([5, false]);
    await waitFor(() => expect([result.current.plan?.to, result.current.ready]).toEqual([3, true]));
    rerender({ count: null });
    expect([result.current.plan, result.current.ready]).toEqual([undefined, false]);
  });

  it("is not ready when something stands against it", async () => {
    const { result } = plans(() => Promise.resolve({ ...well, checks: [short], blocked: true }), 5);
    await waitFor(() => expect(result.current.stale).toBe(false));
    expect([result.current.plan?.blocked, result.current.ready]).toEqual([true, false]);
  });

  it("that does not come is asked for again", async () => {
    const ask = vi.fn((count: number) => (ask.mock.calls.length === 1 ? Promise.reject(refusal(400, "KCS-INPUT-001", [])) : Promise.resolve({ ...well, to: count })));
    const { result } = plans(ask, 5);
    await waitFor(() => expect(result.current.error).toBeTruthy());
    expect([result.current.plan, result.current.ready]).toEqual([undefined, false]);
    act(() => result.current.retry());
    await waitFor(() => expect(result.current.ready).toBe(true));
  });
});

describe("what is shown of a plan", () => {
  it("is what stands against it with its remedy, the quota with the need, and the cost", () => {
    const cost = { currency: "USD", per_hour: 0.5, lines: [], unpriced: [] };
    const { container } = render(<SizePlanView planning={planned({ checks: [short], cost })} said={false} />);
    for (const text of ["KCS-QUOTA-001", en.error["KCS-QUOTA-001"].remedy, en.create.quotaPreview, "6 + 2 / 20", en.cost.after, "$0.50 per hour"]) expect(container.textContent).toContain(text);
  });

  it("tells memory in its unit, as the quota does", () => {
    const { container } = render(<SizePlanView planning={planned({ checks: [{ ...short, params: { resource: "ram_mib", need: 4096, left: 2048 } as unknown as Check["params"] }] })} said={false} />);
    expect(container.textContent).toContain("Memory: 4 GiB needed, 2 GiB left");
  });

  it("says of a replacement what it takes besides: what is needed is there", () => {
    const params = { resource: "ram_mib", need: 4096, left: 4096, surplus: 2048, reason: "replacement" } as unknown as Check["params"];
    const { container } = render(<SizePlanView planning={planned({ checks: [{ ...short, key: "replacement_room", level: "warning", params }] })} said={false} />);
    expect(container.textContent).toContain("Memory: 4 GiB needed, 4 GiB left; replacing a node takes 2 GiB more for a while");
  });

  it("has no quota and no cost where nothing is made and nothing has a price", () => {
    const { container } = render(<SizePlanView planning={planned({ from: 3, to: 1, removed: ["m-2", "m-1"] })} leaving="Their disks go too." said={false} />);
    expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["m-2", "m-1"]);
    expect(container.textContent).toContain("Their disks go too.");
    for (const text of [en.create.quotaPreview, en.cost.after]) expect(container.textContent).not.toContain(text);
  });

  it("is the error, unless the form's fields say it", () => {
    const retry = vi.fn();
    const planning: SizePlanning = { asked: true, plan: undefined, error: refusal(400, "KCS-INPUT-001", []), stale: false, ready: false, retry };
    const { rerender } = render(<SizePlanView planning={planning} said={false} />);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledOnce();
    rerender(<SizePlanView planning={planning} said />);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("counts what other operations will still take, and says so", () => {
    const promised = [{ resource: "instances", used: 6, limit: 20, need: 5, promised: 12 }];
    const { container } = render(<SizePlanView planning={planned({ quota: promised })} said={false} />);
    expect(screen.getByText("12 more will be taken by what is under way")).toBeTruthy();
    expect(container.textContent).toContain("3 too many");
    expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("100");
  });

  it("is a wait before the first one", () => {
    const { container, rerender } = render(<SizePlanView planning={{ asked: true, plan: undefined, error: null, stale: true, ready: false, retry: () => undefined }} said={false} />);
    expect(screen.getByRole("status", { name: "Loading" })).toBeTruthy();
    rerender(<SizePlanView planning={{ asked: false, plan: undefined, error: null, stale: true, ready: false, retry: () => undefined }} said={false} />);
    expect(container.textContent).toBe("");
  });
});

describe("a dialog", () => {
  beforeEach(() => {
    vi.clearAllMocks();
    vi.useFakeTimers({ shouldAdvanceTime: true });
  });
  afterEach(() => void vi.useRealTimers());

  const pool = { name: "default", flavor: "m1.medium", count: 3, root_volume_gib: 20 };
  const cluster = (pools = [pool]) => ({ id: "c", name: "web", masters_desired: 3, spec: { version: "v1.36.3", node_pools: pools } }) as unknown as Cluster;

  it("plans a pool and adds it as planned", async () => {
    vi.mocked(planPool).mockResolvedValue({ ...well, from: 0, to: 1 });
    vi.mocked(createPool).mockReturnValue(new Promise(() => undefined));
    show(<PoolDialog cluster={cluster()} onClose={() => undefined} />);
    expect(ok(en.create.addPool).disabled).toBe(true);
    await waitFor(() => expect(ok(en.create.addPool).disabled).toBe(false));
    expect(vi.mocked(planPool).mock.calls).toMatchObject([["c", { name: "pool-2", flavor: "m1.medium", count: 1 }]]);
    fireEvent.click(ok(en.create.addPool));
    await waitFor(() => expect(createPool).toHaveBeenCalledOnce());
  });

  it("plans no pool before it has a good name and a flavor", async () => {
    vi.mocked(planPool).mockResolvedValue({ ...well, from: 0, to: 1 });
    show(<PoolDialog cluster={cluster([])} onClose={() => undefined} />);
    await rest();
    expect(screen.getByText(en.cluster.pools.planWaits)).toBeTruthy();
    fireEvent.change(screen.getByLabelText(en.create.flavor), { target: { value: "m1.large" } });
    fireEvent.change(screen.getByRole("textbox", { name: /^Name/ }), { target: { value: "Not Good" } });
    await rest();
    expect(planPool).not.toHaveBeenCalled();
    expect(ok(en.create.addPool).disabled).toBe(true);
    fireEvent.change(screen.getByRole("textbox", { name: /^Name/ }), { target: { value: "good" } });
    await waitFor(() => expect(ok(en.create.addPool).disabled).toBe(false));
    expect(vi.mocked(planPool).mock.calls).toMatchObject([["c", { name: "good", flavor: "m1.large" }]]);
  });

  it("asks for as many nodes as are typed: how many there may be is the server's to say", async () => {
    vi.mocked(planPool).mockResolvedValue({ ...well, from: 0, to: 400 });
    show(<PoolDialog cluster={cluster()} onClose={() => undefined} />);
    fireEvent.change(screen.getByLabelText(en.create.count), { target: { value: "400" } });
    await waitFor(() => expect(vi.mocked(planPool).mock.lastCall).toMatchObject(["c", { count: 400 }]));
  });

  it("says at the pool's field what a check says of it", async () => {
    vi.mocked(planPool).mockResolvedValue({ ...well, checks: [{ key: "flavors", level: "blocked", code: "KCS-CMP-013", message: "12 GiB for the system", params: {}, field: "spec.node_pools[0].root_volume_gib" }], blocked: true });
    show(<PoolDialog cluster={cluster()} onClose={() => undefined} />);
    await waitFor(() => expect(screen.getByLabelText(en.create.rootVolume).getAttribute("aria-invalid")).toBe("true"));
    expect(ok(en.create.addPool).disabled).toBe(true);
  });

  it("says beside the pool what is wrong with the cluster it would make", async () => {
    vi.mocked(planPool).mockRejectedValue(refusal(400, "KCS-INPUT-001", [{ field: "spec.node_pools", message: "the cluster may have at most 100 nodes", code: "KCS-INPUT-001" }]));
    show(<PoolDialog cluster={cluster()} onClose={() => undefined} />);
    await screen.findByRole("alert");
    vi.mocked(planPool).mockRejectedValue(refusal(400, "KCS-INPUT-001", [{ field: "count", message: "must be at most 50", code: "KCS-INPUT-001" }]));
    fireEvent.change(screen.getByLabelText(en.create.count), { target: { value: "60" } });
    await waitFor(() => expect(screen.getByLabelText(en.create.count).getAttribute("aria-invalid")).toBe("true"));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("plans the control plane for another size than it has", async () => {
    vi.mocked(planControlPlane).mockResolvedValue({ ...well, from: 3, to: 1, removed: ["m-2", "m-1"] });
    vi.mocked(resizeControlPlane).mockReturnValue(new Promise(() => undefined));
    show(<ControlPlaneDialog cluster={cluster()} onClose={() => undefined} />);
    await rest();
    expect([vi.mocked(planControlPlane).mock.calls.length, ok(en.cluster.pools.resize).disabled]).toEqual([0, true]);
    fireEvent.click(screen.getAllByRole("radio")[0] as HTMLElement);
    await waitFor(() => expect(ok(en.cluster.pools.resize).disabled).toBe(false));
    expect(screen.getByText("m-2")).toBeTruthy();
    expect(vi.mocked(planControlPlane).mock.calls).toEqual([["c", 1]]);
    fireEvent.click(ok(en.cluster.pools.resize));
    await waitFor(() => expect(vi.mocked(resizeControlPlane).mock.calls).toEqual([["c", 1]]));
  });

  it("plans a pool's new size with the nodes that leave first", async () => {
    vi.mocked(planResize).mockResolvedValue({ ...well, from: 3, to: 2, removed: ["w-1"] });
    vi.mocked(resizePool).mockReturnValue(new Promise(() => undefined));
    const node = { id: "n-1", name: "w-1", pool: "default", role: "worker", ready: true, removing: false, bootstrap: { state: "done" } } as unknown as Parameters<typeof ResizeDialog>[0]["nodes"][number];
    show(<ResizeDialog clusterId="c" pool={{ ...pool, role: "worker", desired: 3, current: 3, ready: 3, labels: {}, taints: [], zones: [] }} nodes={[node]} onClose={() => undefined} />);
    fireEvent.change(screen.getByRole("spinbutton"), { target: { value: "2" } });
    fireEvent.click(screen.getByRole("checkbox"));
    await waitFor(() => expect(ok(en.cluster.pools.resize).disabled).toBe(false));
    expect(vi.mocked(planResize).mock.calls).toEqual([["c", "default", 2, ["n-1"]]]);
    fireEvent.click(ok(en.cluster.pools.resize));
    await waitFor(() => expect(vi.mocked(resizePool).mock.calls).toEqual([["c", "default", 2, ["n-1"]]]));
  });
});
