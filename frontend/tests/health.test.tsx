// A cluster's health: what is wrong comes with what to do about it, and what nobody can tell is called unknown.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Cluster, ClusterNode, Condition } from "../src/api/types";
import { NodeStatus } from "../src/components/words";
import { NodesTab } from "../src/features/cluster/NodesTab";
import { OverviewTab } from "../src/features/cluster/OverviewTab";
import { en, inEnglish } from "./english";

vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useParams: () => ({ id: "c1" }) }));

beforeAll(inEnglish);

const wrong: Condition[] = [
  { type: "ControlPlaneHealthy", status: "False", reason: "MastersNotReady", message: "m-2", since: "2026-01-01T00:00:00Z", code: "KCS-CMP-010" },
  { type: "AddonsHealthy", status: "False", reason: "NotReady", message: "storage", since: "2026-01-01T00:00:00Z", code: "KCS-ADDON-001" },
];
const cluster = {
  id: "c1",
  name: "shop",
  spec: { version: "v1.36.3", network: { external_network: "public", dns_servers: [] }, node_pools: [], deletion_protection: false },
  status: { phase: "Degraded", conditions: wrong, masters_ready: 2, nodes_ready: 3 },
  permissions: [],
  created_at: "2026-01-01T00:00:00Z",
} as unknown as Cluster;

const time = "2026-01-01T00:00:00Z";
const node: ClusterNode = { id: "n1", name: "w-0", pool: "default", role: "worker", ready: null, removing: false, bootstrap: { state: "done", at: time } };
const lost = "2026-01-02T00:00:00Z";
const nodes: ClusterNode[] = [
  { ...node, ready: true, joined_at: time },
  { ...node, id: "n2", name: "w-1", ready: false, joined_at: time, unready_since: lost, unready_reason: "KubeletNotReady", unready_message: "runtime network not ready", unready_code: "KCS-CMP-010" },
];

beforeEach(() => {
  const items: Record<string, unknown> = { "/api/v1/clusters/{id}": cluster, "/api/v1/clusters/{id}/nodes": { items: nodes } };
  vi.spyOn(client, "GET").mockImplementation((async (path: string) => ({ data: items[path] ?? { items: [] } })) as unknown as typeof client.GET);
});

describe("a condition that is not well", () => {
  it("comes with its code and what to do about it", async () => {
    render(
      <QueryClientProvider client={new QueryClient()}>
        <OverviewTab />
      </QueryClientProvider>,
    );
    for (const code of ["KCS-CMP-010", "KCS-ADDON-001"] as const) {
      expect((await screen.findByText(code)).closest("p")?.textContent).toContain(en.error[code].remedy);
    }
  });
});

describe("a node", () => {
  const { unknown, notReady, ready, joining } = en.status.node;

  it.each([
    ["that has not joined yet", {}, joining],
    ["that is well", { ready: true, joined_at: time }, ready],
    ["of a cluster that does not answer", { joined_at: time }, unknown],
    ["that its cluster has lost sight of", { joined_at: time, unready_since: time }, notReady],
    ["that its cluster finds not ready", { ready: false, joined_at: time, unready_since: time }, notReady],
  ])("%s is called so", (_, more, word) => {
    render(<NodeStatus node={{ ...node, ...more }} />);
    expect(screen.getByText(word)).toBeTruthy();
  });

  it("that is not ready comes with since when, its cluster's own words, and what to do about it", async () => {
    const { container } = render(
      <QueryClientProvider client={new QueryClient()}>
        <NodesTab />
      </QueryClientProvider>,
    );
    expect((await screen.findByText("KCS-CMP-010")).closest(".fault")?.textContent).toContain(en.error["KCS-CMP-010"].remedy);
    expect(screen.getByText("KubeletNotReady: runtime network not ready")).toBeTruthy();
    const since = [...container.querySelectorAll(`time[datetime="${lost}"]`)].map((shown) => shown.parentElement?.textContent ?? "");
    expect(since).toEqual([expect.stringContaining(en.cluster.since)]);
  });
});
