// A cluster's health: what is wrong comes with what to do about it.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Cluster, Condition } from "../src/api/types";
import { OverviewTab } from "../src/features/cluster/OverviewTab";
import en from "../src/locales/en-US";
import { inEnglish } from "./english";

vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useParams: () => ({ id: "c1" }) }));

beforeAll(inEnglish);

const wrong: Condition[] = [
  { type: "ControlPlaneHealthy", status: "False", reason: "MastersNotReady", message: "m-2", since: "2026-01-01T00:00:00Z", code: "KCS-CMP-010" },
  { type: "AddonsHealthy", status: "False", reason: "NotReady", message: "storage", since: "2026-01-01T00:00:00Z", code: "KCS-ADDON-001" },
];
const cluster = {
  id: "c1",
  name: "shop",
  spec: { version: "v1.36.3", network: { external_network: "public" }, node_pools: [], deletion_protection: false },
  status: { phase: "Degraded", conditions: wrong, masters_ready: 2, nodes_ready: 3 },
  permissions: [],
  created_at: "2026-01-01T00:00:00Z",
} as unknown as Cluster;

beforeEach(() => {
  const items: Record<string, unknown> = { "/api/v1/clusters/{id}": cluster };
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
