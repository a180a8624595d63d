// What the plan of a delete says of each volume that a workload made, that each can be erased by itself, and that a delete is asked for once.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Cluster, DeletePlan } from "../src/api/types";
import DeleteDialog from "../src/features/cluster/DeleteDialog";
import { en, inEnglish } from "./english";

vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a> }));

beforeAll(inEnglish);

const plan: DeletePlan = {
  objects: [],
  services: [],
  blocked: [],
  api_reachable: true,
  volumes: [
    { id: "v-1", name: "pvc-1", size_gib: 10, claim: "shop/data", reclaim_policy: "retain", snapshots: ["nightly", "weekly"] },
    { id: "v-2", name: "pvc-2", size_gib: 20, snapshots: [] },
  ],
};

const open = (told: DeletePlan) => {
  vi.spyOn(client, "GET").mockImplementation((async () => ({ data: told })) as unknown as typeof client.GET);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <DeleteDialog cluster={{ id: "c1", name: "shop" } as Cluster} onClose={vi.fn()} onAccepted={vi.fn()} />
    </QueryClientProvider>,
  );
};

it("says what it means that the cluster cannot be asked, and only then", async () => {
  open({ ...plan, api_reachable: false });
  expect(await screen.findByText(en.cluster.del.unreachable)).toBeTruthy();
  cleanup();
  open(plan);
  await screen.findByRole("checkbox", { name: "Erase shop/data" });
  expect(screen.queryByText(en.cluster.del.unreachable)).toBeNull();
});

it("a volume says whose it is, what the cluster would do with it and what hangs on it, and is erased by its name", async () => {
  open(plan);
  const own = await screen.findByRole<HTMLInputElement>("checkbox", { name: "Erase shop/data" });
  const other = screen.getByRole<HTMLInputElement>("checkbox", { name: "Erase pvc-2" });
  for (const text of [en.cluster.del.reclaimOf.retain, "Snapshots: nightly, weekly"]) expect(screen.getByText(text)).toBeTruthy();
  expect(screen.queryByText(en.cluster.del.reclaimOf.delete)).toBeNull();
  fireEvent.click(own);
  expect([own.checked, other.checked]).toEqual([true, false]);
});

it("is asked for once, however often Enter is pressed meanwhile", async () => {
  const remove = vi.spyOn(client, "DELETE").mockImplementation((() => new Promise(() => undefined)) as unknown as typeof client.DELETE);
  open(plan);
  const name = await screen.findByRole("textbox");
  const submit = screen.getByRole("button", { name: new RegExp(`${en.cluster.del.submit}$`) });
  const enter = () => {
    fireEvent.keyDown(name, { key: "Enter" });
    fireEvent.keyUp(name, { key: "Enter" });
  };
  fireEvent.change(name, { target: { value: "shop" } });
  enter();
  await waitFor(() => expect(submit.classList).toContain("ant-btn-loading"));
  await act(async () => enter());
  expect(remove).toHaveBeenCalledOnce();
});
