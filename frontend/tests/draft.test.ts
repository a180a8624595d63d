// The full form: from a specification, to a request, and what it refuses itself.
import { describe, expect, it } from "vitest";
import type { ClusterSpec } from "../src/api/types";
import { addPool, draftErrors, draftFromSpec, nameError, nextPool, parseCidr, poolNameError, poolRequest, requestFromDraft, specFromDraft } from "../src/features/create/draft";

const spec: ClusterSpec = {
  version: "v1.36.3",
  network: { external_network: "net", node_cidr: "10.0.0.0/24", pod_cidr: "172.20.0.0/16", service_cidr: "10.254.0.0/16", dns_servers: ["8.8.8.8", "1.1.1.1"] },
  control_plane: { count: 3, flavor: "m1.large", root_volume_gib: 40, volume_type: "ssd", zones: ["az1"] },
  node_pools: [
    { name: "default", flavor: "m1.medium", count: 2, root_volume_gib: 20, volume_type: null, zones: [], labels: { team: "shop" }, taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] },
  ],
  deletion_protection: true,
  addons: { pod_network: true, cloud_controller: true, storage: false, metrics: true, ingress: true, isolate_namespaces: true },
  repair: "manual",
};

describe("a pool alone", () => {
  it("is like the last one, under a free name", () => {
    const there = [{ name: "default", flavor: "a", rootVolumeGib: 20, volumeType: "" }, { name: "pool-3", flavor: "b", rootVolumeGib: 60, volumeType: "ssd" }];
    expect(poolRequest(nextPool(there))).toMatchObject({ name: "pool-4", flavor: "b", count: 1, root_volume_gib: 60, volume_type: "ssd" });
  });

  it("needs a name that no other pool has", () => {
    const taken = new Set(["default"]);
    expect(poolNameError("gpu", taken)).toBeUndefined();
    expect(poolNameError(" default ", taken)).toBe("create.invalid.poolNameTaken");
    expect(poolNameError("control-plane", taken)).toBe("create.invalid.poolNameTaken");
    expect(poolNameError("GPU", taken)).toBe("create.invalid.poolName");
  });
});

describe("the form", () => {
  it("gives back the specification it was filled from", () => {
    const request = requestFromDraft("web", draftFromSpec(spec));
    expect(request.name).toBe("web");
    expect(request.spec).toEqual({
      ...spec,
      node_pools: [{ ...spec.node_pools[0], volume_type: undefined }],
    });
  });

  it("leaves the version open where a template shall take the newest", () => {
    expect(specFromDraft({ ...draftFromSpec(spec), version: "" }).version).toBeUndefined();
  });

  it("gives back networks that stand already, restricted APIs, sites and disks", () => {
    const rich: ClusterSpec = {
      ...spec,
      network: { ...spec.network, existing: { network_id: "n", subnet_id: "s", router_addresses: [] } },
      api: { exposure: "restricted", allowed_cidrs: ["192.0.2.0/24"], client_timeout_seconds: 3600, member_timeout_seconds: 7200, provider: "amphora" },
      audit: { level: "request" },
      ntp_servers: ["ntp.example.com"],
      proxy: { http: "http://proxy:3128", no_proxy: [".example.com"] },
      registry_mirror: "mirror.example.com",
      ca_certificates: ["-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nB\n-----END CERTIFICATE-----"],
      node_pools: [{ name: "default", flavor: "m", count: 1, root_volume_gib: 0, data_volumes: [{ name: "data", size_gib: 7, type: "ssd", mount_path: "/srv" }], image: "gpu", key_pair: "mine", anti_affinity: false }],
    };
    const sent = requestFromDraft("web", draftFromSpec(rich)).spec;
    expect(sent?.network?.existing).toEqual({ network_id: "n", subnet_id: "s" });
    expect(sent?.network?.node_cidr).toBeUndefined();
    expect(sent?.api).toEqual({ exposure: "restricted", allowed_cidrs: ["192.0.2.0/24"], client_timeout_seconds: 3600, member_timeout_seconds: 7200, provider: "amphora" });
    expect(sent?.audit).toEqual({ level: "request" });
    expect(sent?.ntp_servers).toEqual(rich.ntp_servers);
    expect(sent?.proxy).toEqual({ http: "http://proxy:3128", https: undefined, no_proxy: [".example.com"] });
    expect(sent?.registry_mirror).toBe("mirror.example.com");
    expect(sent?.ca_certificates).toEqual(rich.ca_certificates);
    expect(sent?.node_pools?.[0]).toMatchObject(rich.node_pools[0] ?? {});
  });

  it("keeps the provider of a load balancer that is as usual otherwise", () => {
    const draft = { ...draftFromSpec(spec), provider: "ovn" };
    expect(specFromDraft(draft).api).toMatchObject({ exposure: "public", provider: "ovn" });
  });

  it("asks who a restricted API lets in", () => {
    const draft = { ...draftFromSpec(spec), exposure: "restricted" as const };
    expect(draftErrors(draft)).toEqual({ "spec.api.allowed_cidrs": "create.invalid.allowedCidrs" });
    expect(draftErrors({ ...draft, allowedCidrs: "192.0.2.0/24, 198.51.100.7/32" })).toEqual({});
  });

  it("leaves out rows that were never filled in", () => {
    const draft = draftFromSpec(spec);
    const pool = draft.pools[0];
    if (!pool) throw new Error("the pool is gone");
    pool.labels.push({ key: " ", value: "" }, { key: "a", value: " b " });
    pool.taints = [...pool.taints, { key: "", value: "", effect: "NoExecute" }];
    const sent = requestFromDraft("web", draft).spec?.node_pools?.[0];
    expect(sent?.labels).toEqual({ team: "shop", a: "b" });
    expect(sent?.taints).toHaveLength(1);
  });

  it("adds pools under free names", () => {
    const one = addPool(draftFromSpec(spec).pools);
    const two = addPool(one);
    expect(two.map((pool) => pool.name)).toEqual(["default", "pool-2", "pool-3"]);
    expect(two[1]?.flavor).toBe("m1.medium");
    expect(new Set(two.map((pool) => pool.key)).size).toBe(3);
  });
});

describe("what it refuses", () => {
  it.each(["", "Web", "-web", "web-", "1web", "w".repeat(41), "we b", "wéb"])("name %j", (name) => expect(nameError(name)).toBeDefined());
  it.each(["w", "web", "web-1", "w".repeat(40)])("not name %j", (name) => expect(nameError(name)).toBeUndefined());

  it.each(["10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "256.0.0.0/8", "10.0.0.0/24/1", "010.0.0.0/8", "::/0", ""])("range %j", (text) => expect(parseCidr(text)).toBeNull());

  it("ranges that overlap, by the API's field names", () => {
    const draft = { ...draftFromSpec(spec), podCidr: "10.0.0.0/8" };
    expect(draftErrors(draft)).toEqual({ "spec.network.pod_cidr": "create.invalid.overlap", "spec.network.service_cidr": "create.invalid.overlap" });
  });

  it("pools without a name of their own", () => {
    const draft = draftFromSpec(spec);
    draft.pools = addPool(draft.pools);
    const second = draft.pools[1];
    if (second) second.name = "default";
    expect(draftErrors(draft)).toEqual({ "spec.node_pools[1].name": "create.invalid.poolNameTaken" });
  });

  it("nothing of what the template says", () => expect(draftErrors(draftFromSpec(spec))).toEqual({}));
});
