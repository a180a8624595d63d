// What a running cluster was made with can be read again: nothing that was chosen is left out, and what is as usual takes no line.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { client } from "../src/api/client";
import type { Cluster, ClusterSpec, NodePool } from "../src/api/types";
import { NodesTab } from "../src/features/cluster/NodesTab";
import { OverviewTab } from "../src/features/cluster/OverviewTab";
import { en, inEnglish } from "./english";

vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useParams: () => ({ id: "c1" }) }));

beforeAll(inEnglish);

const usual: ClusterSpec = {
  version: "v1.36.3",
  network: { external_network: "public", node_cidr: "10.6.0.0/24", pod_cidr: "172.20.0.0/16", service_cidr: "10.254.0.0/16", dns_servers: [] },
  control_plane: { count: 1, flavor: "m1.large", root_volume_gib: 20, zones: [] },
  node_pools: [{ name: "default", flavor: "m1.medium", count: 1, root_volume_gib: 20 }],
  deletion_protection: false,
};
const particular: ClusterSpec = {
  ...usual,
  network: { ...usual.network, existing: { network_id: "net-7", subnet_id: "sub-7", router_addresses: [] }, dns_servers: ["10.0.0.53", "10.0.1.53"] },
  api: { exposure: "restricted", allowed_cidrs: ["192.0.2.0/24"], provider: "ovn", client_timeout_seconds: 7200, member_timeout_seconds: 900 },
  control_plane: { ...usual.control_plane, image: "golden-master", key_pair: "operations" },
  node_pools: [{ name: "default", flavor: "m1.medium", count: 1, root_volume_gib: 0, image: "golden-gpu", key_pair: "laptop", anti_affinity: false, data_volumes: [{ name: "scratch", size_gib: 70, type: "ssd", mount_path: "/srv" }] }],
  ntp_servers: ["ntp.example.com"],
  proxy: { http: "http://proxy:3128", https: "http://proxy:3129", no_proxy: [".example.com"] },
  registry_mirror: "mirror.example.com",
  ca_certificates: ["one", "two"],
  addons: { pod_network: true, cloud_controller: true, storage: true, metrics: true, ingress: false, isolate_namespaces: true },
};
const pools: NodePool[] = [
  { name: "control-plane", role: "master", flavor: "m1.large", root_volume_gib: 20, volume_type: "slow", desired: 1, current: 1, ready: 1, zones: [], labels: {}, taints: [] },
  { name: "default", role: "worker", flavor: "m1.medium", root_volume_gib: 0, desired: 1, current: 1, ready: 1, zones: [], labels: {}, taints: [] },
];

/** The text of a page about a cluster of this specification. */
async function text(spec: ClusterSpec, page: ReactNode, until: string, networks: object[] = []): Promise<string> {
  const cluster = { id: "c1", name: "shop", spec, status: { phase: "Running", conditions: [], masters_ready: 1, nodes_ready: 1 }, permissions: [], created_at: "2026-01-01T00:00:00Z" } as unknown as Cluster;
  const items: Record<string, unknown> = { "/api/v1/clusters/{id}": cluster, "/api/v1/clusters/{id}/node-pools": { items: pools }, "/api/v1/project-networks": { items: networks } };
  vi.spyOn(client, "GET").mockImplementation((async (path: string) => ({ data: items[path] ?? { items: [] } })) as unknown as typeof client.GET);
  const { container } = render(<QueryClientProvider client={new QueryClient()}>{page}</QueryClientProvider>);
  await waitFor(() => expect(container.textContent).toContain(until));
  return container.textContent ?? "";
}

describe("the specification of a cluster", () => {
  it("says everything that was chosen", async () => {
    const shown = await text(particular, <OverviewTab />, usual.version);
    const words = ["net-7", "sub-7", "10.0.0.53, 10.0.1.53", en.create.exposureOf.restricted, "192.0.2.0/24", "ovn", "7200 s", "900 s", "ntp.example.com", "http://proxy:3128", "http://proxy:3129", ".example.com", "mirror.example.com", "2 of its own", en.create.addon.isolate_namespaces];
    for (const word of words) expect(shown).toContain(word);
  });

  it("names the network that it was put into", async () => {
    const shown = await text(particular, <OverviewTab />, "office-4", [{ id: "net-7", name: "office", shared: false, subnets: [{ id: "sub-7", name: "office-4", cidr: "10.6.0.0/24" }] }]);
    expect(shown).not.toContain("net-7");
    expect(shown).not.toContain("sub-7");
  });

  it("is short where everything is as usual", async () => {
    const shown = await text(usual, <OverviewTab />, usual.version);
    expect(shown).toContain(en.create.exposureOf.public);
    for (const label of [en.create.dnsServers, en.create.allowedCidrs, en.create.provider, en.create.clientTimeout, en.create.httpProxy, en.create.caCertificates]) expect(shown).not.toContain(label);
  });
});

describe("a pool", () => {
  it("says what its machines and disks are", async () => {
    const shown = await text(particular, <NodesTab />, "m1.medium");
    for (const word of ["golden-master", "operations", "20 GiB · slow", "golden-gpu", "laptop", en.cluster.pools.sharedHosts, en.cluster.pools.localDisk, "scratch · 70 GiB · ssd · /srv"]) expect(shown).toContain(word);
    expect(shown).not.toContain("0 GiB · m");
  });
});
