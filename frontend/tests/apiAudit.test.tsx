// The audit of a cluster's own API: what is shown of it, who is offered to change it and when, and what is asked for.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Cluster } from "../src/api/types";
import { ApiAudit } from "../src/features/cluster/ApiAudit";
import { en, inEnglish } from "./english";
import { press } from "./press";
import { refusal } from "./refusal";
import { running } from "./shop";

const navigate = vi.hoisted(() => vi.fn());
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => navigate }));

beforeAll(inEnglish);
beforeEach(() => vi.restoreAllMocks());

const shop = running({ audit: { level: "none" } }, "cluster_repair");

function show(cluster: Partial<Cluster> = {}) {
  return render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { mutations: { retry: false } } })}>
      <ApiAudit cluster={{ ...shop, ...cluster }} />
    </QueryClientProvider>,
  );
}

const opener = () => screen.queryByRole("button", { name: en.cluster.apiAudit.change });

/** The dialog, and its button that asks for the change. */
async function dialog() {
  fireEvent.click(opener() as HTMLElement);
  const inside = await screen.findByRole("dialog");
  return { inside, submit: within(inside).getByRole<HTMLButtonElement>("button", { name: en.cluster.apiAudit.change }) };
}

describe("the audit of a cluster's API", () => {
  it("is told with where it lies, and cannot be changed by who only looks or while something else is under way", () => {
    const { container, unmount } = show({ permissions: [], spec: { ...shop.spec, audit: { level: "metadata" } } });
    for (const text of [en.create.apiAuditOf.metadata, "/var/log/kubernetes/audit"]) expect(container.textContent).toContain(text);
    expect(opener()).toBeNull();
    unmount();
    // Whoever may change no more than settings does not have every master replaced.
    const settings = show({ permissions: ["cluster_update"] });
    expect(opener()).toBeNull();
    settings.unmount();
    show({ operation: { id: "o1", kind: "node_replace", state: "running", progress: 3 } });
    expect(opener()).toBeNull();
  });

  it("is asked for at another level, and the operation is opened", async () => {
    const patch = vi.spyOn(client, "PATCH").mockResolvedValue({ data: { operation: { id: "o2" } } } as never);
    show();
    const { inside, submit } = await dialog();
    expect(within(inside).getByText(en.cluster.apiAudit.rounds)).toBeTruthy();
    for (const level of ["none", "metadata", "request"] as const) expect(within(inside).getByText(en.create.apiAuditHint[level])).toBeTruthy();
    expect(submit.disabled).toBe(true);
    fireEvent.click(within(inside).getAllByRole("radio")[2] as HTMLElement);
    expect(submit.disabled).toBe(false);
    await press(inside, en.cluster.apiAudit.change);
    await waitFor(() => expect(patch).toHaveBeenCalledWith("/api/v1/clusters/{id}/api-audit", { params: { path: { id: "c1" } }, body: { level: "request" } }));
    await waitFor(() => expect(navigate).toHaveBeenCalledWith({ to: "/operations/$id", params: { id: "o2" } }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("can be asked for again where it did not come about", async () => {
    show({ observed_generation: 2 });
    expect((await dialog()).submit.disabled).toBe(false);
  });

  it("says why it is refused until another level is chosen", async () => {
    vi.spyOn(client, "PATCH").mockRejectedValue(refusal(409, "KCS-QUOTA-001"));
    show();
    const { inside } = await dialog();
    fireEvent.click(within(inside).getAllByRole("radio")[1] as HTMLElement);
    await press(inside, en.cluster.apiAudit.change);
    expect((await within(inside).findByRole("alert")).textContent).toContain("KCS-QUOTA-001");
    fireEvent.click(within(inside).getAllByRole("radio")[2] as HTMLElement);
    await waitFor(() => expect(within(inside).queryByRole("alert")).toBeNull());
  });
});
