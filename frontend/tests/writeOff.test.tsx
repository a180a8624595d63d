// Writing a cluster off: offered where the cloud has said that its project is gone, done once the name is typed, and the receipt outlives the row.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { useAdminClusters, useClusterTotals, writeOffCluster } from "../src/api/clusters";
import type { Cluster, Condition } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { AdminClustersPage } from "../src/features/admin/AdminClustersPage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => vi.fn(), useSearch: () => ({}) }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: true, project: { id: "p-op", name: "admin" } }) }));
vi.mock("../src/api/clusters", async (original) => ({ ...(await original<typeof import("../src/api/clusters")>()), useAdminClusters: vi.fn(), useClusterTotals: vi.fn(), writeOffCluster: vi.fn() }));

beforeAll(inEnglish);

const said = (reason: string, code?: Condition["code"]): Condition => ({ type: "CloudReachable", status: code ? "False" : "True", reason, message: "", since: "2026-01-01T00:00:00Z", code });
const cluster = (id: string, name: string, condition: Condition) =>
  ({
    id,
    name,
    project: { id: "p-1", name: "tenant-a" },
    spec: { version: "v1.36.3" },
    status: { phase: "Running", conditions: [condition], masters_ready: 1, nodes_ready: 2 },
    masters_desired: 1,
    nodes_desired: 2,
    created_at: "2026-01-01T00:00:00Z",
    created_by: "ada",
    permissions: [],
  }) as unknown as Cluster;
const gone = cluster("c-1", "web", said("TenantGone", "KCS-AUTH-014"));
const disabled = cluster("c-2", "shop", said("TenantDisabled", "KCS-AUTH-015"));
const well = cluster("c-3", "blog", said("Answers"));

function answer(items: Cluster[]) {
  vi.mocked(useClusterTotals).mockReturnValue({ data: undefined } as unknown as ReturnType<typeof useClusterTotals>);
  vi.mocked(useAdminClusters).mockReturnValue({ data: { items, total: items.length }, error: null, refetch: vi.fn(), isPlaceholderData: false } as unknown as ReturnType<typeof useAdminClusters>);
}

const page = (queries: QueryClient) => (
  <QueryClientProvider client={queries}>
    <ToastHost>
      <AdminClustersPage />
    </ToastHost>
  </QueryClientProvider>
);

async function asked() {
  fireEvent.click(screen.getByRole("button", { name: "Write off web" }));
  const dialog = await screen.findByRole("dialog");
  return { dialog, submit: within(dialog).getByRole("button", { name: "Write off" }), name: within(dialog).getByRole("textbox") };
}

beforeEach(() => {
  vi.resetAllMocks();
  answer([gone, disabled, well]);
});

describe("writing off", () => {
  it("is offered where the project is gone, and nowhere else", () => {
    render(page(new QueryClient()));
    expect(screen.getAllByRole("button", { name: /^Write off/ }).map((button) => button.getAttribute("aria-label"))).toEqual(["Write off web"]);
    expect(screen.getByText(en.status.reason.TenantGone)).toBeTruthy();
    expect(screen.getByText(en.status.reason.TenantDisabled)).toBeTruthy();
  });

  it("wants the name, and shows what was recorded after the row has gone", async () => {
    vi.mocked(writeOffCluster).mockResolvedValue({ removed: [], kept: [], left: [], unseen: [{ kind: "server", name: "kcs-w0", cloud_id: "id-of-server" }] });
    const queries = new QueryClient();
    const invalidate = vi.spyOn(queries, "invalidateQueries");
    const { rerender } = render(page(queries));
    const { dialog, submit, name } = await asked();
    expect(dialog.textContent).toContain("tenant-a");
    fireEvent.change(name, { target: { value: "wbe" } });
    await act(async () => submit.click());
    expect(writeOffCluster).not.toHaveBeenCalled();
    fireEvent.change(name, { target: { value: "web" } });
    await act(async () => submit.click());
    expect(writeOffCluster).toHaveBeenCalledExactlyOnceWith("c-1", "web");
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["admin-clusters"] });
    answer([disabled, well]);
    rerender(page(queries));
    expect(await screen.findByText("web is written off")).toBeTruthy();
    expect(screen.getByText("id-of-server")).toBeTruthy();
    expect(screen.getByText(en.admin.writeOff.keep)).toBeTruthy();
    expect(screen.getByRole("link", { name: en.admin.writeOff.later })).toBeTruthy();
  });

  it("stays open with what stands against it", async () => {
    vi.mocked(writeOffCluster).mockRejectedValue(refusal(409, "KCS-CONF-007"));
    render(page(new QueryClient()));
    const { dialog, submit, name } = await asked();
    fireEvent.change(name, { target: { value: "web" } });
    await act(async () => submit.click());
    expect((await within(dialog).findByRole("alert")).textContent).toContain("KCS-CONF-007");
  });
});
