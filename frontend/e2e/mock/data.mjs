// @ts-check
// What the stand-in server knows: one project with a cluster in every state, one empty, typed by the API's own schema.

/**
 * @template {keyof import("../../src/api/schema").components["schemas"]} Name
 * @typedef {import("../../src/api/schema").components["schemas"][Name]} Schema
 */

export const now = Date.now();
/** @param {number} seconds */
export const ago = (seconds) => new Date(now - seconds * 1000).toISOString();
/** @param {number} n */
const uuid = (n) => `0199c0de-0000-7000-8000-${String(n).padStart(12, "0")}`;

export const projects = [
  { id: "p-a", name: "tenant-a" },
  { id: "p-empty", name: "tenant-new" },
];

/** @type {Schema<"Flavor">[]} */
export const flavors = [
  { id: "1", name: "m1.small", vcpus: 1, ram_mib: 2048, disk_gib: 20 },
  { id: "2", name: "m1.medium", vcpus: 2, ram_mib: 4096, disk_gib: 40 },
  { id: "3", name: "m1.large", vcpus: 4, ram_mib: 8192, disk_gib: 80 },
  { id: "4", name: "m1.impossible", vcpus: 512, ram_mib: 4194304, disk_gib: 20 },
];

/** @type {Schema<"ProjectNetwork">[]} */
export const projectNetworks = [{ id: "net-office", name: "office", shared: false, subnets: [{ id: "sub-office", name: "office-4", cidr: "10.40.0.0/24" }] }];

/** @type {Schema<"Version">[]} */
export const versions = [
  { version: "v1.36.3", support: "current", image: "kcs-node-v1.36.3", image_status: "active" },
  { version: "v1.35.4", support: "deprecated", image: "kcs-node-v1.35.4", image_status: "queued", image_progress: 42 },
];

/** @type {Schema<"Template">[]} */
export const templates = [
  {
    id: "dev",
    name: "Development",
    name_zh: "开发测试",
    description: "One control plane node and two workers: cheap and quick, no survival of a failed control plane node.",
    description_zh: "1 个控制平面节点、2 个工作节点：省资源、创建快，控制平面节点故障时集群 API 不可用。",
    spec: { network: {}, control_plane: { count: 1, flavor: "m1.medium" }, node_pools: [{ name: "default", flavor: "m1.medium", count: 2 }] },
  },
  {
    id: "ha",
    name: "Highly available",
    name_zh: "生产高可用",
    description: "Three control plane nodes and three workers: the cluster API survives the loss of any one.",
    description_zh: "3 个控制平面节点、3 个工作节点：任何一个控制平面节点故障都不影响集群 API。",
    spec: { network: {}, control_plane: { count: 3, flavor: "m1.large" }, node_pools: [{ name: "default", flavor: "m1.medium", count: 3 }] },
  },
  {
    id: "0199c0de-0000-7000-8000-000000000801",
    own: true,
    name: "Shop, as in production",
    name_zh: "Shop, as in production",
    description: "Two pools, one of them tainted for GPU work; protected against deletion.",
    description_zh: "Two pools, one of them tainted for GPU work; protected against deletion.",
    spec: {
      version: "v1.36.3",
      network: { pod_cidr: "172.24.0.0/16" },
      control_plane: { count: 3, flavor: "m1.large", root_volume_gib: 40 },
      node_pools: [
        { name: "default", flavor: "m1.medium", count: 3, root_volume_gib: 20 },
        { name: "gpu", flavor: "m1.large", count: 1, root_volume_gib: 60, taints: [{ key: "gpu", value: "true", effect: "NoSchedule" }] },
      ],
      deletion_protection: true,
    },
  },
];

/** What the operator charges an hour; nothing else has a price. */
const PRICES = /** @type {Record<string, number>} */ ({ "m1.small": 0.06, "m1.medium": 0.12, "m1.large": 0.25 });

/**
 * @param {Schema<"ClusterSpec">} spec
 * @returns {Schema<"Cost">}
 */
export function costOf(spec) {
  /** @type {Map<string, number>} */
  const servers = new Map();
  let gib = 0;
  for (const { flavor, count, root_volume_gib: volume } of [spec.control_plane, ...spec.node_pools]) {
    servers.set(flavor, (servers.get(flavor) ?? 0) + count);
    gib += count * (volume ?? 20);
  }
  const priced = [...servers].filter(([flavor]) => flavor in PRICES);
  const lines = [
    ...priced.map(([name, count]) => ({ kind: "server", name, count, per_hour: count * (PRICES[name] ?? 0) })),
    { kind: "volume", name: "standard", count: gib, per_hour: gib * 0.0005 },
    { kind: "load_balancer", name: "", count: 1, per_hour: 0.03 },
    { kind: "floating_ip", name: "", count: 1, per_hour: 0.01 },
  ];
  return { currency: "CNY", lines, per_hour: lines.reduce((sum, line) => sum + line.per_hour, 0), unpriced: [...servers.keys()].filter((flavor) => !(flavor in PRICES)) };
}

/**
 * @param {Schema<"ClusterSpecRequest">} [request]
 * @returns {Schema<"ClusterSpec">}
 */
export function completeSpec(request) {
  return {
    version: request?.version ?? "v1.36.3",
    network: {
      external_network: request?.network?.external_network ?? "net-public",
      node_cidr: request?.network?.node_cidr ?? "10.0.0.0/24",
      pod_cidr: request?.network?.pod_cidr ?? "172.20.0.0/16",
      service_cidr: request?.network?.service_cidr ?? "10.254.0.0/16",
      dns_servers: request?.network?.dns_servers ?? ["8.8.8.8"],
    },
    control_plane: {
      count: request?.control_plane?.count ?? 1,
      flavor: request?.control_plane?.flavor ?? "m1.medium",
      root_volume_gib: request?.control_plane?.root_volume_gib ?? 20,
      volume_type: request?.control_plane?.volume_type ?? null,
      zones: request?.control_plane?.zones ?? [],
    },
    node_pools: request?.node_pools ?? [{ name: "default", flavor: "m1.medium", count: 2, root_volume_gib: 20, zones: [], labels: {}, taints: [] }],
    deletion_protection: request?.deletion_protection ?? false,
    direct_access: false,
    addons: {
      pod_network: request?.addons?.pod_network ?? true,
      cloud_controller: request?.addons?.cloud_controller ?? true,
      storage: request?.addons?.storage ?? true,
      metrics: request?.addons?.metrics ?? true,
      ingress: request?.addons?.ingress ?? false,
      isolate_namespaces: request?.addons?.isolate_namespaces ?? false,
    },
    audit: { level: request?.audit?.level ?? "none" },
    repair: request?.repair ?? "automatic",
    key_pairs: [{ name: "operations", public_key: "ssh-ed25519 AAAA operations" }],
  };
}

/**
 * @param {Partial<Record<Schema<"ConditionType">, [Schema<"ConditionStatus">, string, string?, Schema<"Code">?]>>} [wrong]
 * @returns {Schema<"Condition">[]}
 */
export function conditions(wrong = {}) {
  /** @type {[Schema<"ConditionType">, string][]} */
  const all = [
    ["CloudReachable", "Answers"],
    ["InfrastructureReady", "AllThere"],
    ["ApiReachable", "Answers"],
    ["ControlPlaneHealthy", "AllReady"],
    ["NodesReady", "AllReady"],
    ["AddonsHealthy", "AllReady"],
    ["SelfHealing", "Active"],
  ];
  return all.map(([type, reason]) => {
    const found = wrong[type];
    if (!found) return { type, status: "True", reason, message: "", since: ago(7200) };
    return { type, status: found[0], reason: found[1], message: found[2] ?? "", since: ago(95), ...(found[3] && { code: found[3] }) };
  });
}

/** Whose permissions it tells is known only when somebody asks. @typedef {Schema<"Cluster"> & { born: number }} MockCluster */

/**
 * @param {number} n
 * @param {string} name
 * @param {Schema<"Phase">} phase
 * @param {Partial<Schema<"Cluster">>} more
 * @returns {MockCluster}
 */
export function cluster(n, name, phase, more = {}) {
  const spec = more.spec ?? completeSpec(n % 2 ? templates[1].spec : templates[0].spec);
  const nodes = spec.node_pools.reduce((sum, pool) => sum + pool.count, 0);
  return {
    id: uuid(n),
    name,
    project: projects[0],
    spec,
    status: { phase, conditions: conditions(), api_endpoint: `https://127.30.0.${n}:6443`, api_vip: "10.0.0.5", masters_ready: spec.control_plane.count, nodes_ready: nodes },
    masters_desired: spec.control_plane.count,
    nodes_desired: nodes,
    generation: 1,
    observed_generation: 1,
    created_at: ago(86_400 * n),
    created_by: "member-a",
    cost: costOf(spec),
    permissions: [],
    born: 0,
    ...more,
  };
}

/** @type {Partial<Record<Schema<"OperationKind">, [Schema<"StepKey">, number, Schema<"ResourceKind">[]][]>>} The kinds of operation that the stand-in plays. */
export const STEPS = {
  cluster_create: [
    ["credential", 2, ["application_credential"]],
    ["network", 3, ["network", "subnet", "router", "router_interface", "security_group"]],
    ["api_load_balancer", 5, ["load_balancer", "floating_ip"]],
    ["first_master", 5, ["port", "volume", "server"]],
    ["api_ready", 15, []],
    ["node_pools", 15, ["port", "volume", "server", "port", "volume", "server"]],
    ["health", 2, []],
  ],
  node_pool_resize: [
    ["remove_nodes", 10, []],
    ["node_pools", 20, ["port", "volume", "server"]],
    ["health", 2, []],
  ],
  cluster_repair: [
    ["network", 3, ["security_group"]],
    ["masters", 20, []],
    ["health", 2, []],
  ],
  control_plane_resize: [
    ["masters", 40, ["port", "volume", "server"]],
    ["health", 2, []],
  ],
  node_pool_create: [
    ["node_pools", 20, ["port", "volume", "server"]],
    ["health", 2, []],
  ],
  node_pool_delete: [
    ["drain", 10, []],
    ["remove_nodes", 10, ["server", "volume", "port"]],
  ],
  node_replace: [
    ["replacement", 30, ["port", "volume", "server"]],
    ["drain", 10, []],
    ["remove_nodes", 10, ["server", "volume", "port"]],
  ],
  node_drain: [["drain", 10, []]],
  node_reboot: [["reboot", 20, []]],
  credential_rotate: [
    ["credential", 3, ["application_credential"]],
    ["addons", 10, []],
    ["delete_credential", 1, ["application_credential"]],
  ],
  encryption_key_rotate: [
    ["key_readable", 30, ["port", "volume", "server"]],
    ["key_in_use", 30, []],
    ["secrets_rewritten", 5, []],
    ["old_key_removed", 30, []],
    ["health", 2, []],
  ],
  api_audit_change: [
    ["masters", 30, ["port", "volume", "server"]],
    ["health", 2, []],
  ],
  api_access_change: [
    ["api_load_balancer", 5, ["load_balancer"]],
    ["health", 2, []],
  ],
  cluster_delete: [
    ["remove_nodes", 10, ["server", "port", "volume"]],
    ["delete_load_balancer", 5, ["load_balancer", "floating_ip"]],
    ["delete_network", 5, ["network", "subnet", "router", "security_group"]],
    ["scan", 1, []],
    ["delete_credential", 1, ["application_credential"]],
  ],
};

/** @type {Partial<Record<Schema<"StepKey">, string>>} */
export const WAITING = { network: "Network", api_load_balancer: "LoadBalancer", first_master: "Server", api_ready: "ControlPlane", node_pools: "NodesJoining", key_readable: "NodesJoining", key_in_use: "NodesJoining", old_key_removed: "NodesJoining", secrets_rewritten: "Secrets", health: "Health", remove_nodes: "ObjectsGoing", delete_load_balancer: "ObjectsGoing", delete_network: "ObjectsGoing", scan: "Scan" };

/**
 * The steps of an operation when `at` of them are done.
 * @param {Schema<"OperationKind">} kind
 * @param {number} at
 * @param {number} started
 * @returns {Schema<"Step">[]}
 */
export function steps(kind, at, started) {
  let clock = started;
  return (STEPS[kind] ?? []).map(([key, usual, kinds], index) => {
    const state = index < at ? "succeeded" : index === at ? "running" : "pending";
    const begun = clock;
    clock += usual * 900;
    return {
      key,
      state,
      ...(state !== "pending" && { started_at: new Date(begun).toISOString() }),
      ...(state === "succeeded" && { finished_at: new Date(clock).toISOString() }),
      usual_seconds: usual,
      done: state === "succeeded" ? Math.max(1, kinds.length) : 0,
      total: Math.max(1, kinds.length),
      ...(state === "running" && WAITING[key] && { waiting_for: WAITING[key] }),
      resources: state === "pending" ? [] : kinds.map((resource, i) => ({ kind: resource, name: `kcs-1a2b3c4d-${resource.replaceAll("_", "-")}-${i}`, cloud_id: `6f${index}${i}b1d2-9a41-4c0e-8f7a-5d2f00c1e${index}${i}a`, state: state === "succeeded" ? (kind === "cluster_delete" ? "gone" : "ready") : "pending" })),
    };
  });
}

/**
 * @param {number} n
 * @param {Schema<"OperationKind">} kind
 * @param {MockCluster} of
 * @param {Schema<"OperationState">} state
 * @param {number} at
 * @param {Partial<Schema<"Operation">>} more
 * @returns {Schema<"Operation">}
 */
export function operation(n, kind, of, state, at, more = {}) {
  const all = STEPS[kind] ?? [];
  const whole = all.reduce((sum, [, usual]) => sum + usual, 0);
  const done = all.slice(0, at).reduce((sum, [, usual]) => sum + usual, 0);
  const started = now - 40_000;
  return {
    id: uuid(9000 + n),
    cluster: { id: of.id, name: of.name },
    kind,
    state,
    progress: Math.round((done / whole) * 100),
    steps: steps(kind, at, started),
    created_at: new Date(started - 1000).toISOString(),
    created_by: "member-a",
    started_at: new Date(started).toISOString(),
    ...(["succeeded", "failed", "cancelled"].includes(state) && { finished_at: new Date(now - 5000).toISOString() }),
    deadline_at: new Date(now + 1_800_000).toISOString(),
    retries: 0,
    nodes: [],
    ...more,
  };
}

/** @type {Schema<"AddedRule">[]} */
const addedRules = [
  { group: "kcs-1a2b3c4d-worker", direction: "ingress", ip_version: 4, protocol: "tcp", first_port: 8000, last_port: 8010, peer: "192.0.2.0/24" },
  { group: "kcs-1a2b3c4d-worker", direction: "ingress", ip_version: 4, protocol: "icmp", first_port: 8, last_port: 0 },
  { group: "kcs-1a2b3c4d-master", direction: "egress", ip_version: 6, peer: "5f1e0c1a-0000-4000-8000-000000000042" },
];

/** Everything is chosen that can be, with long names. @type {Schema<"ClusterSpec">} */
const chosenSpec = {
  ...completeSpec(templates[0].spec),
  network: { ...completeSpec().network, node_cidr: "10.40.0.0/24", existing: { network_id: "net-office", subnet_id: "sub-office" }, dns_servers: ["10.40.0.53", "2001:db8:4:9::53"] },
  api: { exposure: "restricted", allowed_cidrs: ["192.0.2.0/24", "198.51.100.0/24", "2001:db8:4::/48"], provider: "amphora", client_timeout_seconds: 7200, member_timeout_seconds: 900 },
  control_plane: { count: 1, flavor: "m1.medium", root_volume_gib: 40, volume_type: "ssd", zones: ["az1"], image: "kcs-node-v1.36.3-as-the-security-team-hardened-it", key_pair: "operations" },
  node_pools: [
    {
      name: "default",
      flavor: "m1.medium",
      count: 2,
      root_volume_gib: 0,
      image: "kcs-node-v1.36.3-gpu",
      key_pair: "laptop",
      anti_affinity: false,
      data_volumes: [
        { name: "containers", size_gib: 500, type: "ssd-replicated-three-times", mount_path: "/var/lib/containerd" },
        { name: "scratch", size_gib: 70 },
      ],
    },
  ],
  ntp_servers: ["ntp-1.example.org", "ntp-2.example.org"],
  proxy: { http: "http://proxy.example.org:3128", https: "http://proxy.example.org:3129", no_proxy: [".example.org", "10.0.0.0/8"] },
  registry_mirror: "mirror.example.org/proxy-of-all-public-registries",
  ca_certificates: ["one", "two"],
  addons: { pod_network: true, cloud_controller: true, storage: true, metrics: true, ingress: true, isolate_namespaces: true },
};

/** @type {MockCluster[]} */
export const clusters = [
  cluster(1, "shop-production", "Running"),
  cluster(2, "team-sandbox", "Provisioning", { status: { phase: "Provisioning", conditions: conditions({ ApiReachable: ["Unknown", "NotThereYet"], NodesReady: ["Unknown", "NotKnown"], InfrastructureReady: ["False", "ObjectsMissing", "4"] }), masters_ready: 0, nodes_ready: 0 } }),
  cluster(3, "billing", "Degraded", {
    spec: completeSpec({ ...templates[1].spec, deletion_protection: true }),
    status: { phase: "Degraded", conditions: conditions({ InfrastructureReady: ["False", "ObjectsDrifted", "kcs-1a2b3c4d-security-group (rules: +1)", "KCS-CLOUD-006"], ControlPlaneHealthy: ["False", "MastersNotReady", "kcs-1a2b3c4d-m-2", "KCS-CMP-010"] }), api_endpoint: "https://127.30.0.3:6443", api_vip: "10.0.0.5", masters_ready: 2, nodes_ready: 3, added_rules: addedRules },
  }),
  cluster(4, "machine-learning", "Updating", { spec: chosenSpec }),
  cluster(5, "quota-too-small", "Provisioning", { status: { phase: "Provisioning", conditions: [], masters_ready: 0, nodes_ready: 0 } }),
  cluster(6, "old-experiment", "Failed", { status: { phase: "Failed", conditions: conditions({ ApiReachable: ["False", "NoAnswer", "connection refused (127.30.0.6:6443)", "KCS-API-001"], ControlPlaneHealthy: ["Unknown", "NotKnown"], NodesReady: ["Unknown", "NotKnown"] }), masters_ready: 0, nodes_ready: 0 } }),
  cluster(7, "retired", "Deleting", { status: { phase: "Deleting", conditions: [], masters_ready: 0, nodes_ready: 0 } }),
];

const failedCreate = operation(6, "cluster_create", clusters[5], "failed", 4, {
  fault: {
    code: "KCS-CMP-005",
    title: "Kubernetes did not start on a node",
    remedy: "See the node's last lines; retry replaces the node.",
    message: "error execution phase wait-control-plane: failed while waiting for the control plane to start: kube-apiserver check failed at https://10.0.0.11:6443/livez\n[kubelet-check] Initial timeout of 40s passed.",
    cloud_request_id: "req-5f9f2c7e-1c2d-4a8e-a5d3-9f4b7b1c2e3d",
    retryable: true,
    object: "kcs-1a2b3c4d-m-0",
  },
});
failedCreate.steps[4].state = "failed";
failedCreate.steps[4].waiting_for = undefined;
failedCreate.steps[4].finished_at = failedCreate.finished_at;

/** @type {Schema<"Operation">} */
const blockedCreate = operation(5, "cluster_create", clusters[4], "blocked", 3, {
  next_attempt_at: new Date(now + 280_000).toISOString(),
  fault: {
    code: "KCS-QUOTA-001",
    title: "A quota of the project is too small",
    remedy: "Reduce the count, delete what is unused, or ask for more quota.",
    message: "Quota exceeded for cores: Requested 4, but already used 18 of 20 cores",
    cloud_request_id: "req-77a1c0de-0b2d-4fe1-8a6e-2f0c9b7d1e55",
    retryable: true,
    object: "kcs-5e6f7a8b-m-0",
  },
});
blockedCreate.steps[3].state = "failed";
blockedCreate.steps[3].waiting_for = undefined;
blockedCreate.steps[3].fault = { code: /** @type {const} */ ("KCS-QUOTA-001"), message: "Quota exceeded for cores: Requested 4, but already used 18 of 20 cores", retryable: true, cloud_request_id: "req-77a1c0de-0b2d-4fe1-8a6e-2f0c9b7d1e55", object: "kcs-5e6f7a8b-m-0" };

/** @type {Schema<"Operation">[]} */
export const operations = [
  operation(2, "cluster_create", clusters[1], "running", 4),
  operation(4, "node_pool_resize", clusters[3], "running", 1),
  blockedCreate,
  failedCreate,
  operation(7, "cluster_delete", clusters[6], "running", 1),
  operation(1, "cluster_create", clusters[0], "succeeded", 7, { progress: 100 }),
  operation(8, "cluster_delete", cluster(8, "gone-yesterday", "Deleting"), "succeeded", 5, { progress: 100 }),
  operation(9, "node_pool_resize", clusters[0], "cancelled", 1),
];
for (const item of operations) {
  const of = clusters.find((candidate) => candidate.id === item.cluster.id);
  if (of && !["succeeded", "cancelled"].includes(item.state)) {
    of.operation = { id: item.id, kind: item.kind, state: item.state, progress: item.progress, step: item.steps.find((step) => step.state === "running")?.key };
  }
}

/** @type {Schema<"Resource">[]} */
export const resources = [
  ...["application_credential", "network", "subnet", "router", "router_interface", "security_group", "security_group", "load_balancer", "floating_ip"].map((kind, i) => ({
    kind: /** @type {Schema<"ResourceKind">} */ (kind),
    name: `kcs-1a2b3c4d-${kind.replaceAll("_", "-")}${i === 6 ? "-nodes" : ""}`,
    cloud_id: `0b7e${i}f21-3f55-4d1c-9a0b-77c2b8d1e0${i}a`,
    state: /** @type {Schema<"ResourceState">} */ ("known"),
    ...(kind === "load_balancer" && { address: "10.0.0.5" }),
    ...(kind === "floating_ip" && { address: "127.30.0.1" }),
    created_at: ago(3600),
  })),
  ...["m-0", "w0-0", "w0-1"].flatMap((node, i) =>
    ["port", "volume", "server"].map((kind) => ({
      kind: /** @type {Schema<"ResourceKind">} */ (kind),
      name: `kcs-1a2b3c4d-${node}`,
      cloud_id: `c4d1${i}e77-${kind.slice(0, 4)}-4d1c-9a0b-77c2b8d1e0${i}a`,
      state: /** @type {Schema<"ResourceState">} */ ("known"),
      ...(kind === "port" && { address: `10.0.0.1${i}` }),
      created_at: ago(3500),
    })),
  ),
];

/** @type {Schema<"Node">[]} */
export const nodes = [
  { id: uuid(501), name: "kcs-1a2b3c4d-m-0", pool: "control-plane", role: "master", ready: true, joined_at: ago(3390), removing: false, bootstrap: { state: "done", at: ago(3400) }, server: { id: "c4d10e77-6b1d-4d1c-9a0b-77c2b8d1e00a", state: "known", status: "ACTIVE", zone: "az1" }, address: "10.0.0.10", kubelet_version: "v1.36.3", created_at: ago(3500) },
  { id: uuid(502), name: "kcs-1a2b3c4d-w0-0", pool: "default", role: "worker", ready: true, joined_at: ago(3290), removing: false, bootstrap: { state: "done", at: ago(3300) }, server: { id: "c4d11e77-6b1d-4d1c-9a0b-77c2b8d1e01a", state: "known", status: "ACTIVE", zone: "az2" }, address: "10.0.0.11", kubelet_version: "v1.36.3", created_at: ago(3480) },
  { id: uuid(503), name: "kcs-1a2b3c4d-w0-1", pool: "default", role: "worker", ready: null, removing: false, bootstrap: { state: "running", stage: "kubeadm", at: ago(20) }, server: { id: "c4d12e77-6b1d-4d1c-9a0b-77c2b8d1e02a", state: "known", status: "BUILD", zone: "az3" }, address: "10.0.0.12", created_at: ago(60) },
  {
    id: uuid(504),
    name: "kcs-1a2b3c4d-w0-2",
    pool: "default",
    role: "worker",
    ready: null,
    removing: true,
    bootstrap: { state: "failed", lines: "+ kubeadm join 10.0.0.5:6443\nerror execution phase preflight: couldn't validate the identity of the API Server", at: ago(30) },
    fault: { code: "KCS-CMP-005", title: "", remedy: "", message: "error execution phase preflight: couldn't validate the identity of the API Server", retryable: true },
    server: { id: "c4d13e77-6b1d-4d1c-9a0b-77c2b8d1e03a", state: "deleting", status: "ERROR", zone: "az1" },
    address: "10.0.0.13",
    created_at: ago(240),
  },
  { id: uuid(505), name: "kcs-1a2b3c4d-w0-3", pool: "default", role: "worker", ready: false, joined_at: ago(3000), unready_since: ago(310), unready_code: "KCS-CMP-010", removing: false, bootstrap: { state: "done", at: ago(3010) }, server: { id: "c4d14e77-6b1d-4d1c-9a0b-77c2b8d1e04a", state: "known", status: "ACTIVE", zone: "az2" }, address: "10.0.0.14", kubelet_version: "v1.36.3", created_at: ago(3200) },
];
nodes[3].removing = false;

/** @type {Schema<"Pod">[]} */
export const pods = Array.from({ length: 23 }, (_, i) => ({
  name: i < 3 ? ["coredns-7c65d6cfc9-4xk2p", "etcd-kcs-1a2b3c4d-m-0", "kube-proxy-x8v7q"][i] : `web-6d4cf56db6-${(i * 7919).toString(36).padStart(5, "x")}`,
  namespace: i < 3 ? "kube-system" : "default",
  status: i === 5 ? "CrashLoopBackOff" : i === 6 ? "ContainerCreating" : i === 7 ? "Terminating" : "Running",
  ready: i === 5 || i === 6 ? 0 : i === 4 ? 2 : 1,
  restarts: i === 5 ? 17 : 0,
  ip: i === 6 ? undefined : `172.20.${i % 3}.${i + 2}`,
  node: `kcs-1a2b3c4d-w0-${i % 2}`,
  containers: [
    { name: "app", image: "nginx:1.29", ready: i !== 5, restarts: 0, state: "running", init: false },
    ...(i === 4 ? [{ name: "sidecar", image: "envoy:1.34", ready: true, restarts: 0, state: "running", init: false }] : []),
  ],
  labels: { app: "web" },
  created_at: ago(60 * i + 30),
}));

/** @type {Schema<"Deployment">[]} */
export const deployments = [
  { name: "coredns", namespace: "kube-system", desired: 2, ready: 2, updated: 2, available: 2, images: ["registry.k8s.io/coredns/coredns:v1.13.1"], labels: {}, created_at: ago(3400) },
  { name: "web", namespace: "default", desired: 20, ready: 17, updated: 18, available: 17, images: ["nginx:1.29"], labels: { app: "web" }, created_at: ago(900) },
];

const CINDER = "cinder.csi.openstack.org";

/** Of the add-on, of somebody's own, and of another driver. @type {Schema<"StorageClass">[]} */
export const storageClasses = [
  { name: "cinder-ssd", provisioner: CINDER, volume_type: "ssd", reclaim_policy: "Delete", binding: "WaitForFirstConsumer", expandable: true, default: false, managed: true, created_at: ago(3400) },
  { name: "cinder-standard", provisioner: CINDER, volume_type: "standard", reclaim_policy: "Delete", binding: "WaitForFirstConsumer", expandable: true, default: true, managed: true, created_at: ago(3400) },
  { name: "databases-that-nobody-may-lose-by-deleting-a-claim", provisioner: CINDER, volume_type: "ssd", reclaim_policy: "Retain", binding: "Immediate", expandable: true, default: false, managed: false, created_at: ago(900) },
  { name: "scratch", provisioner: "local.csi.example.com", reclaim_policy: "Delete", binding: "WaitForFirstConsumer", expandable: false, default: false, managed: false, created_at: ago(600) },
];

/** Used, kept without its claim, known to the cloud only, and of another driver. @type {Schema<"ClusterVolume">[]} */
export const volumes = [
  { disk: { id: "c7d1f00d-3c95-4f1e-9d37-2f3c1a5b6c7d", name: "pvc-of-a-cluster-before", status: "available", size_gib: 40, claim: "default/data-db-1" } },
  {
    persistent_volume: { name: "pvc-1", phase: "Bound", capacity: "10Gi", claim: "default/data-db-0", storage_class: "cinder-standard", reclaim_policy: "Delete", access_modes: ["ReadWriteOnce"], driver: CINDER, handle: "4b1f0c1e-7f6a-4f1e-9d37-2f3c1a5b6c7d", created_at: ago(3000) },
    disk: { id: "4b1f0c1e-7f6a-4f1e-9d37-2f3c1a5b6c7d", name: "pvc-1", status: "in-use", size_gib: 10, claim: "default/data-db-0" },
  },
  {
    persistent_volume: { name: "pvc-2", phase: "Released", capacity: "200Gi", claim: "monitoring/prometheus-data-prometheus-of-the-whole-shop-0", storage_class: "databases-that-nobody-may-lose-by-deleting-a-claim", reclaim_policy: "Retain", access_modes: ["ReadWriteOnce"], driver: CINDER, handle: "9c3e5d20-2b84-4f1e-9d37-2f3c1a5b6c7d", created_at: ago(90_000) },
    disk: { id: "9c3e5d20-2b84-4f1e-9d37-2f3c1a5b6c7d", name: "pvc-2", status: "error_extending", size_gib: 200, claim: "monitoring/prometheus-data-prometheus-of-the-whole-shop-0" },
  },
  { persistent_volume: { name: "scratch-0", phase: "Available", capacity: "5Gi", storage_class: "scratch", access_modes: ["ReadWriteOnce"], driver: "local.csi.example.com", handle: "disk-7", created_at: ago(600) } },
];

/** @param {MockCluster} of @param {string} server What `kcs` is signed in to. */
export function kubeconfigExec(of, server) {
  return `apiVersion: v1
kind: Config
clusters:
- name: "${of.name}"
  cluster:
    server: "https://127.0.0.1:8443/k8s/clusters/${of.id}"
users:
- name: "kcs@${new URL(server).host}"
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: kcs
      args: ["credential", "--server", "${server}"]
      interactiveMode: IfAvailable
      provideClusterInfo: false
      installHint: "kcs is not in your PATH. Install it, then sign in: kcs login ${server}"
`;
}

/** @type {Schema<"Kubeconfig">[]} */
export const kubeconfigs = [
  { id: uuid(701), name: "laptop", created_at: ago(7200), expires_at: ago(-79_200), last_used_at: ago(40), created_by: "member-a", created_by_id: "u-member-a", mine: true, read_only: false },
  { id: uuid(702), name: "", created_at: ago(90_000), expires_at: ago(3600), created_by: "reader-a", created_by_id: "u-reader-a", mine: false, read_only: true, namespaces: ["shop"] },
  { id: uuid(704), name: "dashboard on the wall", created_at: ago(9000), expires_at: ago(-600_000), last_used_at: ago(5), created_by: "reader-a", created_by_id: "u-reader-a", mine: false, read_only: true, namespaces: ["shop", "shop-staging", "monitoring"] },
  { id: uuid(705), name: "", created_at: ago(12_000), expires_at: ago(-70_000), created_by: "reader-a", created_by_id: "u-reader-a", mine: false, read_only: false, namespaces: ["shop"] },
  { id: uuid(706), name: "night watch", created_at: ago(20_000), expires_at: ago(-300_000), last_used_at: ago(19_000), created_by: "member-c", created_by_id: "u-member-c", mine: false, read_only: true },
  { id: uuid(703), name: "deploy job", created_at: ago(172_800), expires_at: ago(-2_000_000), last_used_at: ago(90_000), created_by: "member-a", created_by_id: "u-member-a", mine: true, read_only: false, revoked_at: ago(4000) },
];

/** @type {Schema<"List_Addon">["items"]} */
export const addons = [
  { name: "pod_network", version: "v0.27.4", essential: true, state: "ready", ready: 3, desired: 3 },
  { name: "cloud_controller", version: "v1.35.0", essential: true, state: "ready", ready: 1, desired: 1 },
  { name: "storage", version: "v1.35.0", essential: true, state: "progressing", ready: 3, desired: 4, message: "csi-cinder-nodeplugin: 2 of 3 pods are ready (kcs-1a2b3c4d-w0-1: ImagePullBackOff)" },
  { name: "dns", version: "v1.13.1", essential: true, state: "ready", ready: 2, desired: 2 },
  { name: "metrics", version: "v0.8.0", essential: false, state: "pending", ready: 0, desired: 1 },
];

/** Those that joined: one is well, one has no room left and takes no new pods, one is silent. @type {Schema<"KubernetesNode">[]} */
export const kubernetesNodes = nodes
  .filter((node) => node.joined_at)
  .map((node, i) => ({
    name: node.name,
    status: node.ready ? "Ready" : "NotReady",
    schedulable: i !== 1,
    roles: i === 0 ? ["control-plane"] : [],
    version: "v1.36.3",
    cpu: "2",
    memory: "4015704Ki",
    pods: "110",
    allocatable_cpu: "1900m",
    allocatable_memory: "3503704Ki",
    conditions: [
      { type: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory", message: "kubelet has sufficient memory available", since: ago(7200) },
      i === 1
        ? { type: "DiskPressure", status: "True", reason: "KubeletHasDiskPressure", message: "kubelet has disk pressure", since: ago(240) }
        : { type: "DiskPressure", status: "False", reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure", since: ago(7200) },
      node.ready
        ? { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status", since: ago(3290) }
        : { type: "Ready", status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status.", since: ago(310) },
    ],
    taints: i === 0 ? ["node-role.kubernetes.io/control-plane:NoSchedule"] : ["node.kubernetes.io/disk-pressure:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule", "dedicated=shop:NoExecute"],
    operating_system: "Ubuntu 24.04 LTS",
    container_runtime: "containerd://2.1.4",
    labels: { "kubernetes.io/hostname": node.name, "topology.kubernetes.io/zone": node.server?.zone ?? "", "node.kubernetes.io/exclude-from-external-load-balancers": "", "kcs.io/pool": node.pool, team: "shop" },
    reserved: ["kcs.io/pool", "kubernetes.io/hostname", "node-role.kubernetes.io/control-plane", "node.kubernetes.io/disk-pressure", "node.kubernetes.io/exclude-from-external-load-balancers", "node.kubernetes.io/unschedulable", "topology.kubernetes.io/zone"],
  }));

/** @param {number} n @param {Partial<Schema<"Orphan">>} rest @returns {Schema<"Orphan">} */
const orphan = (n, rest) => ({
  id: uuid(700 + n),
  project: { id: "p-a", name: "tenant-a" },
  kind: "network",
  cloud_id: `5f1e0c1a-0000-4000-8000-${String(n).padStart(12, "0")}`,
  name: `kcs-${uuid(90 + n)}-net`,
  cluster: uuid(90 + n),
  verdict: "no_row",
  looks: 12 * n,
  first_seen_at: ago(7200 * n),
  last_seen_at: ago(60),
  not_before: ago(7200 * n - 1800),
  ...rest,
});

/** @type {Schema<"AdminHealth">} */
export const adminHealth = {
  processes: [
    { name: "kcs-0:8080", version: "0.1.0", seen_at: ago(4) },
    { name: "kcs-1:8080", seen_at: ago(9) },
  ],
  parts: [
    { part: "database", ok: true, message: "answers" },
    { part: "cloud", ok: false, message: "the cloud cannot be reached: no answer of its compute service since 09:14:02 UTC (status 503); it is tried every 15 s" },
    { part: "engine", ok: true, message: "runs" },
  ],
  schema: { version: 21, known: 22 },
  services: [
    { service: "identity", answered_at: ago(2) },
    { service: "compute", answered_at: ago(700), away_since: ago(640), why: "status 503" },
    { service: "network", answered_at: ago(3) },
    { service: "block-storage", answered_at: ago(30) },
    { service: "image" },
    { service: "load-balancer", answered_at: ago(5) },
  ],
  queue: { paused: { everything: true, reason: "The cloud is upgraded.", since: ago(600), by: "operator" }, paused_clusters: 1, pending: 2, running: 3, blocked: 1, in_work: 0, due: 14 },
  oldest_due_at: ago(590),
  sweeps: { running: 1, due: 2, oldest_due_at: ago(620) },
  keys: { next_step: "wait", rows: 2140, left: 763 },
};

/** @type {Schema<"KeyReport">} */
export const keyReport = {
  next_step: "wait",
  active: "2026-11",
  rows: 2140,
  rewrapped: 1377,
  left: 763,
  kinds: [
    { kind: "pki", rows: 40, left: 0 },
    { kind: "session", rows: 2100, left: 763 },
  ],
  keys: [
    { id: "2026-05", rows: 763, active_in: [], missing_in: [] },
    { id: "2026-11", rows: 1377, active_in: ["kcs-0:8080", "kcs-1:8080"], missing_in: [] },
    { id: "2027-05", rows: 0, active_in: [], missing_in: ["kcs-1:8080"] },
  ],
  processes: [
    { name: "kcs-0:8080", active: "2026-11", keys: ["2026-05", "2026-11", "2027-05"], seen_at: ago(4) },
    { name: "kcs-1:8080", active: "2026-11", keys: ["2026-05", "2026-11"], seen_at: ago(9) },
  ],
  unopened: [`pki of cluster ${uuid(17)}: it does not open with any key of the ring`],
};

export const orphans = [
  orphan(1, { kind: "volume", name: "kcs-1a2b3c4d-m0", cluster_name: "shop-old", verdict: "ours", looks: 1, first_seen_at: ago(240), not_before: ago(240 - 1800) }),
  orphan(2, {}),
  orphan(3, { kind: "floating_ip", name: "203.0.113.17", verdict: "contradicted", cluster_name: "shop", project: { id: "p-b", name: "tenant-b" } }),
  orphan(4, { kind: "router", name: `kcs-${uuid(94)}-router`, verdict: "ours", called_at: ago(60), fault: "network delete router: Router 5f1e0c1a still has ports" }),
  orphan(5, { kind: "server", name: "kcs-9f8e7d6c-w1", decision: "delete", decided_by: "operator", called_at: ago(30) }),
  orphan(6, { kind: "security_group", decision: "keep", decided_by: "operator", looks: 4032 }),
  orphan(7, { kind: "load_balancer", name: `kube_service_kcs-${uuid(97).replace(/-/g, "")}_web_gateway`, cluster_name: "shop-old", verdict: "made_inside" }),
];

/** What everybody may have. @type {Partial<Record<Schema<"Limited">, number>>} */
const INSTALLATION = { clusters: 20, nodes: 200, vcpus: 400 };

/**
 * @param {string} id
 * @param {string} name
 * @param {Record<Schema<"Limited">, number>} used
 * @param {Partial<Record<Schema<"Limited">, number | null>>} own
 * @param {Partial<Schema<"AdminTenant">>} [rest]
 * @returns {Schema<"AdminTenant">}
 */
const tenant = (id, name, used, own, rest = {}) => ({ id, name, limits: limitsOf(used, own), allowed: {}, asks: false, cost: { currency: "CNY", per_hour: used.vcpus * 0.11, unpriced: used.clusters > 10 ? ["gpu.private"] : [] }, ...rest });

/** @param {Record<Schema<"Limited">, number>} used @param {Partial<Record<string, number | null>>} own @returns {Schema<"TenantLimit">[]} */
export function limitsOf(used, own) {
  const all = /** @type {Schema<"Limited">[]} */ (Object.keys(used));
  return all.map((resource) => {
    const installation = INSTALLATION[resource] ?? null;
    const mine = own[resource];
    return { resource, used: used[resource], limit: mine === undefined ? installation : mine, own: mine !== undefined, installation };
  });
}

export const tenants = [
  tenant("p-a", "tenant-a", { clusters: 6, nodes: 31, vcpus: 96, memory_gib: 150, volumes: 38, volume_gib: 1140 }, { clusters: 8, nodes: 36, memory_gib: 192, volume_gib: null }, { asks: true, allowed: { flavors: ["m1.medium", "m1.large", "m1.small", "gpu.private"], external_networks: ["net-public"] }, changed_at: ago(864_000), changed_by: "operator" }),
  tenant("p-b", "tenant-b", { clusters: 0, nodes: 0, vcpus: 0, memory_gib: 0, volumes: 0, volume_gib: 0 }, {}),
  tenant("8c2f6f4f3b0d4f0f9a8e6c1d2b3a4958", "research-and-development-of-the-northern-branch", { clusters: 21, nodes: 63, vcpus: 252, memory_gib: 504, volumes: 63, volume_gib: 1260 }, {}, { asks: true }),
];

/** @param {number} n @param {Partial<Schema<"QuotaRequest">>} rest @returns {Schema<"QuotaRequest">} */
const quotaRequest = (n, rest) => ({ id: uuid(820 + n), project: { id: "p-a", name: "tenant-a" }, wanted: { nodes: 60 }, reason: "The season begins: the shop needs twice its nodes until January.", state: "pending", created_at: ago(3600 * n), created_by: "member-a", ...rest });

export const quotaRequests = [
  quotaRequest(1, { wanted: { clusters: 12, nodes: 60, vcpus: 600 } }),
  quotaRequest(2, { project: { id: "8c2f6f4f3b0d4f0f9a8e6c1d2b3a4958", name: "research-and-development-of-the-northern-branch" }, created_by: "somebody-with-an-uncommonly-long-name", wanted: { clusters: 40 } }),
  quotaRequest(30, { state: "declined", decided_at: ago(3600 * 28), decided_by: "operator", words: "There is no room for that this month.\nAsk again after the new hosts are in." }),
  quotaRequest(300, { wanted: { clusters: 8 }, state: "approved", decided_at: ago(3600 * 299), decided_by: "operator" }),
  quotaRequest(500, { wanted: { memory_gib: 512, volume_gib: 20_000 }, state: "withdrawn", decided_at: ago(3600 * 499), decided_by: "owner-a" }),
];

/** Who holds something of KCS's own, in all projects. @type {Schema<"Holder">[]} */
export const people = [
  { id: "8c2f6f4f3b0d4f0f9a8e6c1d2b3a4958", name: "deploy-robot", domain: "default", sessions: 0, tokens: 12, kubeconfigs: 0, last_seen_at: ago(4) },
  { id: "u-member-a", name: "member-a", domain: "default", sessions: 2, tokens: 3, kubeconfigs: 1, last_seen_at: ago(40) },
  { id: "u-member-c", name: "member-c", domain: "default", sessions: 0, tokens: 0, kubeconfigs: 1 },
  { id: "u-operator", name: "operator", domain: "default", sessions: 1, tokens: 0, kubeconfigs: 0, last_seen_at: ago(1) },
  { id: "u-reader-a", name: "reader-a", domain: "default", sessions: 1, tokens: 1, kubeconfigs: 2, last_seen_at: ago(5400) },
];

/** One of each kind that a person may hold. @type {Schema<"Held">[]} */
export const held = [
  { id: uuid(870), kind: "device", name: "laptop", project: { id: "p-a", name: "tenant-a" }, created_at: ago(50), expires_at: ago(-550) },
  { id: uuid(871), kind: "session", project: { id: "p-a", name: "tenant-a" }, created_at: ago(5400), expires_at: ago(-37_800), last_used_at: ago(40) },
  { id: uuid(872), kind: "token", name: "nightly build", project: { id: "8c2f6f4f3b0d4f0f9a8e6c1d2b3a4958", name: "research-and-development-of-the-northern-branch" }, created_at: ago(864_000), expires_at: ago(-864_000), last_used_at: ago(420), last_used_from: "2001:db8:4:9::1f" },
  { id: uuid(873), kind: "kubeconfig", name: "on call", project: { id: "p-a", name: "tenant-a" }, cluster: { id: uuid(1), name: "shop" }, created_at: ago(7200), expires_at: ago(-79_200) },
];

/** What every reader does for themselves. @type {Schema<"Permission">[]} */
const OF_READERS = ["kubeconfig_issue", "kubeconfig_revoke", "token_create", "token_revoke"];

/** @type {Schema<"Permission">[]} */
const OF_MEMBERS = ["cluster_create", "cluster_update", "cluster_delete", "cluster_repair", "control_plane_resize", "node_pool_create", "node_pool_resize", "node_pool_delete", "node_operate", "operation_retry", "operation_cancel", "kubeconfig_revoke_all", "kubernetes_write", "kubernetes_exec", "template_create", "template_change", "quota_request", ...OF_READERS];

/** @type {Omit<Schema<"CustomRole">, "people">[]} */
export const roles = [
  { id: uuid(961), name: "Auditor", permissions: [], changed_at: ago(864_000), changed_by: "owner-a" },
  { id: uuid(962), name: "Operations on call", permissions: ["cluster_update", "cluster_repair", "control_plane_resize", "node_pool_resize", "node_operate", "operation_retry", "operation_cancel", "kubeconfig_revoke_all"], changed_at: ago(5400), changed_by: "owner-a" },
  { id: uuid(963), name: "Release", permissions: ["kubernetes_write", "template_create"], changed_at: ago(90_000), changed_by: "owner-c, who has an uncommonly long name" },
];

/** @param {string} name @param {Partial<Schema<"Member">>} rest @returns {Schema<"Member">} */
const person = (name, rest) => ({ id: `u-${name}`, name, domain: "default", me: false, keystone: "member", places: [], ...(rest.role && { changed_at: ago(7200), changed_by: "owner-a" }), ...rest });

/** Who is in the first project. */
export const members = [
  person("deploy-robot", { keystone: "reader", role: "guest", places: clusters.slice(0, 6).map((of, i) => ({ cluster: of.id, role: i % 2 ? uuid(963) : "member", ...(i > 1 && { namespace: `release-${i}` }) })) }),
  person("guest-a", { keystone: "guest", role: "guest", places: [{ cluster: clusters[0].id, namespace: "default", role: "member" }] }),
  person("gone-last-year", { keystone: undefined, role: "member", places: [{ cluster: uuid(98), role: "reader" }], changed_at: ago(31_000_000) }),
  person("member-a", {}),
  person("member-c", { role: "reader", places: [{ cluster: clusters[3].id, role: "member" }] }),
  person("on-call", { keystone: "reader", role: uuid(962) }),
  person("owner-a", { keystone: "owner" }),
  person("reader-a", { keystone: "reader" }),
];

/** How many have a role of the project's own. @param {(typeof roles)[number]} role */
export const withPeople = (role) => ({ ...role, people: members.filter((member) => member.role === role.id || member.places.some((place) => place.role === role.id)).length });

/** What somebody was given in the project: operators, and people of the other project, are members. @param {string} name */
export function rightsOf(name) {
  const member = members.find((candidate) => candidate.name === name);
  return { role: member ? (member.role ?? member.keystone ?? "guest") : "member", places: member?.places ?? [] };
}

/** @param {string} role @returns {Schema<"Permission">[]} */
function permissionsOfRole(role) {
  if (role === "guest") return [];
  if (role === "owner") return [...OF_MEMBERS, "members_manage"];
  return role === "member" ? OF_MEMBERS : [...OF_READERS, ...(roles.find((own) => own.id === role)?.permissions ?? [])];
}

/** What somebody may do in all of the project, or with a cluster of it. @param {string} name @param {string} [id] Of the cluster. @returns {Schema<"Permission">[]} */
export function permissionsOf(name, id) {
  const { role, places } = rightsOf(name);
  const here = places.filter((place) => !id || place.cluster === id);
  const given = [role, ...here.filter((place) => id && !place.namespace).map((place) => place.role)].flatMap(permissionsOfRole);
  return [...new Set([...given, ...(here.length > 0 ? OF_READERS : [])])];
}

/** The audit log's own lines; `via_id` is of the token or kubeconfig. @typedef {Schema<"AuditLine"> & { via_id?: string | null }} MockLine */

let lineId = 4000;

/**
 * @param {number} seconds How long ago it was.
 * @param {string} action
 * @param {string} kind
 * @param {string} object
 * @param {Partial<Omit<MockLine, "detail">>} [rest]
 * @param {object} [detail]
 * @returns {MockLine}
 */
export function auditLine(seconds, action, kind, object, rest = {}, detail = {}) {
  lineId -= 1;
  return {
    id: lineId,
    at: ago(seconds),
    project: projects[0],
    user: { id: "u-member-a", name: "member-a" },
    via: "session",
    action,
    object_kind: kind,
    object_id: object,
    outcome: "accepted",
    request_id: `0a1b2c3d-${String(lineId).padStart(4, "0")}-4e5f-8a9b-0c1d2e3f4a5b`,
    source: "192.0.2.17",
    ...rest,
    detail: /** @type {MockLine["detail"]} */ (detail),
  };
}

/** @param {number} seconds @param {string} action @param {MockCluster} of @param {Partial<Omit<MockLine, "detail">>} rest @param {object} detail */
const ofCluster = (seconds, action, of, rest, detail) => auditLine(seconds, action, "cluster", of.id, { cluster: of.id, ...rest }, { name: of.name, ...detail });

const pool = { name: "default", flavor: "m1.medium", count: 3, root_volume_gib: 20, zones: ["az1", "az2"], labels: { team: "shop" }, taints: [] };

/** @type {MockLine[]} */
export const auditLines = [
  ofCluster(40, "cluster_update", clusters[2], {}, { before: { deletion_protection: true, repair: "automatic" }, after: { deletion_protection: false } }),
  auditLine(95, "kubernetes_exec", "cluster", clusters[0].id, { cluster: clusters[0].id, via: "kubeconfig", via_id: uuid(701) }, { method: "POST", path: "/api/v1/namespaces/default/pods/web-6d4cf56db6-xxogw/exec", command: "sh -c ls -l /etc/nginx" }),
  auditLine(130, "kubernetes_secret_read", "cluster", clusters[0].id, { cluster: clusters[0].id, user: { id: "u-reader-a", name: "reader-a" }, outcome: "denied", source: "198.51.100.4" }, { method: "GET", path: "/api/v1/namespaces/default/secrets" }),
  ofCluster(300, "node_pool_resize", clusters[3], { operation: uuid(9004), via: "api_token", via_id: uuid(901), source: "2001:db8:4:9::1f" }, { before: { undo: "pool", name: "default", before: pool }, after: { wish: "node_pool_resize", pool: "default", count: 5, remove: [] } }),
  auditLine(420, "kubernetes_write", "cluster", clusters[0].id, { cluster: clusters[0].id, via: "api_token", via_id: uuid(901) }, { method: "PATCH", path: "/apis/apps/v1/namespaces/default/deployments/web" }),
  auditLine(600, "token_create", "token", uuid(901), { outcome: "done" }, { name: "nightly build", narrowing: { permissions: ["node_pool_resize", "kubernetes_write"], clusters: [clusters[0].id], namespaces: null }, cidrs: ["192.0.2.0/24"], expires_at: Math.round(now / 1000) + 2_592_000 }),
  auditLine(700, "member_give", "person", "u-member-c", { user: { id: "u-owner-a", name: "owner-a" }, outcome: "done" }, { name: "member-c", before: { role: "member", places: [{ cluster: clusters[0].id, namespace: "release", role: uuid(963) }] }, after: { role: "reader", places: [{ cluster: clusters[3].id, role: "member" }] } }),
  auditLine(750, "role_update", "role", uuid(962), { user: { id: "u-owner-a", name: "owner-a" }, outcome: "done" }, { name: "Operations on call", before: { name: "On call", permissions: ["cluster_repair"] }, after: { name: "Operations on call", permissions: ["cluster_repair", "node_operate"] } }),
  auditLine(900, "operation_retry", "operation", uuid(9006), { cluster: clusters[5].id, operation: uuid(9006) }, { kind: "cluster_create" }),
  auditLine(1500, "session_create", "session", "u-member-a", { outcome: "done" }, { project: "tenant-a" }),
  ofCluster(3600, "node_pool_delete", clusters[0], { operation: uuid(9009) }, { before: { undo: "pool", name: "gpu", before: { ...pool, name: "gpu", count: 1 } }, after: { wish: "node_pool_delete", pool: "gpu" } }),
  ofCluster(7200, "cluster_create", clusters[1], { operation: uuid(9002), via: "keystone_token" }, { after: completeSpec(templates[0].spec) }),
  auditLine(9000, "kubeconfig_revoke", "kubeconfig", uuid(703), { cluster: clusters[0].id, outcome: "done" }, { name: "deploy job" }),
  auditLine(9100, "template_update", "template", uuid(801), {}),
  ofCluster(86_400, "cluster_delete", cluster(8, "gone-yesterday", "Deleting"), { operation: uuid(9008) }, { volumes: "keep" }),
  auditLine(90_000, "volume_rebalance", "volume", "4b1f0c1e-7f6a-4f1e-9d37-2f3c1a5b6c7d", { outcome: "failed" }),
  ...Array.from({ length: 60 }, (_, i) => auditLine(100_000 + i * 3600, i % 2 ? "session_delete" : "session_create", "session", "u-reader-a", { user: { id: "u-reader-a", name: "reader-a" }, outcome: "done", source: "198.51.100.4" }, { project: "tenant-a" })),
];

/** What only operators see besides. @type {MockLine[]} */
export const platformLines = [
  auditLine(20, "orphan_decide", "orphan", uuid(705), { user: { id: "u-operator", name: "operator" }, project: { id: "p-admin", name: "admin" }, outcome: "done" }, { tenant: "p-a", decision: "delete", kind: "server", cloud_id: "5f1e0c1a-0000-4000-8000-000000000005", name: "kcs-9f8e7d6c-w1", cluster: uuid(95) }),
  auditLine(70, "orphan_remove", "orphan", uuid(701), { user: { id: "", name: "kcs" }, via: "engine", project: { id: "p-b", name: "tenant-b" }, request_id: "", source: "" }, { verdict: "ours", decision: null, looks: 2, kind: "volume", cloud_id: "5f1e0c1a-0000-4000-8000-000000000001", name: "kcs-1a2b3c4d-m0", cluster: uuid(91) }),
  ...auditLines,
];

/** @param {number} n @param {string} name @param {Partial<Schema<"ApiToken">>} rest @returns {Schema<"ApiToken">} */
const token = (n, name, rest) => ({ id: uuid(900 + n), name, created_by: "member-a", mine: true, cidrs: [], created_at: ago(600 * n), expires_at: ago(-2_592_000), ...rest });

/** How much the engine has to do. @type {import("../../src/api/schema").components["schemas"]["Queue"]} */
export const queue = { pending: 1, running: 3, blocked: 1, in_work: 4, due: 2, paused_clusters: 0 };

/** @type {import("../../src/api/schema").components["schemas"]["AdminAnnouncement"][]} */
export const announcements = [
  { id: "0199c0de-0000-7000-8000-000000000a03", kind: "maintenance", severity: "warning", zh: "\u7f51\u7edc\u5347\u7ea7\uff0c\u521b\u5efa\u96c6\u7fa4\u4f1a\u53d8\u6162\u3002", en: "The network is upgraded; creating clusters takes longer.", from: ago(-86_400), until: ago(-93_600), changed_at: ago(600), created_at: ago(600), created_by: "operator", state: "upcoming" },
  { id: "0199c0de-0000-7000-8000-000000000a01", kind: "notice", severity: "info", zh: "\u73b0\u5df2\u63d0\u4f9b v1.36.3\u3002", en: "v1.36.3 is offered now.", from: ago(864_000), changed_at: ago(864_000), created_at: ago(864_000), created_by: "operator", state: "ended", ended_by: "operator" },
];

/** What is offered, and used. @type {import("../../src/api/schema").components["schemas"]["AdminCatalogue"]} */
export const adminCatalogue = {
  versions: [...versions.map((offered, i) => ({ version: offered.version, offered, clusters: 5 - i })), { version: "v1.30.1", offered: null, clusters: 1 }],
  flavors: [...flavors.map(({ name, vcpus, ram_mib }, i) => ({ name, vcpus, ram_mib, offered: true, clusters: i, machines: 3 * i })), { name: "m0.retired", offered: false, clusters: 1, machines: 3 }],
  templates: templates.map(({ id, name, name_zh, spec }, i) => ({ id, name, name_zh, version: spec.version ?? undefined, flavors: [flavors[1].name], missing: i === 1 ? ["m0.retired"] : [] })),
  images: [
    { id: "6d0f3a52-4c1e-4b7e-9d37-2f3c1a5b6c01", name: "kcs-node-v1.36.3", status: "active", kubernetes_version: "v1.36.3", size_bytes: 2_254_857_830, min_disk_gib: 10, min_ram_mib: 512, visibility: "public", versions: ["v1.36.3"] },
    { id: "6d0f3a52-4c1e-4b7e-9d37-2f3c1a5b6c02", name: "kcs-node-v1.35.4", status: "queued", kubernetes_version: "v1.35.4", min_disk_gib: 10, min_ram_mib: 512, visibility: "shared", versions: ["v1.35.4"] },
    { id: "6d0f3a52-4c1e-4b7e-9d37-2f3c1a5b6c03", name: "kcs-node-v1.34.9-with-the-drivers-of-the-rack-in-the-basement", status: "deactivated", kubernetes_version: "v1.34.9", size_bytes: 734_003_200, min_disk_gib: 0, min_ram_mib: 0, visibility: "private", versions: [] },
  ],
  addons: [
    { name: "pod_network", version: "v0.28.4", essential: true, default: true, images: ["registry.example.org/mirror/flannel-io/flannel:v0.28.4"], clusters: 8 },
    { name: "storage", version: "v5.3.0", essential: true, default: true, images: ["csi-provisioner:v5.3.0", "csi-attacher:v4.12.0"].map((image) => `registry.example.org/mirror/sig-storage/${image}`), clusters: 7 },
    { name: "dns", essential: true, default: true, images: ["v1.14.2", "v1.13.1"].map((tag) => `registry.example.org/mirror/coredns/coredns:${tag}`), clusters: 8 },
    { name: "ingress", version: "v3.6.2", essential: false, default: false, images: ["registry.example.org/mirror/library/traefik:v3.6.2"], clusters: 1 },
  ],
  prices: {
    currency: "CNY",
    flavors: [...flavors.map(({ name }, i) => ({ name, offered: true, ...(i < 2 && { per_hour: 0.21 * (i + 1) }) })), { name: "m0.retired", offered: false, per_hour: 0.1 }],
    volume_gib: [{ name: "default", offered: true, per_hour: 0.0006 }, { name: "ssd", offered: true }],
    load_balancer: 0.12,
    floating_ip: 0.03,
  },
};

/** A cluster whose project was deleted in the cloud, as operators see it. */
export const abandoned = cluster(7, "retired", "Deleting", { project: { id: "p-gone", name: "former-team" }, status: { phase: "Deleting", conditions: conditions({ CloudReachable: ["False", "TenantGone", "there is no project p-gone any more", "KCS-AUTH-014"] }), masters_ready: 0, nodes_ready: 0 } });

/** Its receipt. @type {Schema<"Receipt">} */
export const unseenReceipt = {
  removed: [],
  kept: [],
  left: [],
  unseen: [
    { kind: "server", name: "kcs-7a2b3c4d-m-0", cloud_id: "5f0c1d7e-7d0b-4f4a-9a70-1f5f6a0c2b11" },
    { kind: "load_balancer", name: "kcs-7a2b3c4d-api", cloud_id: "0d4a9f52-51c4-4f0e-8e0e-2f86d7f1c9aa" },
  ],
};

/** What the configuration says. @type {Record<string, unknown>} */
const CONFIGURED = {
  "limits.clusters_per_project": 20,
  "limits.nodes_per_project": null,
  "limits.vcpus_per_project": null,
  "limits.memory_gib_per_project": 4096,
  "limits.volumes_per_project": null,
  "limits.volume_gib_per_project": null,
  "limits.nodes_per_pool": 100,
  "limits.nodes_per_cluster": 500,
  "limits.kubeconfig_days": 30,
  versions: versions.map(({ version, support, image }) => ({ version, support, image })),
  templates,
  prices: null,
  "audit.retention_days": 365,
  "audit.forward": "https://siem.example.org/\u2026",
};

/** What is set, by key. @param {Schema<"InstallationSettings">} set */
function settingsByKey(set) {
  /** @type {Record<string, unknown>} */
  const all = { versions: set.versions, templates: set.templates, prices: set.prices };
  for (const [name, value] of Object.entries(set.limits ?? {})) all[`limits.${name}`] = value;
  for (const [name, value] of Object.entries(set.audit ?? {})) all[`audit.${name}`] = value;
  return all;
}

/** @param {Schema<"InstallationSettings">} before @param {Schema<"InstallationSettings">} after @returns {Schema<"Difference">[]} */
function settingsDifferences(before, after) {
  const [was, is] = [settingsByKey(before), settingsByKey(after)];
  return Object.keys(CONFIGURED).filter((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key])).map((key) => ({ key, ...(was[key] !== undefined && { before: was[key] }), ...(is[key] !== undefined && { after: is[key] }) }));
}

const ownPrices = { currency: "CNY", flavors: { "m1.small": 0.21, "m1.medium": 0.42 }, volume_gib: { default: 0.0006 }, load_balancer: 0.12, floating_ip: 0.03 };

/** @type {Schema<"SettingsRevision">[]} */
export const settingsHistory = [
  { revision: 3, changed_at: ago(3600), changed_by: "operator", comment: "the receiver has moved", set: { limits: { clusters_per_project: 30, nodes_per_project: 400 }, prices: ownPrices, audit: { forward: "https://logs.example.org/kcs" } }, differences: [{ key: "audit.forward", after: "https://logs.example.org/kcs" }, { key: "audit.forward_authorization", before: true, after: true }] },
  { revision: 2, changed_at: ago(200_000), changed_by: "olga", set: { limits: { clusters_per_project: 30, nodes_per_project: 400 }, prices: ownPrices, audit: {} }, differences: [{ key: "limits.nodes_per_project", before: null, after: 400 }, { key: "prices", before: { ...ownPrices, flavors: { "m1.small": 0.2 } }, after: ownPrices }] },
  { revision: 1, changed_at: ago(900_000), changed_by: "operator", comment: "a first price list", set: { limits: { clusters_per_project: 30, nodes_per_project: null }, prices: { ...ownPrices, flavors: { "m1.small": 0.2 } }, audit: {} }, differences: [{ key: "limits.clusters_per_project", after: 30 }, { key: "limits.nodes_per_project", after: null }, { key: "prices", after: { ...ownPrices, flavors: { "m1.small": 0.2 } } }] },
];

/** @returns {Schema<"AdminSettings">} */
export function adminSettings() {
  const { revision, changed_at, changed_by, set } = settingsHistory[0];
  const own = settingsByKey(set);
  const mark = { set_by: changed_by, set_at: changed_at };
  const values = Object.entries(CONFIGURED).map(([key, configured]) => ({ key, value: own[key] === undefined ? configured : own[key], configured, ...(own[key] !== undefined && mark) }));
  return { revision, changed_at, changed_by, set, values: [...values, { key: "audit.forward_authorization", value: true, configured: false, ...mark }] };
}

/** @param {string} key */
const well = (key) => ({ key, level: "ok", message: "", params: {} });

/** What a request would come to: a small limit is below what somebody has, and a receiver called "down" takes nothing. @param {Schema<"SettingsRequest">} request @returns {Schema<"SettingsTest">} */
export function settingsTest({ limits = {}, versions: offered, templates: presets, prices, audit = {} }) {
  const most = limits.clusters_per_project ?? 20;
  const field = "limits.clusters_per_project";
  const checks = /** @type {Schema<"Check">[]} */ (/** @type {unknown} */ ([
    well("values"),
    most < 6 ? { key: "limits", level: "warning", code: "KCS-SET-001", message: "1 projects have more", remedy: "Choose a greater limit.", field, params: { key: field, over: 1, limit: most } } : well("limits"),
    ...["versions", "templates", "prices", "audit_retention", "audit_forward"].map(well),
    audit.forward?.includes("down") ? { key: "audit_test_line", level: "blocked", code: "KCS-SET-003", message: "the receiver cannot be reached", remedy: "Correct the address.", field: "audit.forward", params: { reason: "unreachable", status: null } } : well("audit_test_line"),
  ]));
  const { forward_authorization: _secret, ...rest } = audit;
  return { checks, differences: settingsDifferences(settingsHistory[0].set, { limits, versions: offered, templates: presets, prices, audit: rest }), blocked: checks.some((check) => check.level === "blocked") };
}

/** @param {Schema<"SettingsRequest">} request @param {Schema<"Difference">[]} differences @param {string} by */
export function saveSettings({ limits, versions: offered, templates: presets, prices, audit = {}, comment }, differences, by) {
  const { forward_authorization: _secret, ...rest } = audit;
  settingsHistory.unshift({ revision: settingsHistory[0].revision + 1, changed_at: new Date().toISOString(), changed_by: by, comment, set: { limits, versions: offered, templates: presets, prices, audit: rest }, differences });
}

/** A program that waits to be signed in. @type {Schema<"DeviceSignIn">} */
export const deviceSignIn = { client_name: "kcs 0.1.0", host_name: "build-host-7.example.org", source: "2001:db8:4:9::1f", created_at: ago(20), expires_at: ago(-580) };

export const tokens = [
  token(1, "nightly build", { permissions: ["node_pool_resize", "kubernetes_write"], clusters: [clusters[0].id, clusters[3].id], namespaces: ["shop", "shop-staging"], cidrs: ["192.0.2.0/24", "2001:db8:4::/48"], last_used_at: ago(420), last_used_from: "2001:db8:4:9::1f" }),
  token(2, "dashboard", { created_by: "reader-a", mine: false, permissions: [], last_used_at: ago(30), last_used_from: "198.51.100.4", expires_at: ago(-80_000) }),
  token(3, "terraform", { permissions: ["cluster_create", "cluster_update", "cluster_delete", "node_pool_create", "node_pool_resize", "node_pool_delete"] }),
  token(4, "everything", { expires_at: ago(-31_000_000), last_used_at: ago(9_000_000), last_used_from: "192.0.2.17" }),
  token(5, "last summer", { permissions: ["kubernetes_exec"], clusters: [uuid(97)], expires_at: ago(86_400) }),
  token(6, "leaked", { created_by: "member-c", mine: false, revoked_at: ago(4000), last_used_at: ago(5000), last_used_from: "203.0.113.99" }),
];
