// The full form's values, how they come from a specification and become a request, and what the console checks itself before it asks the server.
import type { ClusterRequest, ClusterSpec, NodePoolSpec, Taint } from "../../api/types";

export interface PoolDraft {
  /** Tells pools apart while their names are being typed. */
  key: number;
  name: string;
  flavor: string;
  count: number;
  rootVolumeGib: number;
  volumeType: string;
  zones: string[];
  labels: { key: string; value: string }[];
  taints: Taint[];
}

export interface Draft {
  version: string;
  externalNetwork: string;
  nodeCidr: string;
  podCidr: string;
  serviceCidr: string;
  dnsServers: string;
  masters: number;
  masterFlavor: string;
  masterVolumeGib: number;
  masterVolumeType: string;
  masterZones: string[];
  pools: PoolDraft[];
  deletionProtection: boolean;
}

let nextKey = 1;

export function draftFromSpec(spec: ClusterSpec): Draft {
  return {
    version: spec.version,
    externalNetwork: spec.network.external_network,
    nodeCidr: spec.network.node_cidr,
    podCidr: spec.network.pod_cidr,
    serviceCidr: spec.network.service_cidr,
    dnsServers: spec.network.dns_servers.join(", "),
    masters: spec.control_plane.count,
    masterFlavor: spec.control_plane.flavor,
    masterVolumeGib: spec.control_plane.root_volume_gib,
    masterVolumeType: spec.control_plane.volume_type ?? "",
    masterZones: spec.control_plane.zones,
    pools: spec.node_pools.map(poolFromSpec),
    deletionProtection: spec.deletion_protection,
  };
}

function poolFromSpec(pool: NodePoolSpec): PoolDraft {
  return {
    key: nextKey++,
    name: pool.name,
    flavor: pool.flavor,
    count: pool.count,
    rootVolumeGib: pool.root_volume_gib ?? 20,
    volumeType: pool.volume_type ?? "",
    zones: pool.zones ?? [],
    labels: Object.entries(pool.labels ?? {}).map(([key, value]) => ({ key, value })),
    taints: pool.taints ?? [],
  };
}

/** A further pool, like the last one but under a free name. */
export function addPool(pools: PoolDraft[]): PoolDraft[] {
  const last = pools.at(-1);
  const names = new Set(pools.map((pool) => pool.name));
  let number = pools.length + 1;
  while (names.has(`pool-${number}`)) number += 1;
  const next: PoolDraft = { key: nextKey++, name: `pool-${number}`, flavor: last?.flavor ?? "", count: 1, rootVolumeGib: last?.rootVolumeGib ?? 20, volumeType: last?.volumeType ?? "", zones: [], labels: [], taints: [] };
  return [...pools, next];
}

export function requestFromDraft(name: string, draft: Draft): ClusterRequest {
  return {
    name,
    spec: {
      version: draft.version,
      network: {
        external_network: draft.externalNetwork || undefined,
        node_cidr: draft.nodeCidr.trim(),
        pod_cidr: draft.podCidr.trim(),
        service_cidr: draft.serviceCidr.trim(),
        dns_servers: splitList(draft.dnsServers),
      },
      control_plane: {
        count: draft.masters,
        flavor: draft.masterFlavor,
        root_volume_gib: draft.masterVolumeGib,
        volume_type: draft.masterVolumeType || undefined,
        zones: draft.masterZones,
      },
      node_pools: draft.pools.map((pool) => ({
        name: pool.name.trim(),
        flavor: pool.flavor,
        count: pool.count,
        root_volume_gib: pool.rootVolumeGib,
        volume_type: pool.volumeType || undefined,
        zones: pool.zones,
        labels: Object.fromEntries(pool.labels.filter((label) => label.key.trim() !== "").map((label) => [label.key.trim(), label.value.trim()])),
        taints: pool.taints.filter((taint) => taint.key.trim() !== "").map((taint) => ({ ...taint, key: taint.key.trim(), value: taint.value?.trim() ?? "" })),
      })),
      deletion_protection: draft.deletionProtection,
    },
  };
}

export function splitList(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

/** A name no cluster has, for plans that are asked for before one is typed. */
export function standInName(): string {
  return "plan-preview";
}

/** Field path of the API → key of the text that says what is wrong. */
export type FieldErrors = Record<string, string>;

const NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;
const POOL_NAME = /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/;

export function nameError(name: string): string | undefined {
  if (name === "") return "common.required";
  return NAME.test(name) ? undefined : "create.invalid.name";
}

export interface Range {
  from: number;
  to: number;
}

export function parseIp(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function parseCidr(text: string): Range | null {
  const [address, prefix, rest] = text.trim().split("/");
  if (address === undefined || prefix === undefined || rest !== undefined || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return null;
  const from = parseIp(address);
  const size = 2 ** (32 - Number(prefix));
  return from === null || from % size !== 0 ? null : { from, to: from + size - 1 };
}

export function draftErrors(draft: Draft): FieldErrors {
  const errors: FieldErrors = {};
  const ranges: [string, Range][] = [];
  for (const [field, text] of [
    ["spec.network.node_cidr", draft.nodeCidr],
    ["spec.network.pod_cidr", draft.podCidr],
    ["spec.network.service_cidr", draft.serviceCidr],
  ] as const) {
    const range = parseCidr(text);
    if (!range) errors[field] = "create.invalid.cidr";
    else {
      if (ranges.some(([, other]) => range.from <= other.to && other.from <= range.to)) errors[field] = "create.invalid.overlap";
      ranges.push([field, range]);
    }
  }
  if (splitList(draft.dnsServers).some((server) => parseIp(server) === null)) errors["spec.network.dns_servers"] = "create.invalid.dns";
  const names = new Set<string>();
  draft.pools.forEach((pool, index) => {
    const name = pool.name.trim();
    if (!POOL_NAME.test(name)) errors[`spec.node_pools[${index}].name`] = "create.invalid.poolName";
    else if (name === "control-plane" || names.has(name)) errors[`spec.node_pools[${index}].name`] = "create.invalid.poolNameTaken";
    names.add(name);
  });
  return errors;
}
