// The operators' list of clusters: what it is narrowed by, and what all that are found are together.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { useAdminClusters, useClusterTotals } from "../src/api/clusters";
import type { ClusterTotals } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { AdminClustersPage } from "../src/features/admin/AdminClustersPage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ search: {} as Record<string, string>, navigate: vi.fn() }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => known.navigate, useSearch: () => known.search }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: true, project: { id: "p-op", name: "admin" } }) }));
vi.mock("../src/api/clusters", async (original) => ({ ...(await original<typeof import("../src/api/clusters")>()), useAdminClusters: vi.fn(), useClusterTotals: vi.fn() }));

beforeAll(inEnglish);

const totals: ClusterTotals = { clusters: 12, nodes: 80, vcpus: 320, ram_mib: 655_360, unsized_nodes: 0, versions: ["v1.36.3", "v1.35.4"] };

function show(given: ClusterTotals | undefined, error: unknown = null) {
  vi.mocked(useAdminClusters).mockReturnValue({ data: { items: [], total: 0 }, error: null, refetch: vi.fn(), isPlaceholderData: false } as unknown as ReturnType<typeof useAdminClusters>);
  vi.mocked(useClusterTotals).mockReturnValue({ data: given, error, refetch: vi.fn() } as unknown as ReturnType<typeof useClusterTotals>);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ToastHost>
        <AdminClustersPage />
      </ToastHost>
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  vi.resetAllMocks();
  known.search = {};
});

describe("the list of all clusters", () => {
  it("says what those that are found are together, and what is not counted", () => {
    known.search = { search: "web", version: "v1.36.3" };
    show({ ...totals, unsized_nodes: 3 });
    expect(useClusterTotals).toHaveBeenCalledWith(known.search, true);
    for (const figure of ["12", "80", "320", "640 GiB"]) expect(screen.getByText(figure)).toBeTruthy();
    expect(screen.getByText(/memory of 3 nodes/)).toBeTruthy();
  });

  it("is narrowed by the versions that there are, from the first page on", () => {
    known.search = { cursor: "next", phase: "Running" };
    show(totals);
    expect(screen.queryByText(/memory of/)).toBeNull();
    const choice = screen.getByRole("combobox", { name: en.admin.version });
    expect([...choice.querySelectorAll("option")].map((option) => option.textContent)).toEqual([en.admin.anyVersion, "v1.36.3", "v1.35.4"]);
    fireEvent.change(choice, { target: { value: "v1.35.4" } });
    const going = known.navigate.mock.calls[0]?.[0] as { search: (old: object) => object };
    expect(going.search(known.search)).toEqual({ phase: "Running", cursor: undefined, version: "v1.35.4" });
  });

  it("says when what they are together cannot be told, and lists them all the same", () => {
    show(undefined, refusal(503, "KCS-INTERNAL-001"));
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-INTERNAL-001"].title);
    expect(screen.getByText(en.admin.none)).toBeTruthy();
  });

  it("tells nothing from nothing that is found", () => {
    known.search = { project: "nobody" };
    show({ ...totals, clusters: 0 });
    expect(screen.getByText(en.common.nothingFound)).toBeTruthy();
    expect(screen.queryByText(en.admin.none)).toBeNull();
  });

  it("takes an order for no filter", () => {
    known.search = { sort: "name" };
    show({ ...totals, clusters: 0 });
    expect(screen.getByText(en.admin.none)).toBeTruthy();
  });
});
