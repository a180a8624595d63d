// A cluster's objects in the cloud, and what others put beside them.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Phase, Resource } from "../src/api/types";
import { ObjectsTab } from "../src/features/cluster/ObjectsTab";
import { en, inEnglish } from "./english";

vi.mock("@tanstack/react-router", () => ({ useParams: () => ({ id: "c1" }) }));

beforeAll(inEnglish);

function show(added_rules: unknown[] | undefined, resources: Resource[] = [], phase: Phase = "Running") {
  const cluster = { id: "c1", status: { phase, conditions: [], masters_ready: 1, nodes_ready: 1, added_rules } };
  const items: Record<string, unknown> = { "/api/v1/clusters/{id}": cluster, "/api/v1/clusters/{id}/resources": { items: resources } };
  vi.spyOn(client, "GET").mockImplementation((async (path: string) => ({ data: items[path] ?? { items: [] } })) as unknown as typeof client.GET);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ObjectsTab />
    </QueryClientProvider>,
  );
}

describe("rules that others added", () => {
  it("are listed with the word that they are left alone", async () => {
    show([{ group: "kcs-c1-worker", direction: "ingress", ip_version: 4, protocol: "tcp", first_port: 8000, last_port: 8010, peer: "192.0.2.0/24" }]);
    expect(await screen.findByText(en.cluster.rules.text)).toBeTruthy();
    for (const text of ["kcs-c1-worker", "8000–8010", "192.0.2.0/24"]) expect(screen.getByText(text)).toBeTruthy();
  });

  it("have a type and a code where they are of ICMP, which has no ports", async () => {
    show([{ group: "kcs-c1-worker", direction: "ingress", ip_version: 4, protocol: "icmp", first_port: 8, last_port: 0 }]);
    expect(await screen.findByText("Type 8, code 0")).toBeTruthy();
    expect(screen.getByText(en.cluster.rules.anyone)).toBeTruthy();
  });

  it("are not spoken of where there are none", async () => {
    show(undefined);
    expect(await screen.findByText(en.cluster.objects.none)).toBeTruthy();
    expect(screen.queryByText(en.cluster.rules.title)).toBeNull();
  });
});

const made = (name: string, health: Resource["health"]): Resource => ({ kind: "security_group", name, state: "known", created_at: "2026-01-01T00:00:00Z", health });
const row = async (name: string) => (await screen.findByText(name)).closest("tr") as HTMLElement;

describe("a cloud object", () => {
  const since = "2026-01-02T00:00:00Z";
  const drifted: Resource["health"] = { status: "False", reason: "Drifted", since, code: "KCS-CLOUD-006" };

  it("that is not well comes with why, since when, and what to do about it", async () => {
    show(undefined, [made("kcs-worker", drifted), made("kcs-master", { status: "True", reason: "Well" })], "Degraded");
    const unwell = await row("kcs-worker");
    expect(within(unwell).getByText(en.status.conditionStatus.False)).toBeTruthy();
    expect(within(unwell).getByText(en.status.objectReason.Drifted)).toBeTruthy();
    expect(unwell.querySelector(`time[datetime="${since}"]`)?.parentElement?.textContent).toContain(en.cluster.since);
    expect(screen.getByText("KCS-CLOUD-006").closest(".fault")?.textContent).toContain(en.error["KCS-CLOUD-006"].remedy);
    expect(within(await row("kcs-master")).getByText(en.status.conditionStatus.True)).toBeTruthy();
  });

  it("that nobody can look at is unknown, which asks nothing of anybody", async () => {
    show(undefined, [made("kcs-worker", { status: "Unknown", reason: "Blind", since, code: "KCS-CLOUD-001" })]);
    const unseen = await row("kcs-worker");
    expect(within(unseen).getByText(en.status.conditionStatus.Unknown)).toBeTruthy();
    expect(within(unseen).getByText(en.status.objectReason.Blind)).toBeTruthy();
    expect(screen.queryByText("KCS-CLOUD-001")).toBeNull();
  });

  it("that a change has not come to yet is no fault", async () => {
    show(undefined, [made("kcs-worker", drifted)], "Updating");
    // The object is there before the cluster's phase is.
    expect(await within(await row("kcs-worker")).findByText(en.status.conditionStatus.busy)).toBeTruthy();
    expect(screen.queryByText("KCS-CLOUD-006")).toBeNull();
  });

  it("whose reason only a newer program knows shows the word as it is", async () => {
    show(undefined, [made("kcs-worker", { status: "False", reason: "Haunted", since })]);
    expect(within(await row("kcs-worker")).getByText("Haunted")).toBeTruthy();
  });
});
