// A cluster's objects in the cloud, and what others put beside them.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import { ObjectsTab } from "../src/features/cluster/ObjectsTab";
import en from "../src/locales/en-US";
import { inEnglish } from "./english";

vi.mock("@tanstack/react-router", () => ({ useParams: () => ({ id: "c1" }) }));

beforeAll(inEnglish);

function show(added_rules: unknown[] | undefined) {
  const cluster = { id: "c1", status: { phase: "Running", conditions: [], masters_ready: 1, nodes_ready: 1, added_rules } };
  const items: Record<string, unknown> = { "/api/v1/clusters/{id}": cluster };
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
