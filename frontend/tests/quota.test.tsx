// Quota: a request asks for more than there is, an answer says why, and what is set of a tenant names just what differs from everybody's.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { askForMore, withdrawQuotaRequest } from "../src/api/quota";
import { decideRequest, setTenant } from "../src/api/tenants";
import type { AdminTenant, Check, Limited, LimitUse, QuotaRequest } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { CheckList } from "../src/features/create/PlanPanel";
import { askBody, askErrors } from "../src/features/quota/askDraft";
import { QuotaPage } from "../src/features/quota/QuotaPage";
import { draftErrors, draftOf, tenantRequest } from "../src/features/tenants/tenantDraft";
import { TenantsPage } from "../src/features/tenants/TenantsPage";
import { press } from "./press";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ permissions: [] as string[], operator: true, requests: [] as unknown[], tenants: [] as unknown[], limits: [] as unknown[], search: {} as object }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children, to }: { children: ReactNode; to: string }) => <a href={to}>{children}</a>, useNavigate: () => vi.fn(), useSearch: () => known.search }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ permissions: known.permissions, roles: [], operator: known.operator, user: { id: "u" } }) }));
vi.mock("../src/api/catalogue", () => ({
  useFlavors: () => ({ data: { items: [{ name: "m1" }, { name: "m2" }] } }),
  useVersions: () => ({ data: { items: [{ version: "v1.36.3" }] } }),
  useExternalNetworks: () => ({ data: { items: [{ id: "n1", name: "public" }] } }),
}));
vi.mock("../src/api/quota", () => ({
  quotaKey: ["quota"],
  quotaRequestsKey: ["quota-requests"],
  useQuota: () => ({ data: { limits: known.limits, allowed: { external_networks: ["n1"] }, partial: false } }),
  useQuotaRequests: () => ({ data: { items: known.requests } }),
  askForMore: vi.fn(),
  withdrawQuotaRequest: vi.fn(),
}));
vi.mock("../src/api/tenants", () => ({
  tenantsKey: ["tenants"],
  tenantRequestsKey: ["tenant-requests"],
  useTenants: () => ({ data: { items: known.tenants, total: known.tenants.length } }),
  useTenant: () => ({ data: known.tenants[0] }),
  useTenantRequests: () => ({ data: { items: known.requests, total: known.requests.length } }),
  setTenant: vi.fn(),
  decideRequest: vi.fn(),
}));

beforeAll(inEnglish);

const limits: LimitUse[] = [
  { resource: "clusters", used: 3, limit: 8 },
  { resource: "nodes", used: 20, limit: 24 },
  { resource: "vcpus", used: 80, limit: null },
];
const request: QuotaRequest = { id: "q1", project: { id: "p1", name: "tenant-a" }, wanted: { nodes: 60 }, reason: "the season", state: "pending", created_at: "2026-01-01T00:00:00Z", created_by: "ada" };
const rows = (own: Partial<Record<Limited, number | null>>) => limits.map(({ resource, used }) => ({ resource, used, limit: own[resource] ?? (resource in own ? null : 20), own: resource in own, installation: 20 }));
const tenant: AdminTenant = { id: "p1", name: "tenant-a", limits: rows({ nodes: 24, vcpus: null }), allowed: { flavors: ["m2", "private"] }, asks: true };

beforeEach(() => {
  vi.resetAllMocks();
  Object.assign(known, { permissions: ["quota_request"], operator: true, requests: [], tenants: [tenant], limits, search: {} });
});

function show(page: ReactNode) {
  return render(
    <QueryClientProvider client={new QueryClient()}>
      <ToastHost>{page}</ToastHost>
    </QueryClientProvider>,
  );
}

describe("a request", () => {
  it("asks for what was filled in, and more than there is", () => {
    const draft = { wanted: { clusters: 12, nodes: null }, reason: " why " };
    expect(askBody(draft)).toEqual({ wanted: { clusters: 12 }, reason: "why" });
    expect(askErrors(draft, limits)).toEqual({});
    expect(askErrors({ wanted: { nodes: 24 }, reason: "" }, limits)).toEqual({ "wanted.nodes": { key: "quota.notMore", limit: 24 }, reason: { key: "common.required" } });
    expect(askErrors({ wanted: {}, reason: "x" }, limits)).toEqual({ "wanted.clusters": { key: "quota.nothing" } });
  });

  it("is sent once it is whole, and says at its field what the server has against it", async () => {
    show(<QuotaPage />);
    fireEvent.click(screen.getByRole("button", { name: new RegExp(en.quota.ask) }));
    const dialog = await screen.findByRole("dialog");
    const send = () => press(dialog, en.quota.send);
    expect(within(dialog).queryByLabelText(en.create.quota.vcpus)).toBeNull();
    await send();
    expect(await within(dialog).findByText(en.quota.nothing)).toBeTruthy();
    expect(askForMore).not.toHaveBeenCalled();
    fireEvent.change(within(dialog).getByLabelText(en.create.quota.nodes), { target: { value: "60" } });
    fireEvent.change(within(dialog).getByLabelText(en.quota.reason), { target: { value: "the season" } });
    vi.mocked(askForMore).mockRejectedValueOnce(refusal(400, "KCS-INPUT-001", [{ field: "wanted.nodes", message: "must be less" }]));
    await send();
    expect(await within(dialog).findByText(/must be less/)).toBeTruthy();
    vi.mocked(askForMore).mockRejectedValueOnce(refusal(409, "KCS-QUOTA-007"));
    await send();
    expect((await within(dialog).findByRole("alert")).textContent).toContain(en.error["KCS-QUOTA-007"].title);
    vi.mocked(askForMore).mockResolvedValueOnce(request);
    await send();
    expect(await screen.findByText(en.quota.sent)).toBeTruthy();
    expect(askForMore).toHaveBeenLastCalledWith({ wanted: { nodes: 60 }, reason: "the season" });
  });

  it("that waits can be withdrawn, and no other be made meanwhile", async () => {
    known.requests = [request, { ...request, id: "q2", state: "declined", words: "no room", decided_by: "olga", decided_at: "2026-01-02T00:00:00Z" }];
    show(<QuotaPage />);
    expect(screen.queryByRole("button", { name: new RegExp(en.quota.ask) })).toBeNull();
    for (const text of [en.quota.waits, "no room", "public"]) expect(screen.getByText(text)).toBeTruthy();
    expect(screen.getAllByRole("button", { name: en.quota.withdraw })).toHaveLength(1);
    fireEvent.click(screen.getByRole("button", { name: en.quota.withdraw }));
    const dialog = await screen.findByRole("dialog");
    vi.mocked(withdrawQuotaRequest).mockResolvedValueOnce({ ...request, state: "withdrawn" });
    fireEvent.click(within(dialog).getByRole("button", { name: en.quota.withdraw }));
    expect(await screen.findByText(en.quota.withdrawn)).toBeTruthy();
    expect(withdrawQuotaRequest).toHaveBeenCalledWith("q1");
  });

  it("is offered to nobody who may not make one, or has no limit", () => {
    known.permissions = [];
    const { unmount } = show(<QuotaPage />);
    expect(screen.queryByRole("button")).toBeNull();
    unmount();
    Object.assign(known, { permissions: ["quota_request"], limits: [limits[2]] });
    show(<QuotaPage />);
    expect(screen.getByText(en.quota.unlimited)).toBeTruthy();
  });
});

describe("an answer", () => {
  it("that declines says why", async () => {
    Object.assign(known, { requests: [request], search: { tab: "requests" } });
    show(<TenantsPage />);
    fireEvent.click(screen.getByRole("button", { name: "Decline what tenant-a asks for" }));
    const dialog = await screen.findByRole("dialog");
    fireEvent.click(within(dialog).getByRole("button", { name: en.admin.tenants.decline }));
    expect(await within(dialog).findByText(en.common.required)).toBeTruthy();
    expect(decideRequest).not.toHaveBeenCalled();
    fireEvent.change(within(dialog).getByLabelText(en.admin.tenants.words), { target: { value: " no room " } });
    vi.mocked(decideRequest).mockResolvedValueOnce({ ...request, state: "declined" });
    fireEvent.click(within(dialog).getByRole("button", { name: en.admin.tenants.decline }));
    await waitFor(() => expect(decideRequest).toHaveBeenCalledWith("q1", { answer: "decline", words: "no room" }));
  });

  it("that approves shows what there is now, and needs no words", async () => {
    Object.assign(known, { requests: [request], search: { tab: "requests" } });
    show(<TenantsPage />);
    fireEvent.click(screen.getByRole("button", { name: "Approve what tenant-a asks for" }));
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain("Nodes: 60");
    expect(dialog.textContent).toContain("20 / 24");
    vi.mocked(decideRequest).mockResolvedValueOnce({ ...request, state: "approved" });
    fireEvent.click(within(dialog).getByRole("button", { name: en.admin.tenants.approve }));
    await waitFor(() => expect(decideRequest).toHaveBeenCalledWith("q1", { answer: "approve", words: "" }));
  });
});

describe("what a tenant may have", () => {
  const flavors = new Set(["m1", "m2"]);

  it("is sent again as it is, unless something is changed", () => {
    const draft = draftOf(tenant, flavors);
    expect(draft.otherFlavors).toBe("private");
    expect(tenantRequest(draft)).toEqual({ limits: { nodes: 24, vcpus: null }, allowed: { flavors: ["m2", "private"] } });
    const all = { ...draft, allowed: { ...draft.allowed, flavors: { only: false, chosen: new Set(["m2"]) } } };
    expect(tenantRequest(all).allowed).toEqual({});
  });

  it("allows something, and has a figure where it is the tenant's own", () => {
    const draft = draftOf(tenant, flavors);
    draft.allowed.versions = { only: true, chosen: new Set() };
    draft.limits.nodes = { mode: "own", value: null };
    expect(draftErrors(draft)).toEqual({ "limits.nodes": "common.required", "allowed.versions": "admin.tenants.nothing" });
    expect(draftErrors(draftOf(tenant, flavors))).toEqual({});
  });

  it("is set in a dialog that says what would be below what is used", async () => {
    show(<TenantsPage />);
    fireEvent.click(screen.getByRole("button", { name: "Set quota of tenant-a" }));
    const dialog = await screen.findByRole("dialog");
    const own = within(dialog).getByLabelText("Nodes: own limit");
    fireEvent.change(own, { target: { value: "5" } });
    expect(within(dialog).getByText(en.admin.tenants.below)).toBeTruthy();
    fireEvent.change(within(dialog).getByLabelText(en.create.quota.clusters), { target: { value: "none" } });
    vi.mocked(setTenant).mockResolvedValueOnce(tenant);
    fireEvent.click(within(dialog).getByRole("button", { name: en.admin.tenants.save }));
    await waitFor(() => expect(setTenant).toHaveBeenCalledWith("p1", { limits: { clusters: null, nodes: 5, vcpus: null }, allowed: { flavors: ["m2", "private"] } }));
  });

  it("is shown with what the tenant costs, where there is a price list", () => {
    const { unmount } = show(<TenantsPage />);
    expect(screen.queryByText(en.cost.column)).toBeNull();
    unmount();
    known.tenants = [{ ...tenant, cost: { currency: "EUR", per_hour: 0.492, unpriced: ["gpu"] } }];
    show(<TenantsPage />);
    expect(screen.getAllByText(en.cost.column).length).toBeGreaterThan(0);
    expect(screen.getByText(/0\.492/).textContent).toContain("€");
    expect(screen.getByText(en.cost.unpriced.replace("{{names}}", "gpu"))).toBeTruthy();
  });

  it("is nobody's affair but operators'", () => {
    known.operator = false;
    show(<TenantsPage />);
    expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
    expect(screen.queryByText("tenant-a")).toBeNull();
  });
});

it("a plan that a limit stands against leads to where more is asked for", () => {
  const check = { key: "tenant_quota", level: "blocked", code: "KCS-QUOTA-005", message: "short", params: { resource: "nodes", need: 3, used: 20, limit: 22 } } as unknown as Check;
  render(<CheckList checks={[check]} />);
  expect(screen.getByText("Nodes: 3 more needed, 20 of 22 used")).toBeTruthy();
  expect(screen.getByRole("link", { name: en.quota.toPage }).getAttribute("href")).toBe("/quota");
});
