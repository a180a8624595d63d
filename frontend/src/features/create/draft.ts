// The full form's values, how they come from a specification and become a request, and what the console checks itself before it asks the server.
import type { AddonsSpec, ApiAuditLevel, ApiExposure, ClusterRequest, ClusterSpec, ClusterSpecRequest, NodePoolSpec, RepairPolicy, Taint } from "../../api/types";
import { IDLE_SECONDS } from "./idle";

export interface VolumeDraft {
  /** Tells volumes apart while their names are being typed. */
  key: number;
  name: string;
  sizeGib: number;
  type: string;
  mountPath: string;
}

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
  image: string;
  keyPair: string;
  dataVolumes: VolumeDraft[];
  /** Undecided: as far as the quota of server groups lets. */
  antiAffinity: boolean | undefined;
}

export interface Draft {
  /** Empty, in a template: the newest current one when a cluster is made of it. */
  version: string;
  externalNetwork: string;
  /** Empty: a new network is made. */
  network: string;
  subnet: string;
  nodeCidr: string;
  podCidr: string;
  serviceCidr: string;
  dnsServers: string;
  masters: number;
  masterFlavor: string;
  masterVolumeGib: number;
  masterVolumeType: string;
  masterZones: string[];
  masterImage: string;
  masterKeyPair: string;
  exposure: ApiExposure;
  allowedCidrs: string;
  /** Empty: the operator's or the cloud's default. */
  provider: string;
  clientTimeout: number;
  memberTimeout: number;
  apiAudit: ApiAuditLevel;
  ntpServers: string;
  httpProxy: string;
  httpsProxy: string;
  noProxy: string;
  registryMirror: string;
  caCertificates: string;
  pools: PoolDraft[];
  deletionProtection: boolean;
  addons: AddonsSpec;
  repair: RepairPolicy;
}

/** What a cluster gets where nothing is said. */
export const USUAL_ADDONS: AddonsSpec = { pod_network: true, cloud_controller: true, storage: true, metrics: true, ingress: false, isolate_namespaces: false };

let nextKey = 1;

export function draftFromSpec(spec: ClusterSpec): Draft {
  return {
    version: spec.version,
    externalNetwork: spec.network.external_network,
    network: spec.network.existing?.network_id ?? "",
    subnet: spec.network.existing?.subnet_id ?? "",
    nodeCidr: spec.network.node_cidr,
    podCidr: spec.network.pod_cidr,
    serviceCidr: spec.network.service_cidr,
    dnsServers: spec.network.dns_servers.join(", "),
    masters: spec.control_plane.count,
    masterFlavor: spec.control_plane.flavor,
    masterVolumeGib: spec.control_plane.root_volume_gib,
    masterVolumeType: spec.control_plane.volume_type ?? "",
    masterZones: spec.control_plane.zones,
    masterImage: spec.control_plane.image ?? "",
    masterKeyPair: spec.control_plane.key_pair ?? "",
    exposure: spec.api?.exposure ?? "public",
    allowedCidrs: (spec.api?.allowed_cidrs ?? []).join(", "),
    provider: spec.api?.provider ?? "",
    clientTimeout: spec.api?.client_timeout_seconds ?? IDLE_SECONDS,
    memberTimeout: spec.api?.member_timeout_seconds ?? IDLE_SECONDS,
    apiAudit: spec.audit?.level ?? "none",
    ntpServers: (spec.ntp_servers ?? []).join(", "),
    httpProxy: spec.proxy?.http ?? "",
    httpsProxy: spec.proxy?.https ?? "",
    noProxy: (spec.proxy?.no_proxy ?? []).join(", "),
    registryMirror: spec.registry_mirror ?? "",
    caCertificates: (spec.ca_certificates ?? []).join("\n"),
    pools: spec.node_pools.map(poolFromSpec),
    deletionProtection: spec.deletion_protection,
    addons: spec.addons ?? USUAL_ADDONS,
    repair: spec.repair ?? "automatic",
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
    image: pool.image ?? "",
    keyPair: pool.key_pair ?? "",
    dataVolumes: (pool.data_volumes ?? []).map((volume) => ({ key: nextKey++, name: volume.name, sizeGib: volume.size_gib, type: volume.type ?? "", mountPath: volume.mount_path ?? "" })),
    antiAffinity: pool.anti_affinity ?? undefined,
  };
}

/** A further data volume under a free name. */
export function addVolume(volumes: VolumeDraft[]): VolumeDraft[] {
  const names = new Set(volumes.map((volume) => volume.name));
  let number = 1;
  while (names.has(`data-${number}`)) number += 1;
  return [...volumes, { key: nextKey++, name: `data-${number}`, sizeGib: 20, type: "", mountPath: "" }];
}

/** A further pool, like the last one but under a free name. */
export function addPool(pools: PoolDraft[]): PoolDraft[] {
  return [...pools, nextPool(pools)];
}

/** What a further pool begins as, for a form that has the pool alone. */
export function nextPool(pools: { name: string; flavor: string; rootVolumeGib: number; volumeType: string }[]): PoolDraft {
  const last = pools.at(-1);
  const names = new Set(pools.map((pool) => pool.name));
  let number = pools.length + 1;
  while (names.has(`pool-${number}`)) number += 1;
  return { key: nextKey++, name: `pool-${number}`, flavor: last?.flavor ?? "", count: 1, rootVolumeGib: last?.rootVolumeGib ?? 20, volumeType: last?.volumeType ?? "", zones: [], labels: [], taints: [], image: "", keyPair: "", dataVolumes: [], antiAffinity: undefined };
}

export function requestFromDraft(name: string, draft: Draft): ClusterRequest {
  return { name, spec: specFromDraft(draft) };
}

export function specFromDraft(draft: Draft): ClusterSpecRequest {
  return {
    version: draft.version || undefined,
    network: {
      external_network: draft.externalNetwork || undefined,
      ...(draft.network ? { existing: { network_id: draft.network, subnet_id: draft.subnet } } : { node_cidr: draft.nodeCidr.trim() }),
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
      image: draft.masterImage || undefined,
      key_pair: draft.masterKeyPair || undefined,
    },
    ...apiRequest(draft),
    ...(draft.apiAudit !== "none" && { audit: { level: draft.apiAudit } }),
    ...siteRequest(draft),
    node_pools: draft.pools.map(poolRequest),
    deletion_protection: draft.deletionProtection,
    addons: draft.addons,
    repair: draft.repair,
  };
}

/** A pool as the API takes it. */
export function poolRequest(pool: PoolDraft): NodePoolSpec {
  return {
    name: pool.name.trim(),
    flavor: pool.flavor,
    count: pool.count,
    root_volume_gib: pool.rootVolumeGib,
    volume_type: pool.volumeType || undefined,
    zones: pool.zones,
    labels: Object.fromEntries(pool.labels.filter((label) => label.key.trim() !== "").map((label) => [label.key.trim(), label.value.trim()])),
    taints: pool.taints.filter((taint) => taint.key.trim() !== "").map((taint) => ({ ...taint, key: taint.key.trim(), value: taint.value?.trim() ?? "" })),
    image: pool.image || undefined,
    key_pair: pool.keyPair || undefined,
    data_volumes: pool.dataVolumes.length
      ? pool.dataVolumes.map((volume) => ({ name: volume.name.trim(), size_gib: volume.sizeGib, type: volume.type || undefined, mount_path: volume.mountPath.trim() || undefined }))
      : undefined,
    anti_affinity: pool.antiAffinity,
  };
}

function apiRequest(draft: Draft): Pick<ClusterSpecRequest, "api"> {
  const restricted = draft.exposure === "restricted";
  const usual = draft.exposure === "public" && draft.provider === "" && draft.clientTimeout === IDLE_SECONDS && draft.memberTimeout === IDLE_SECONDS;
  if (usual) return {};
  return {
    api: {
      exposure: draft.exposure,
      allowed_cidrs: restricted ? splitList(draft.allowedCidrs) : undefined,
      provider: draft.provider || undefined,
      client_timeout_seconds: draft.clientTimeout,
      member_timeout_seconds: draft.memberTimeout,
    },
  };
}

function siteRequest(draft: Draft): Partial<ClusterSpecRequest> {
  const proxied = draft.httpProxy.trim() !== "" || draft.httpsProxy.trim() !== "";
  const ntp = splitList(draft.ntpServers);
  const certificates = splitCertificates(draft.caCertificates);
  return {
    ...(ntp.length && { ntp_servers: ntp }),
    ...(proxied && { proxy: { http: draft.httpProxy.trim() || undefined, https: draft.httpsProxy.trim() || undefined, no_proxy: splitList(draft.noProxy) } }),
    ...(draft.registryMirror.trim() && { registry_mirror: draft.registryMirror.trim() }),
    ...(certificates.length && { ca_certificates: certificates }),
  };
}

/** Several certificates may be pasted one after the other. What is none goes along, for the server to say so. */
export function splitCertificates(text: string): string[] {
  return text
    .split(/(?<=-----END CERTIFICATE-----)/)
    .map((part) => part.trim())
    .filter(Boolean);
}

export function splitList(text: string): string[] {
  return text.split(/[\s,;\uff0c\u3001\uff1b]+/).filter(Boolean);
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

/** Key of the text that says what is wrong with the ranges of a restricted API. */
export function allowedCidrsError(text: string): "create.invalid.allowedCidrs" | undefined {
  const cidrs = splitList(text);
  return cidrs.length === 0 || cidrs.some((cidr) => !parseCidr(cidr)) ? "create.invalid.allowedCidrs" : undefined;
}

export function draftErrors(draft: Draft): FieldErrors {
  const errors: FieldErrors = {};
  const ranges: [string, Range][] = [];
  for (const [field, text] of [
    ...(draft.network ? [] : [["spec.network.node_cidr", draft.nodeCidr] as const]),
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
  const ofRanges = draft.exposure === "restricted" ? allowedCidrsError(draft.allowedCidrs) : undefined;
  if (ofRanges) errors["spec.api.allowed_cidrs"] = ofRanges;
  if (draft.network && !draft.subnet) errors["spec.network.existing.subnet_id"] = "common.required";
  if (splitList(draft.dnsServers).some((server) => parseIp(server) === null)) errors["spec.network.dns_servers"] = "create.invalid.dns";
  const names = new Set<string>();
  draft.pools.forEach((pool, index) => {
    const wrong = poolNameError(pool.name, names);
    if (wrong) errors[`spec.node_pools[${index}].name`] = wrong;
    names.add(pool.name.trim());
  });
  return errors;
}

/** Key of the text that says what is wrong with a pool's name among others. */
export function poolNameError(text: string, taken: ReadonlySet<string>): string | undefined {
  const name = text.trim();
  if (!POOL_NAME.test(name)) return "create.invalid.poolName";
  return name === "control-plane" || taken.has(name) ? "create.invalid.poolNameTaken" : undefined;
}
