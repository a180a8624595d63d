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
    addons: {
      pod_network: request?.addons?.pod_network ?? true,
      cloud_controller: request?.addons?.cloud_controller ?? true,
      storage: request?.addons?.storage ?? true,
      metrics: request?.addons?.metrics ?? true,
      ingress: request?.addons?.ingress ?? false,
      isolate_namespaces: request?.addons?.isolate_namespaces ?? false,
    },
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

/** @typedef {Schema<"Cluster"> & { born: number }} MockCluster */

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
  cluster_delete: [
    ["remove_nodes", 10, ["server", "port", "volume"]],
    ["delete_load_balancer", 5, ["load_balancer", "floating_ip"]],
    ["delete_network", 5, ["network", "subnet", "router", "security_group"]],
    ["scan", 1, []],
    ["delete_credential", 1, ["application_credential"]],
  ],
};

/** @type {Partial<Record<Schema<"StepKey">, string>>} */
export const WAITING = { network: "Network", api_load_balancer: "LoadBalancer", first_master: "Server", api_ready: "ControlPlane", node_pools: "NodesJoining", health: "Health", remove_nodes: "ObjectsGoing", delete_load_balancer: "ObjectsGoing", delete_network: "ObjectsGoing", scan: "Scan" };

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

/** @type {MockCluster[]} */
export const clusters = [
  cluster(1, "shop-production", "Running"),
  cluster(2, "team-sandbox", "Provisioning", { status: { phase: "Provisioning", conditions: conditions({ ApiReachable: ["Unknown", "NotThereYet"], NodesReady: ["Unknown", "NotKnown"], InfrastructureReady: ["False", "ObjectsMissing", "4"] }), masters_ready: 0, nodes_ready: 0 } }),
  cluster(3, "billing", "Degraded", {
    spec: completeSpec({ ...templates[1].spec, deletion_protection: true }),
    status: { phase: "Degraded", conditions: conditions({ InfrastructureReady: ["False", "ObjectsDrifted", "kcs-1a2b3c4d-security-group (rules: +1)", "KCS-CLOUD-006"], ControlPlaneHealthy: ["False", "MastersNotReady", "kcs-1a2b3c4d-m-2"] }), api_endpoint: "https://127.30.0.3:6443", api_vip: "10.0.0.5", masters_ready: 2, nodes_ready: 3 },
  }),
  cluster(4, "machine-learning", "Updating"),
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
  { id: uuid(501), name: "kcs-1a2b3c4d-m-0", pool: "control-plane", role: "master", ready: true, removing: false, bootstrap: { state: "done", at: ago(3400) }, server: { id: "c4d10e77-6b1d-4d1c-9a0b-77c2b8d1e00a", state: "known", status: "ACTIVE", zone: "az1" }, address: "10.0.0.10", kubelet_version: "v1.36.3", created_at: ago(3500) },
  { id: uuid(502), name: "kcs-1a2b3c4d-w0-0", pool: "default", role: "worker", ready: true, removing: false, bootstrap: { state: "done", at: ago(3300) }, server: { id: "c4d11e77-6b1d-4d1c-9a0b-77c2b8d1e01a", state: "known", status: "ACTIVE", zone: "az2" }, address: "10.0.0.11", kubelet_version: "v1.36.3", created_at: ago(3480) },
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

/** @type {Schema<"Kubeconfig">[]} */
export const kubeconfigs = [
  { id: uuid(701), name: "laptop", created_at: ago(7200), expires_at: ago(-79_200), last_used_at: ago(40), created_by: "member-a", mine: true },
  { id: uuid(702), name: "", created_at: ago(90_000), expires_at: ago(3600), created_by: "reader-a", mine: false },
  { id: uuid(703), name: "deploy job", created_at: ago(172_800), expires_at: ago(-2_000_000), last_used_at: ago(90_000), created_by: "member-a", mine: true, revoked_at: ago(4000) },
];

/** @type {Schema<"List_Addon">["items"]} */
export const addons = [
  { name: "pod_network", version: "v0.27.4", essential: true, state: "ready", ready: 3, desired: 3 },
  { name: "cloud_controller", version: "v1.35.0", essential: true, state: "ready", ready: 1, desired: 1 },
  { name: "storage", version: "v1.35.0", essential: true, state: "progressing", ready: 3, desired: 4, message: "csi-cinder-nodeplugin: 2 of 3 pods are ready (kcs-1a2b3c4d-w0-1: ImagePullBackOff)" },
  { name: "dns", essential: true, state: "ready", ready: 2, desired: 2 },
  { name: "metrics", version: "v0.8.0", essential: false, state: "pending", ready: 0, desired: 1 },
];

/** @type {Schema<"KubernetesNode">[]} */
export const kubernetesNodes = nodes.slice(0, 3).map((node, i) => ({ name: node.name, status: i === 2 ? "NotReady" : "Ready", schedulable: i !== 1, roles: i === 0 ? ["control-plane"] : [], version: "v1.36.3", cpu: "2", memory: "4016Mi", pods: "110", labels: {} }));

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

export const orphans = [
  orphan(1, { kind: "volume", name: "kcs-1a2b3c4d-m0", cluster_name: "shop-old", verdict: "ours", looks: 1, first_seen_at: ago(240), not_before: ago(240 - 1800) }),
  orphan(2, {}),
  orphan(3, { kind: "floating_ip", name: "203.0.113.17", verdict: "contradicted", cluster_name: "shop", project: { id: "p-b", name: "tenant-b" } }),
  orphan(4, { kind: "router", name: `kcs-${uuid(94)}-router`, verdict: "ours", called_at: ago(60), fault: "network delete router: Router 5f1e0c1a still has ports" }),
  orphan(5, { kind: "server", name: "kcs-9f8e7d6c-w1", decision: "delete", decided_by: "operator", called_at: ago(30) }),
  orphan(6, { kind: "security_group", decision: "keep", decided_by: "operator", looks: 4032 }),
];
