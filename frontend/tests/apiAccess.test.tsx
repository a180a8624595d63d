// Who may connect to a cluster's API: what is shown of it, who is offered to change it, what is asked for, and who is warned.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import { sessionKey } from "../src/api/session";
import type { Cluster, Session } from "../src/api/types";
import { ApiAccess } from "../src/features/cluster/ApiAccess";
import { en, inEnglish } from "./english";
import { press } from "./press";
import { refusal } from "./refusal";
import { running } from "./shop";

const navigate = vi.hoisted(() => vi.fn());
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => navigate }));

beforeAll(inEnglish);
beforeEach(() => vi.restoreAllMocks());

const shop = running({ api: { exposure: "public", allowed_cidrs: [] } }, "cluster_update");
const restricted = { ...shop.spec, api: { exposure: "restricted", allowed_cidrs: ["192.0.2.0/24", "198.51.100.0/25"] } } as Cluster["spec"];

function show(cluster: Partial<Cluster> = {}, address?: string) {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity }, mutations: { retry: false } } });
  queries.setQueryData(sessionKey, { address } as unknown as Session);
  return render(
    <QueryClientProvider client={queries}>
      <ApiAccess cluster={{ ...shop, ...cluster }} />
    </QueryClientProvider>,
  );
}

const words = en.cluster.apiAccess;
const opener = () => screen.queryByRole("button", { name: words.change });

/** The dialog, its choices, its field of ranges once there is one, and its button that asks for the change. */
async function dialog() {
  fireEvent.click(opener() as HTMLElement);
  const inside = await screen.findByRole("dialog");
  const choose = (exposure: "public" | "restricted") => fireEvent.click(within(inside).getAllByRole("radio")[exposure === "public" ? 0 : 1] as HTMLElement);
  const ranges = () => within(inside).getByRole<HTMLInputElement>("textbox");
  const name = (value: string) => fireEvent.change(ranges(), { target: { value } });
  return { inside, choose, ranges, name, submit: within(inside).getByRole<HTMLButtonElement>("button", { name: words.change }) };
}

describe("who may connect to a cluster's API", () => {
  it("is told with the ranges, and not offered to who only looks, while something is under way, or where it has no address outside", () => {
    const { container, unmount } = show({ permissions: [], spec: restricted });
    for (const text of [en.create.exposureOf.restricted, "192.0.2.0/24, 198.51.100.0/25"]) expect(container.textContent).toContain(text);
    expect(opener()).toBeNull();
    unmount();
    const busy = show({ operation: { id: "o1", kind: "node_replace", state: "running", progress: 3 } });
    expect(opener()).toBeNull();
    busy.unmount();
    const inside = show({ spec: { ...shop.spec, api: { exposure: "private" } } as Cluster["spec"] });
    expect(inside.container.textContent).toBe(en.create.exposureOf.private);
    expect(opener()).toBeNull();
  });

  it("is limited to ranges, and the operation is opened", async () => {
    const patch = vi.spyOn(client, "PATCH").mockResolvedValue({ data: { operation: { id: "o2" } } } as never);
    show();
    const { inside, choose, name, submit } = await dialog();
    expect(submit.disabled).toBe(true);
    choose("restricted");
    expect(submit.disabled).toBe(true);
    name("192.0.2.7/24");
    expect(within(inside).getByText(en.create.invalid.allowedCidrs)).toBeTruthy();
    expect(submit.disabled).toBe(true);
    name("192.0.2.0/24, 198.51.100.0/25");
    expect(within(inside).queryByText(en.create.invalid.allowedCidrs)).toBeNull();
    await press(inside, words.change);
    await waitFor(() => expect(patch).toHaveBeenCalledWith("/api/v1/clusters/{id}/api-access", { params: { path: { id: "c1" } }, body: { exposure: "restricted", allowed_cidrs: ["192.0.2.0/24", "198.51.100.0/25"] } }));
    await waitFor(() => expect(navigate).toHaveBeenCalledWith({ to: "/operations/$id", params: { id: "o2" } }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("is opened to everybody without any range", async () => {
    const patch = vi.spyOn(client, "PATCH").mockResolvedValue({ data: { operation: { id: "o3" } } } as never);
    show({ spec: restricted });
    const { inside, choose, ranges, submit } = await dialog();
    expect([ranges().value, submit.disabled]).toEqual(["192.0.2.0/24, 198.51.100.0/25", true]);
    choose("public");
    expect(within(inside).queryByRole("textbox")).toBeNull();
    await press(inside, words.change);
    await waitFor(() => expect(patch).toHaveBeenCalledWith("/api/v1/clusters/{id}/api-access", { params: { path: { id: "c1" } }, body: { exposure: "public", allowed_cidrs: [] } }));
  });

  it("warns whose own address is in none of the ranges", async () => {
    show({}, "203.0.113.9");
    const { inside, choose, name } = await dialog();
    const warned = () => within(inside).queryByRole("status")?.textContent ?? "";
    choose("restricted");
    expect(warned()).toBe("");
    name("192.0.2.0/24");
    expect(warned()).toContain("203.0.113.9");
    name("192.0.2.0/24, 203.0.113.8/31");
    expect(warned()).toBe("");
    name("192.0.2.0/24");
    choose("public");
    expect(warned()).toBe("");
  });

  it("warns nobody of whom it knows no address that could be in a range", async () => {
    show({}, "2001:db8::9");
    const { inside, choose, name } = await dialog();
    choose("restricted");
    name("192.0.2.0/24");
    expect(within(inside).queryByRole("status")).toBeNull();
  });

  it("can be asked for again where it did not come about, and says why it is refused", async () => {
    vi.spyOn(client, "PATCH").mockRejectedValue(refusal(409, "KCS-CONF-002"));
    show({ spec: restricted, observed_generation: 2 });
    const { inside, name, submit } = await dialog();
    expect(submit.disabled).toBe(false);
    await press(inside, words.change);
    expect((await within(inside).findByRole("alert")).textContent).toContain("KCS-CONF-002");
    name("192.0.2.0/24");
    await waitFor(() => expect(within(inside).queryByRole("alert")).toBeNull());
  });
});
