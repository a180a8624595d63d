// @ts-check
// A stand-in for the API, for looking at screens and for browser tests where no backend runs. It answers in the API's shapes, but nothing behind it is real.
import { createServer } from "node:http";
import { createReadStream, existsSync, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import * as data from "./data.mjs";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const port = Number(process.env.PORT ?? 4180);
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json" };

/** @type {Map<string, { user: string, project: { id: string, name: string } }>} */
const sessions = new Map();
let serial = 100;
const changed = new Set();

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

/**
 * @param {Response} response
 * @param {number} status
 * @param {unknown} [body]
 * @param {Record<string, string>} [headers]
 */
function send(response, status, body, headers = {}) {
  const problem = status >= 400;
  response.writeHead(status, { "Content-Type": problem ? "application/problem+json" : "application/json", "Cache-Control": "no-store", ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {string} code
 * @param {Record<string, unknown>} [more]
 */
function fail(response, status, code, more = {}) {
  send(response, status, { type: `/problems/${code}`, title: code, status, detail: code, code, params: {}, retryable: false, remedy: "", request_id: "mock-request-1", ...more });
}

/** @param {unknown[]} items @param {URL} url */
function page(items, url) {
  const limit = Number(url.searchParams.get("limit") ?? 50);
  const from = Number(url.searchParams.get("cursor") ?? 0);
  return { items: items.slice(from, from + limit), total: items.length, ...(from + limit < items.length && { next_cursor: String(from + limit) }) };
}

/** @param {Request} request */
async function readBody(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

/** @param {{ user: string, project: { id: string, name: string } }} session */
function sessionBody(session) {
  const operator = session.user === "operator";
  const { role } = data.rightsOf(session.user);
  const roles = ["owner", "member", "reader", "guest"].filter((builtIn) => builtIn === role);
  return { user: { id: `u-${session.user}`, name: session.user, domain: "default" }, project: session.project, projects: data.projects, roles, permissions: data.permissionsOf(session.user), operator, csrf_token: "csrf", address: "203.0.113.9", expires_at: data.ago(-3600) };
}

/** @param {string} name */
const flavor = (name) => data.flavors.find((candidate) => candidate.name === name) ?? data.flavors[1];

/** The least a node's image needs of a disk. */
const IMAGE_GIB = 15;

/** What the project has used of its quotas, and may use. @type {Record<string, [number, number | null]>} */
const QUOTAS = { instances: [6, 20], vcpus: [14, 32], ram_mib: [28_672, 65_536], volumes: [6, 40], gigabytes: [120, 1000], networks: [2, 10], subnets: [2, 10], routers: [2, 10], ports: [14, null], floating_ips: [2, 5], security_groups: [4, 20], load_balancers: [2, 10] };

/** @param {Record<string, number>} needs @returns {import("../../src/api/schema").components["schemas"]["QuotaNeed"][]} */
function quotaNeeds(needs) {
  return Object.entries(needs).map(([resource, need]) => ({ resource, used: QUOTAS[resource][0], limit: QUOTAS[resource][1], need, promised: 0 }));
}

/** What the project has of its limits in KCS, and may have. @type {Record<string, [number, number]>} */
const LIMITS = { clusters: [6, 8], nodes: [31, 36], memory_gib: [150, 192] };

/** @param {Record<string, number>} needs @returns {import("../../src/api/schema").components["schemas"]["QuotaNeed"][]} */
function limitNeeds(needs) {
  return Object.entries(LIMITS).map(([resource, [used, limit]]) => ({ resource, used, limit, need: needs[resource] ?? 0, promised: 0 }));
}

/** @param {ReturnType<typeof limitNeeds>} limits */
function limitChecks(limits) {
  const short = limits.filter((entry) => entry.need > 0 && entry.used + entry.need > Number(entry.limit));
  if (short.length === 0) return [{ key: "tenant_quota", level: "ok", message: "", params: {} }];
  return short.map((entry) => ({ key: "tenant_quota", level: "blocked", code: "KCS-QUOTA-005", message: "short", params: { resource: entry.resource, need: entry.need, used: entry.used, limit: entry.limit } }));
}

/** @param {ReturnType<typeof quotaNeeds>} quota */
function quotaChecks(quota) {
  const short = quota.filter((entry) => entry.limit !== null && entry.used + entry.need > entry.limit);
  if (short.length === 0) return [{ key: "quota", level: "ok", message: "", params: {} }];
  return short.map((entry) => ({ key: "quota", level: "blocked", code: "KCS-QUOTA-001", message: "short", params: { resource: entry.resource, need: entry.need, left: Number(entry.limit) - entry.used } }));
}

const lacks = (/** @type {string} */ reason, /** @type {string} */ field) => ({ key: "block_storage", level: "blocked", code: "KCS-VOL-003", message: "the cloud has no block storage service", params: { reason }, field });

/** What a cloud can do: for a cluster of this name it has no volumes and lets nobody make credentials. @param {string} name */
function cloudChecks(name) {
  if (name !== "diskless") return ["block_storage", "credentials"].map((key) => ({ key, level: "ok", message: "", params: {} }));
  return [
    lacks("root", "spec.control_plane.root_volume_gib"),
    lacks("claims", "spec.addons.storage"),
    { key: "credentials", level: "blocked", code: "KCS-CLOUD-002", message: "You are not authorized to perform the requested action: identity:create_user", params: {} },
  ];
}

/** Addresses that the subnet of any cluster's nodes has left. */
const FREE_ADDRESSES = 6;

/** One more than there come is needed, for a node that is replaced. @param {number} more */
function addressChecks(more) {
  if (more === 0) return [];
  if (more < FREE_ADDRESSES) return [{ key: "addresses", level: "ok", message: "", params: {} }];
  return [{ key: "addresses", level: "blocked", code: "KCS-NET-003", message: "too few addresses are left", params: { free: FREE_ADDRESSES, need: more + 1 }, field: "count" }];
}

/** @param {import("../../src/api/schema").components["schemas"]["ClusterRequest"]} request */
function plan(request) {
  const template = data.templates.find((candidate) => candidate.id === request.template);
  const spec = data.completeSpec(request.spec ?? template?.spec);
  const workers = spec.node_pools.reduce((sum, pool) => sum + pool.count, 0);
  const servers = workers + spec.control_plane.count;
  const vcpus = spec.node_pools.reduce((sum, pool) => sum + pool.count * flavor(pool.flavor).vcpus, flavor(spec.control_plane.flavor).vcpus * spec.control_plane.count);
  const ram = spec.node_pools.reduce((sum, pool) => sum + pool.count * flavor(pool.flavor).ram_mib, flavor(spec.control_plane.flavor).ram_mib * spec.control_plane.count);
  const quota = quotaNeeds({ instances: servers, vcpus, ram_mib: ram, volumes: servers, gigabytes: servers * 20, networks: 1, subnets: 1, routers: 1, ports: servers + 2, floating_ips: 1, security_groups: 2, load_balancers: 1 });
  const limits = limitNeeds({ clusters: 1, nodes: servers, memory_gib: ram / 1024 });
  const taken = data.clusters.some((cluster) => cluster.name === request.name);
  const version = data.versions.find((candidate) => candidate.version === spec.version);
  const checks = [
    taken ? { key: "name", level: "blocked", code: "KCS-NAME-001", message: "taken", params: { cluster: request.name }, field: "name" } : { key: "name", level: "ok", message: "", params: {} },
    { key: "version", level: "ok", message: "", params: {} },
    version?.image_status === "active"
      ? { key: "image", level: "ok", message: "", params: {} }
      : { key: "image", level: "blocked", code: "KCS-IMG-002", message: "the image is queued", params: { image: "kcs-node", progress: 42 }, field: "spec.version" },
    ...["flavors", "zones", "volume_types", "external_network", "load_balancer", "allowed", "cluster_quota"].map((key) => ({ key, level: "ok", message: "", params: {} })),
    ...cloudChecks(request.name),
    ...limitChecks(limits),
    ...quotaChecks(quota),
  ];
  const objects = [
    ...["application_credential", "network", "subnet", "router", "router_interface", "load_balancer", "floating_ip"].map((kind) => ({ kind, name: "", count: 1 })),
    { kind: "security_group", name: "", count: 2 },
    ...["port", "volume", "server"].flatMap((kind) => [
      { kind, name: "control-plane", count: spec.control_plane.count },
      { kind, name: "default", count: workers },
    ]),
  ];
  return { spec, checks, limits, quota, objects, cost: data.costOf(spec), blocked: checks.some((check) => check.level === "blocked") };
}

/**
 * What a change of a cluster's size comes to. `given`: the pool as it shall be, or the control plane.
 * @param {data.MockCluster} cluster
 * @param {string} pool
 * @param {{ flavor: string, count: number, root_volume_gib?: number, data_volumes?: { size_gib: number }[] | null }} given
 * @param {number} from
 */
function sizePlan(cluster, pool, given, from) {
  const { spec } = cluster;
  const masters = pool === "control-plane";
  const others = spec.node_pools.filter((other) => masters || other.name !== pool);
  const after = /** @type {typeof spec} */ ({ ...spec, control_plane: masters ? given : spec.control_plane, node_pools: masters ? others : [...others, given] });
  const more = Math.max(0, given.count - from);
  const { vcpus, ram_mib } = flavor(given.flavor);
  const volume = given.root_volume_gib ?? 20;
  const disks = given.data_volumes ?? [];
  const volumes = (volume > 0 ? 1 : 0) + disks.length;
  const quota = more === 0 ? [] : quotaNeeds({ instances: more, vcpus: more * vcpus, ram_mib: more * ram_mib, volumes: more * volumes, gigabytes: more * disks.reduce((sum, disk) => sum + disk.size_gib, volume), ports: more });
  const limits = limitNeeds({ nodes: more, memory_gib: (more * ram_mib) / 1024 });
  const small = more > 0 && volume > 0 && volume < IMAGE_GIB;
  const checks = [
    ...(more === 0 ? [] : ["image", ...(small ? [] : ["flavors"]), "zones", "volume_types"].map((key) => ({ key, level: "ok", message: "", params: {} }))),
    ...(small ? [{ key: "flavors", level: "blocked", code: "KCS-CMP-013", message: `${volume} GiB for the system, ${IMAGE_GIB} GiB are needed`, params: { flavor: given.flavor, disk_gib: volume, minimum_gib: IMAGE_GIB }, field: `${masters ? "spec.control_plane" : "spec.node_pools[0]"}.root_volume_gib` }] : []),
    ...addressChecks(more),
    ...limitChecks(limits),
    ...quotaChecks(quota),
    { key: "replacement_room", level: "ok", message: "", params: {} },
  ];
  const removed = Array.from({ length: Math.max(0, from - given.count) }, (_, i) => `kcs-1a2b3c4d-${masters ? "m" : "w0"}-${from - 1 - i}`);
  const objects = ["port", "volume", "server"].map((kind) => ({ kind, name: pool, count: kind === "volume" ? more * volumes : more })).filter((object) => object.count > 0);
  return { from, to: given.count, removed, checks, limits, quota, objects, cost: data.costOf(after), blocked: checks.some((check) => check.level === "blocked") };
}

/** Moves an operation on, one step every `pace` ms. @param {import("../../src/api/schema").components["schemas"]["Operation"]} operation @param {() => void} done */
function run(operation, done, pace = Number(process.env.PACE ?? 700)) {
  let at = 0;
  const started = Date.now();
  const timer = setInterval(() => {
    at += 1;
    const cluster = data.clusters.find((candidate) => candidate.id === operation.cluster.id);
    const whole = operation.steps.reduce((sum, step) => sum + step.usual_seconds, 0);
    const passed = operation.steps.slice(0, at).reduce((sum, step) => sum + step.usual_seconds, 0);
    operation.steps = data.steps(operation.kind, at, started);
    operation.progress = Math.round((passed / whole) * 100);
    if (at >= operation.steps.length) {
      clearInterval(timer);
      operation.state = "succeeded";
      operation.finished_at = new Date().toISOString();
      done();
    } else if (cluster) {
      cluster.operation = { id: operation.id, kind: operation.kind, state: "running", progress: operation.progress, step: operation.steps[at]?.key };
    }
    for (const tell of changed) tell();
  }, pace);
}

/** @param {import("../../src/api/schema").components["schemas"]["OperationKind"]} kind @param {data.MockCluster} cluster */
function begin(kind, cluster) {
  const operation = data.operation(serial++, kind, cluster, "running", 0, { created_at: new Date().toISOString(), started_at: new Date().toISOString() });
  operation.steps = data.steps(kind, 0, Date.now());
  data.operations.unshift(operation);
  cluster.operation = { id: operation.id, kind, state: "running", progress: 0, step: operation.steps[0]?.key };
  return operation;
}

/** Plays a change of a cluster that is there. @param {import("../../src/api/schema").components["schemas"]["OperationKind"]} kind @param {data.MockCluster} cluster @param {Response} response */
function change(kind, cluster, response) {
  const { phase } = cluster.status;
  cluster.status = { ...cluster.status, phase: "Updating" };
  const operation = begin(kind, cluster);
  run(operation, () => {
    cluster.operation = undefined;
    cluster.status = { ...cluster.status, phase };
  });
  return send(response, 202, { operation });
}

/** @param {Request} request @param {Response} response */
function stream(request, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const beat = setInterval(() => response.write("event: heartbeat\ndata: {}\n\n"), 15_000);
  request.on("close", () => clearInterval(beat));
}

/** @param {Request} request @param {Response} response @param {URL} url */
async function api(request, response, url) {
  const path = url.pathname.slice("/api/v1".length);
  const parts = path.split("/").filter(Boolean);
  const method = request.method ?? "GET";
  const cookie = /kcs_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  if (path === "/about") return send(response, 200, { version: "0.1.0", environment: "dev", direct_access: true, notes: [] });
  if (path === "/session" && method === "POST") {
    const given = await readBody(request);
    if (given.password === "wrong") return fail(response, 401, "KCS-AUTH-003");
    const id = `s${serial++}`;
    const session = { user: given.username, project: given.username === "member-b" ? data.projects[1] : data.projects[0] };
    sessions.set(id, session);
    return send(response, 200, sessionBody(session), { "Set-Cookie": `kcs_session=${id}; HttpOnly; SameSite=Strict; Path=/` });
  }
  if (path === "/session/federation") return send(response, 200, { items: [], total: 0 });
  const session = sessions.get(cookie);
  if (!session) return fail(response, 401, "KCS-AUTH-001");
  if (path === "/session") {
    if (method === "DELETE") {
      sessions.delete(cookie);
      return send(response, 204);
    }
    if (method === "PUT") {
      const given = await readBody(request);
      session.project = data.projects.find((project) => project.id === given.project) ?? session.project;
    }
    return send(response, 200, sessionBody(session));
  }
  const { role, places } = data.rightsOf(session.user);
  const guest = role === "guest";
  const mine = (session.project.id === "p-a" ? data.clusters : []).filter((cluster) => !guest || places.some((place) => place.cluster === cluster.id));
  for (const cluster of mine) {
    cluster.permissions = data.permissionsOf(session.user, cluster.id);
    const open = guest ? places.flatMap((place) => (place.cluster === cluster.id && place.namespace ? [place.namespace] : [])) : [];
    cluster.namespaces = open.length > 0 ? open : undefined;
  }
  const wanted = path === "/clusters/plan" ? "cluster_create" : parts[0] === "members" || parts[0] === "roles" ? "members_manage" : parts[0] === "quota-requests" ? "quota_request" : undefined;
  if (wanted && method !== "GET" && !data.permissionsOf(session.user).some((permission) => permission === wanted)) return fail(response, 403, "KCS-RBAC-001");
  if (parts[0] === "templates" && method !== "GET") return templateApi(request, response, parts);
  if (path === "/costs") {
    const clusters = mine.map((cluster) => ({ id: cluster.id, name: cluster.name, per_hour: cluster.cost?.per_hour ?? 0, unpriced: cluster.cost?.unpriced ?? [] }));
    return send(response, 200, session.project.id === "p-a" ? { currency: "CNY", per_hour: clusters.reduce((sum, cluster) => sum + cluster.per_hour, 0), clusters } : { clusters });
  }
  const lists = { "/project-networks": data.projectNetworks, "/key-pairs": [{ name: "operations" }, { name: "laptop" }], "/load-balancer-providers": [{ name: "amphora" }, { name: "ovn" }], "/images": [], "/flavors": data.flavors, "/versions": data.versions, "/templates": data.templates, "/zones": ["az1", "az2", "az3"].map((name, i) => ({ name, available: i !== 2 })), "/volume-types": [{ id: "v1", name: "standard", default: true }, { id: "v2", name: "ssd", default: false }], "/networks": [{ id: "net-public", name: "public" }] };
  if (path in lists) return send(response, 200, { items: lists[/** @type {keyof typeof lists} */ (path)] });
  if (path === "/events") {
    stream(request, response);
    const tell = () => response.write("event: clusters_changed\ndata: {}\n\n");
    changed.add(tell);
    request.on("close", () => changed.delete(tell));
    return undefined;
  }
  if (path === "/admin/clusters" || path === "/admin/clusters/totals") {
    if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
    const all = data.clusters.map((cluster, i) => (cluster.name === data.abandoned.name ? data.abandoned : i % 2 ? { ...cluster, project: { id: "p-b", name: "tenant-b" } } : cluster));
    const project = url.searchParams.get("project") ?? "";
    const version = url.searchParams.get("version");
    const found = filterClusters(all, url).filter((cluster) => cluster.project.name.includes(project) && (!version || cluster.spec.version === version));
    if (parts[2] !== "totals") return send(response, 200, page(found, url));
    const nodes = found.reduce((sum, cluster) => sum + cluster.masters_desired + cluster.nodes_desired, 0);
    const versions = [...new Set(all.map((cluster) => cluster.spec.version))].toSorted().toReversed();
    return send(response, 200, { clusters: found.length, nodes, vcpus: 4 * nodes, ram_mib: 8192 * nodes, unsized_nodes: found.length > 5 ? 3 : 0, versions });
  }
  if (parts[0] === "admin" && parts[3] === "write-off") {
    if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
    return (await readBody(request)).confirm === data.abandoned.name ? send(response, 200, data.unseenReceipt) : fail(response, 422, "KCS-CONF-004");
  }
  if (path.startsWith("/admin/orphans")) {
    if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
    if (method === "GET") return send(response, 200, { items: data.orphans, total: data.orphans.length });
    const orphan = data.orphans.find((one) => one.id === parts[2]);
    if (!orphan) return fail(response, 404, "KCS-NOTFOUND-001");
    return send(response, 200, Object.assign(orphan, { decision: (await readBody(request)).decision, decided_by: session.user }));
  }
  if (path === "/admin/health") return session.user === "operator" ? send(response, 200, data.adminHealth) : fail(response, 403, "KCS-RBAC-002");
  if (path === "/admin/keys") return session.user === "operator" ? send(response, 200, data.keyReport) : fail(response, 403, "KCS-RBAC-002");
  if (path.startsWith("/admin/tenants") || path.startsWith("/admin/quota-requests")) return tenantsApi(request, response, url, parts, session);
  if (parts[0] === "quota" || parts[0] === "quota-requests") return quotaApi(request, response, parts, session);
  if (path === "/announcements") return send(response, 200, { items: data.announcements.filter((one) => one.state !== "ended") });
  if (["operations", "queue", "announcements", "catalogue", "settings"].includes(parts[1]) && parts[0] === "admin") return operatorsApi(request, response, url, parts, session);
  if (parts[0] === "admin" && parts[3] === "pause") return pauseApi(request, response, data.clusters.find((cluster) => cluster.id === parts[2]), session);
  if (path.startsWith("/admin/people")) return peopleApi(response, url, method, parts, session);
  if (path.startsWith("/admin/audit") && session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
  if (path.startsWith("/admin/audit")) return auditApi(response, url, data.platformLines);
  if (parts[0] === "audit") return auditApi(response, url, session.project.id === "p-a" ? data.auditLines.filter((line) => !guest || line.user.name === session.user) : []);
  if (parts[0] === "members") return membersApi(request, response, parts, session);
  if (parts[0] === "roles") return rolesApi(request, response, parts, session);
  if (parts[0] === "tokens") return tokensApi(request, response, parts, session);
  if (parts[0] === "device") return deviceApi(request, response, parts);
  if (parts[0] === "operations") return operationsApi(request, response, url, parts, data.operations.filter((operation) => session.project.id === "p-a" && (!guest || mine.some((cluster) => cluster.id === operation.cluster.id))));
  if (path === "/clusters" && method === "GET") return send(response, 200, page(filterClusters(mine, url), url));
  if (path === "/clusters/plan") return send(response, 200, plan(await readBody(request)));
  if (path === "/clusters" && method === "POST") {
    const given = await readBody(request);
    const { spec } = plan(given);
    const cluster = data.cluster(serial++, given.name, "Provisioning", { spec, created_at: new Date().toISOString(), status: { phase: "Provisioning", conditions: [], masters_ready: 0, nodes_ready: 0 } });
    data.clusters.unshift(cluster);
    const operation = begin("cluster_create", cluster);
    run(operation, () => {
      cluster.operation = undefined;
      cluster.status = { phase: "Running", conditions: data.conditions(), api_endpoint: "https://127.30.0.9:6443", api_vip: "10.0.0.5", masters_ready: cluster.masters_desired, nodes_ready: cluster.nodes_desired };
    });
    return send(response, 202, { cluster, operation });
  }
  if (parts[0] === "clusters") {
    const cluster = mine.find((candidate) => candidate.id === parts[1]);
    if (!cluster) return fail(response, 404, "KCS-NOTFOUND-001");
    if (parts[2] === "kubeconfigs") return kubeconfigsApi(request, response, url, parts, cluster, session);
    return clusterApi(request, response, url, parts, cluster, cluster.namespaces ?? []);
  }
  return fail(response, 404, "KCS-NOTFOUND-001");
}

/** @param {Request} request @param {Response} response @param {string[]} parts */
async function templateApi(request, response, parts) {
  const at = data.templates.findIndex((template) => template.id === parts[1]);
  if (request.method === "DELETE") {
    data.templates.splice(at, 1);
    return send(response, 204);
  }
  const given = await readBody(request);
  if (data.templates.some((template, i) => template.own && template.name === given.name && i !== at)) return fail(response, 409, "KCS-NAME-003");
  const template = { id: parts[1] ?? `0199c0de-0000-7000-8000-00000000${serial++}`, own: true, name: given.name, name_zh: given.name, description: given.description ?? "", description_zh: given.description ?? "", spec: given.spec };
  if (at >= 0) data.templates[at] = template;
  else data.templates.push(template);
  return send(response, at >= 0 ? 200 : 201, template);
}

/** Holds back, or lets go on: a cluster, or the queue. @param {Request} request @param {Response} response @param {{ paused?: unknown } | undefined} held @param {{ user: string }} session */
async function pauseApi(request, response, held, session) {
  if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
  if (!held) return fail(response, 404, "KCS-NOTFOUND-001");
  held.paused = request.method === "PUT" ? { everything: held === data.queue, reason: (await readBody(request)).reason, since: new Date().toISOString(), by: session.user } : undefined;
  return send(response, 200, held);
}

/** @param {string} state */
const isOver = (state) => ["succeeded", "failed", "cancelled"].includes(state);

/** @param {Request} request @param {Response} response @param {URL} url @param {string[]} parts @param {{ user: string }} session */
async function operatorsApi(request, response, url, parts, session) {
  if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
  const [, noun, id, verb] = parts;
  if (noun === "catalogue") return send(response, 200, data.adminCatalogue);
  if (noun === "settings") return settingsApi(request, response, url, id, session);
  if (noun === "queue") return id === "pause" ? pauseApi(request, response, data.queue, session) : send(response, 200, data.queue);
  if (noun === "operations" && !verb) {
    const wanted = (/** @type {string} */ name) => url.searchParams.get(name) ?? "";
    const all = data.operations.map((operation, i) => ({ ...operation, project: data.projects[i % 2], can_retry: ["failed", "blocked"].includes(operation.state), can_cancel: !isOver(operation.state) }));
    const found = all.filter((one) => one.cluster.name.includes(wanted("search")) && one.project.name.includes(wanted("project")) && one.state.startsWith(wanted("state")) && one.kind.startsWith(wanted("kind")) && (!wanted("ended") || String(isOver(one.state)) === wanted("ended")));
    return send(response, 200, page(found, url));
  }
  if (noun === "operations") return fail(response, 409, verb === "retry" ? "KCS-OP-002" : "KCS-OP-004");
  if (request.method === "GET") return send(response, 200, { items: data.announcements, total: data.announcements.length });
  const known = data.announcements.find((one) => one.id === id);
  if (request.method === "DELETE") return known ? send(response, 200, Object.assign(known, { state: "ended", ended_by: session.user })) : fail(response, 404, "KCS-NOTFOUND-001");
  const given = await readBody(request);
  if (given.until && given.until <= new Date().toISOString()) return fail(response, 400, "KCS-INPUT-001", { errors: [{ field: "until", message: "must be in the future" }] });
  const now = new Date().toISOString();
  const made = Object.assign(known ?? { id: `0199c0de-0000-7000-8000-00000000${serial++}`, state: "current", created_at: now, created_by: session.user }, { from: now, ...given, changed_at: now });
  if (!known) data.announcements.unshift(made);
  return send(response, known ? 200 : 201, made);
}

/** The installation's settings: seen, tested, saved, looked back at. @param {Request} request @param {Response} response @param {URL} url @param {string | undefined} what @param {{ user: string }} session */
async function settingsApi(request, response, url, what, session) {
  if (what === "history") return send(response, 200, page(data.settingsHistory, url));
  if (request.method === "GET") return send(response, 200, data.adminSettings());
  const given = await readBody(request);
  const test = data.settingsTest(given);
  if (what === "test") return send(response, 200, test);
  if (given.revision !== data.settingsHistory[0].revision) return fail(response, 409, "KCS-CONF-001", { params: { revision: data.settingsHistory[0].revision, by: data.settingsHistory[0].changed_by } });
  const blocked = test.checks.filter((check) => check.level === "blocked");
  if (blocked.length > 0) return fail(response, 409, "KCS-SET-003", { errors: blocked.map(({ field, message, code }) => ({ field, message, code })) });
  data.saveSettings(given, test.differences, session.user);
  return send(response, 200, data.adminSettings());
}

/** Lines by page, or all of them as a file. @param {Response} response @param {URL} url @param {data.MockLine[]} all */
function auditApi(response, url, all) {
  const wanted = (/** @type {string} */ name) => url.searchParams.get(name);
  const is = (/** @type {string} */ name, /** @type {(string | null | undefined)[]} */ ...values) => !wanted(name) || values.includes(wanted(name));
  const found = all.filter(
    (line) =>
      is("user", line.user.id, line.user.name) && is("action", line.action) && is("outcome", line.outcome) && is("cluster_id", line.cluster) && is("object_id", line.object_id) && is("project", line.project.id) && line.at >= (wanted("from") ?? "") && line.at < (wanted("to") ?? "9"),
  );
  if (url.pathname.endsWith("/export")) {
    response.writeHead(200, { "Content-Type": "application/x-ndjson", "Content-Disposition": 'attachment; filename="audit.jsonl"' });
    return response.end(found.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
  // How many there are in all is not counted.
  const { total: _total, ...body } = page(found, url);
  return send(response, 200, body);
}

/** @param {Request} request @param {Response} response @param {string[]} parts @param {{ user: string, project: { id: string } }} session */
async function tokensApi(request, response, parts, session) {
  const all = ["member", "owner"].includes(data.rightsOf(session.user).role) ? data.tokens : data.tokens.filter((token) => token.created_by === session.user);
  const seen = session.project.id === "p-a" ? all.map((token) => ({ ...token, mine: token.created_by === session.user })) : [];
  if (request.method === "GET") return send(response, 200, { items: seen, total: seen.length });
  if (request.method === "DELETE") {
    const token = data.tokens.find((candidate) => candidate.id === parts[1] && all.includes(candidate));
    if (!token) return fail(response, 404, "KCS-NOTFOUND-001");
    token.revoked_at ??= new Date().toISOString();
    return send(response, 204);
  }
  const { expires_in: seconds, ...given } = await readBody(request);
  if (given.name === "one too many") return fail(response, 409, "KCS-QUOTA-003");
  const token = { id: `0199c0de-0000-7000-8000-00000000${serial++}`, created_by: session.user, mine: true, created_at: new Date().toISOString(), expires_at: data.ago(-seconds), ...given };
  data.tokens.unshift(token);
  return send(response, 201, { ...token, secret: `kcs_api_stand-in-${"x".repeat(28)}${token.id.slice(-4)}` });
}

/** @param {Request} request @param {Response} response @param {string[]} parts @param {{ user: string, project: { id: string } }} session */
async function membersApi(request, response, parts, session) {
  const { role } = data.rightsOf(session.user);
  const all = session.project.id === "p-a" ? data.members.map((member) => ({ ...member, me: member.name === session.user })) : [];
  if (request.method === "GET") {
    const items = all.filter((member) => role !== "guest" || member.me);
    return send(response, 200, { items, total: items.length });
  }
  const member = data.members.find((candidate) => candidate.id === parts[1]);
  if (!member) return fail(response, 404, "KCS-NOTFOUND-001");
  if (parts[2] === "kubeconfigs") {
    const ended = data.kubeconfigs.filter((kubeconfig) => !kubeconfig.revoked_at && kubeconfig.expires_at > new Date().toISOString() && kubeconfig.created_by_id === member.id);
    for (const kubeconfig of ended) kubeconfig.revoked_at = new Date().toISOString();
    return ended.length > 0 ? send(response, 200, { count: ended.length }) : fail(response, 404, "KCS-NOTFOUND-001");
  }
  if (request.method === "DELETE") {
    Object.assign(member, { role: undefined, places: [], changed_at: undefined, changed_by: undefined });
    return send(response, 204);
  }
  const given = await readBody(request);
  const errors = given.places.flatMap((/** @type {{ namespace?: string }} */ place, /** @type {number} */ index) => (place.namespace === "kube-system" ? [{ field: `places[${index}].namespace`, message: "belongs to Kubernetes" }] : []));
  if (errors.length > 0) return fail(response, 400, "KCS-INPUT-001", { errors });
  return send(response, 200, Object.assign(member, given, { changed_at: new Date().toISOString(), changed_by: session.user }));
}

/** @param {Request} request @param {Response} response @param {string[]} parts @param {{ user: string, project: { id: string } }} session */
async function rolesApi(request, response, parts, session) {
  const all = session.project.id === "p-a" ? data.roles : [];
  if (request.method === "GET") return send(response, 200, { items: all.map(data.withPeople), total: all.length });
  const at = data.roles.findIndex((role) => role.id === parts[1]);
  if (request.method === "DELETE") {
    if (data.withPeople(data.roles[at]).people > 0) return fail(response, 409, "KCS-CONF-006");
    data.roles.splice(at, 1);
    return send(response, 204);
  }
  const given = await readBody(request);
  if (data.roles.some((role, i) => role.name === given.name && i !== at)) return fail(response, 409, "KCS-NAME-004");
  const role = { id: parts[1] ?? `0199c0de-0000-7000-8000-00000000${serial++}`, ...given, changed_at: new Date().toISOString(), changed_by: session.user };
  if (at >= 0) data.roles[at] = role;
  else data.roles.push(role);
  return send(response, at >= 0 ? 200 : 201, data.withPeople(role));
}

/** @param {Request} request @param {Response} response @param {string[]} parts @param {{ user: string, project: { id: string, name: string } }} session */
async function quotaApi(request, response, parts, session) {
  const tenant = data.tenants.find((candidate) => candidate.id === session.project.id) ?? data.tenants[1];
  const partial = data.rightsOf(session.user).role === "guest";
  if (parts[0] === "quota") return send(response, 200, { limits: tenant.limits.map(({ resource, used, limit }) => ({ resource, used: partial ? 0 : used, limit })), allowed: tenant.allowed, partial });
  const own = data.quotaRequests.filter((one) => one.project.id === session.project.id && !partial);
  if (request.method === "GET") return send(response, 200, { items: own, total: own.length });
  const waiting = own.find((one) => one.state === "pending");
  if (parts[2] === "withdraw") {
    const found = own.find((one) => one.id === parts[1]);
    if (!found) return fail(response, 404, "KCS-NOTFOUND-001");
    if (found !== waiting) return fail(response, 409, "KCS-QUOTA-008");
    tenant.asks = false;
    return send(response, 200, Object.assign(found, { state: "withdrawn", decided_at: new Date().toISOString(), decided_by: session.user }));
  }
  if (waiting) return fail(response, 409, "KCS-QUOTA-007", { retryable: true });
  const given = await readBody(request);
  if (given.wanted.nodes > 9000) return fail(response, 400, "KCS-INPUT-001", { errors: [{ field: "wanted.nodes", message: "must be at most 9000" }] });
  const made = { id: `0199c0de-0000-7000-8000-00000000${serial++}`, project: session.project, ...given, state: "pending", created_at: new Date().toISOString(), created_by: session.user };
  data.quotaRequests.unshift(made);
  tenant.asks = true;
  return send(response, 201, made);
}

/** @param {Request} request @param {Response} response @param {URL} url @param {string[]} parts @param {{ user: string }} session */
async function tenantsApi(request, response, url, parts, session) {
  if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
  const wanted = (/** @type {string} */ name) => url.searchParams.get(name) ?? "";
  if (parts[1] === "quota-requests" && request.method === "GET") return send(response, 200, page(data.quotaRequests.filter((one) => !wanted("state") || one.state === wanted("state")), url));
  if (parts[1] === "quota-requests") {
    const found = data.quotaRequests.find((one) => one.id === parts[2]);
    const { answer, words } = await readBody(request);
    if (!found) return fail(response, 404, "KCS-NOTFOUND-001");
    if (found.state !== "pending") return fail(response, 409, "KCS-QUOTA-008");
    const tenant = data.tenants.find((candidate) => candidate.id === found.project.id);
    if (tenant) tenant.asks = false;
    if (answer === "approve") for (const limit of tenant?.limits ?? []) if (found.wanted[limit.resource]) Object.assign(limit, { limit: found.wanted[limit.resource], own: true });
    return send(response, 200, Object.assign(found, { state: answer === "approve" ? "approved" : "declined", words, decided_at: new Date().toISOString(), decided_by: session.user }));
  }
  const search = wanted("search").toLowerCase();
  const found = data.tenants.filter((tenant) => (tenant.id === search || tenant.name.includes(search)) && (tenant.asks || wanted("asks") !== "true"));
  if (!parts[2]) return send(response, 200, page(found, url));
  const tenant = data.tenants.find((candidate) => candidate.id === parts[2]);
  if (!tenant) return fail(response, 404, "KCS-NOTFOUND-001");
  if (request.method === "GET") return send(response, 200, tenant);
  const { limits, allowed } = await readBody(request);
  const used = /** @type {Parameters<typeof data.limitsOf>[0]} */ (Object.fromEntries(tenant.limits.map((limit) => [limit.resource, limit.used])));
  return send(response, 200, Object.assign(tenant, { limits: data.limitsOf(used, limits), allowed, changed_at: new Date().toISOString(), changed_by: session.user }));
}

/** A program waits under every code but those that begin with Z. @param {Request} request @param {Response} response @param {string[]} parts */
async function deviceApi(request, response, parts) {
  if (!parts[1] || parts[1].startsWith("Z")) return fail(response, 404, "KCS-NOTFOUND-001");
  if (request.method === "GET") return send(response, 200, data.deviceSignIn);
  const { allow } = await readBody(request);
  return allow && parts[1].startsWith("X") ? fail(response, 429, "KCS-RATE-001", { retryable: true }) : send(response, 204);
}

/** @param {Response} response @param {URL} url @param {string} method @param {string[]} parts @param {{ user: string }} session */
function peopleApi(response, url, method, parts, session) {
  if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
  if (parts[3] === "access" && method === "GET") {
    const items = parts[2] === "u-member-c" ? [] : data.held;
    return send(response, 200, { items, total: items.length });
  }
  if (parts[4]) {
    const one = data.held.findIndex((held) => held.id === parts[4]);
    if (one < 0) return fail(response, 404, "KCS-NOTFOUND-001");
    data.held.splice(one, 1);
    return send(response, 204);
  }
  const search = (url.searchParams.get("search") ?? "").toLowerCase();
  const found = data.people.filter((person) => person.id === search || person.name.includes(search));
  if (method === "GET") return send(response, 200, { items: found, total: found.length });
  const at = data.people.findIndex((person) => person.id === parts[2]);
  return at < 0 ? fail(response, 404, "KCS-NOTFOUND-001") : send(response, 200, data.people.splice(at, 1)[0]);
}

/** How long this stand-in lets a kubeconfig live. */
const LONGEST_SECONDS = 7 * 86_400;

/** @param {Request} request @param {Response} response @param {URL} url @param {string[]} parts @param {data.MockCluster} cluster @param {{ user: string }} session */
async function kubeconfigsApi(request, response, url, parts, cluster, session) {
  const reader = !cluster.permissions.includes("kubeconfig_revoke_all");
  const seen = data.kubeconfigs.map((kubeconfig) => ({ ...kubeconfig, mine: kubeconfig.created_by === session.user })).filter((kubeconfig) => kubeconfig.mine || !reader);
  if (request.method === "GET") return send(response, 200, { items: seen, total: seen.length });
  if (request.method === "DELETE") {
    if (!parts[3] && reader) return fail(response, 403, "KCS-RBAC-001");
    const user = url.searchParams.get("user");
    const ended = data.kubeconfigs.filter((kubeconfig) => !kubeconfig.revoked_at && kubeconfig.expires_at > new Date().toISOString() && (!parts[3] || kubeconfig.id === parts[3]) && (!user || kubeconfig.created_by_id === user));
    for (const kubeconfig of ended) kubeconfig.revoked_at = new Date().toISOString();
    return parts[3] ? send(response, 204) : send(response, 200, { count: ended.length });
  }
  const { expires_in: seconds, name = "", read_only: readOnly = false, namespaces } = await readBody(request);
  if (seconds > LONGEST_SECONDS) return fail(response, 400, "KCS-INPUT-001", { field: "expires_in", errors: [{ field: "expires_in", message: `must be 3600 to ${LONGEST_SECONDS} seconds` }] });
  const issued = { id: `kc-${serial++}`, name, created_at: new Date().toISOString(), expires_at: data.ago(-seconds), created_by: session.user, created_by_id: `u-${session.user}`, mine: true, read_only: readOnly, ...(namespaces && { namespaces }) };
  data.kubeconfigs.unshift(issued);
  return send(response, 201, { id: issued.id, expires_at: issued.expires_at, kubeconfig: `apiVersion: v1\nkind: Config\nclusters:\n- name: ${cluster.name}\n  cluster:\n    server: https://127.0.0.1:8443/k8s/clusters/${cluster.id}\n` });
}

/** @param {import("../../src/api/schema").components["schemas"]["Cluster"][]} all @param {URL} url */
function filterClusters(all, url) {
  const search = url.searchParams.get("search") ?? "";
  const phase = url.searchParams.get("phase");
  return all.filter((cluster) => cluster.name.includes(search) && (!phase || cluster.status.phase === phase));
}

/** @param {Request} request @param {Response} response @param {URL} url @param {string[]} parts @param {typeof data.operations} all */
function operationsApi(request, response, url, parts, all) {
  if (parts.length === 1) {
    const cluster = url.searchParams.get("cluster_id");
    const state = url.searchParams.get("state");
    return send(response, 200, page(all.filter((operation) => (!cluster || operation.cluster.id === cluster) && (!state || operation.state === state)), url));
  }
  const operation = all.find((candidate) => candidate.id === parts[1]);
  if (!operation) return fail(response, 404, "KCS-NOTFOUND-001");
  if (parts[2] === "receipt") {
    const removed = data.resources.map(({ kind, name, cloud_id }) => ({ kind, name, cloud_id }));
    if (url.searchParams.get("format") === "text") {
      response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Disposition": 'attachment; filename="receipt.txt"' });
      return response.end(`Cluster ${operation.cluster.name}\n`);
    }
    const kept = [{ kind: "volume", name: "pvc-3f1c0a52", cloud_id: "4b1f0c1e-7f6a-4f1e-9d37-2f3c1a5b6c7d" }];
    return send(response, 200, { removed, kept, left: [], scanned_at: new Date().toISOString() });
  }
  if (parts[2] === "retry" || parts[2] === "cancel") {
    operation.state = parts[2] === "retry" ? "running" : "cancelled";
    operation.fault = undefined;
    return send(response, 202, { operation });
  }
  if (parts[2] === "events") {
    stream(request, response);
    let revision = Number(request.headers["last-event-id"] ?? 0);
    const tell = () => {
      revision += 1;
      response.write(`id: ${revision}\nevent: operation\ndata: ${JSON.stringify(operation)}\n\n`);
      if (["succeeded", "failed", "cancelled"].includes(operation.state)) response.end();
    };
    tell();
    changed.add(tell);
    request.on("close", () => changed.delete(tell));
    return undefined;
  }
  return send(response, 200, operation);
}

/** Labels and taints that pools were given, by cluster and name. @type {Map<string, object>} */
const marked = new Map();

/** @param {Request} request @param {Response} response @param {URL} url @param {string[]} parts @param {data.MockCluster} cluster @param {string[]} namespaces Those that are open; none: all. */
async function clusterApi(request, response, url, parts, cluster, namespaces) {
  const method = request.method ?? "GET";
  const [, , part, sub] = parts;
  if (!part && method === "GET") return send(response, 200, cluster);
  if (namespaces.length > 0 && ["nodes", "node-pools", "resources", "volumes", "addons", "delete-plan"].includes(part ?? "")) return fail(response, 403, "KCS-RBAC-004", { params: { namespaces } });
  if (!part && method === "DELETE") {
    const given = await readBody(request);
    if (given.confirm !== cluster.name) return fail(response, 400, "KCS-CONF-004", { field: "confirm" });
    cluster.status = { ...cluster.status, phase: "Deleting" };
    const operation = begin("cluster_delete", cluster);
    run(operation, () => data.clusters.splice(data.clusters.indexOf(cluster), 1));
    return send(response, 202, { operation });
  }
  if (!part && method === "PATCH") {
    const given = await readBody(request);
    cluster.spec = { ...cluster.spec, ...given };
    return send(response, 200, cluster);
  }
  if (part === "delete-plan") {
    const shop = cluster.name === "shop-production";
    return send(response, 200, {
      objects: data.resources,
      volumes: shop
        ? [
            { id: "4b1f0c1e-7f6a-4f1e-9d37-2f3c1a5b6c7d", name: "pvc-1", size_gib: 10, claim: "default/data-db-0", reclaim_policy: "delete", snapshots: ["nightly"] },
            { id: "9c3e5d20-2b84-4f1e-9d37-2f3c1a5b6c7d", name: "pvc-2", size_gib: 200, claim: "monitoring/prometheus-data-prometheus-of-the-whole-shop-0", reclaim_policy: "retain", snapshots: [] },
          ]
        : [],
      services: shop ? [{ kind: "load_balancer", id: "7d0e44aa-13c2-4f1e-9d37-2f3c1a5b6c7d", name: "kube_service_default_web" }] : [],
      blocked: cluster.spec.deletion_protection ? [{ key: "deletion_protection", level: "blocked", code: "KCS-CONF-005", message: "The cluster is protected against deletion", params: {} }] : [],
      api_reachable: true,
    });
  }
  if (part === "kubeconfig" && cluster.status.phase === "Updating") return fail(response, 503, "KCS-STORE-001", { retryable: true });
  if (part === "kubeconfig") return send(response, 200, { kubeconfig: data.kubeconfigExec(cluster, url.searchParams.get("server") ?? url.origin) });
  if (part === "addons") return send(response, 200, { items: cluster.status.phase === "Provisioning" ? [] : data.addons });
  if (part === "repair") return change("cluster_repair", cluster, response);
  if (part === "credential") return change("credential_rotate", cluster, response);
  if (part === "encryption-key") return change("encryption_key_rotate", cluster, response);
  if (part === "api-audit") {
    const { level } = await readBody(request);
    cluster.spec.audit = { level };
    return change("api_audit_change", cluster, response);
  }
  if (part === "api-access") {
    const { exposure, allowed_cidrs } = await readBody(request);
    Object.assign(cluster.spec.api ?? {}, { exposure, allowed_cidrs });
    return change("api_access_change", cluster, response);
  }
  if (part === "control-plane") {
    const { count } = await readBody(request);
    if (sub === "plan") return send(response, 200, sizePlan(cluster, "control-plane", { ...cluster.spec.control_plane, count }, cluster.masters_desired));
    cluster.spec.control_plane.count = count;
    cluster.masters_desired = count;
    return change("control_plane_resize", cluster, response);
  }
  if (part === "nodes" && method === "POST") {
    const verb = parts[4] ?? "";
    const node = data.nodes.find((candidate) => candidate.id === sub);
    const inside = data.kubernetesNodes.find((candidate) => candidate.name === node?.name);
    if (verb === "cordon" || verb === "uncordon") {
      if (inside) inside.schedulable = verb === "uncordon";
      return send(response, 204);
    }
    return change(/** @type {import("../../src/api/schema").components["schemas"]["OperationKind"]} */ (`node_${verb}`), cluster, response);
  }
  if (part === "nodes" && method === "PATCH") {
    const given = await readBody(request);
    const wrong = Object.keys(given.labels ?? {}).find((key) => !/^[\w./-]+$/.test(key));
    if (wrong) return fail(response, 400, "KCS-INPUT-001", { detail: `labels.${wrong}: the key must be a Kubernetes label key`, errors: [{ field: `labels.${wrong}`, message: "the key must be a Kubernetes label key" }] });
    const inside = data.kubernetesNodes.find((candidate) => candidate.name === data.nodes.find((node) => node.id === sub)?.name);
    if (inside) inside.labels = Object.fromEntries(Object.entries({ ...inside.labels, ...given.labels }).filter(([, value]) => value !== null));
    return send(response, 204);
  }
  if (part === "node-pools" && sub === "plan" && method === "POST") {
    const given = await readBody(request);
    return send(response, 200, sizePlan(cluster, given.name, given, 0));
  }
  if (part === "node-pools" && !sub && method === "POST") {
    const given = await readBody(request);
    if (given.name === "too-late") return fail(response, 409, "KCS-QUOTA-001", { retryable: true, cloud_message: "Quota exceeded for instances: Requested 1, but already used 20 of 20 instances" });
    cluster.spec.node_pools.push(given);
    return change("node_pool_create", cluster, response);
  }
  if (part === "node-pools" && parts[4] === "marks") {
    marked.set(`${cluster.id}/${sub}`, await readBody(request));
    return send(response, 204);
  }
  if (part === "node-pools" && method === "DELETE") {
    cluster.spec.node_pools = cluster.spec.node_pools.filter((pool) => pool.name !== sub);
    return change("node_pool_delete", cluster, response);
  }
  if (part === "volumes") {
    const shop = cluster.name === "shop-production";
    const up = cluster.status.phase === "Running";
    return send(response, 200, { items: shop ? data.volumes : data.volumes.slice(0, 1), api_reachable: up, cloud_reachable: up });
  }
  if (part === "resources") return send(response, 200, { items: data.resources });
  if (part === "nodes" && parts[4] === "console") return send(response, 200, { text: "[  OK  ] Started cloud-init\n[  12.41] kcs-bootstrap: bundle fetched\n[  14.02] kubeadm: control plane is up" });
  if (part === "nodes") return send(response, 200, { items: cluster.status.phase === "Provisioning" ? [] : cluster.name === "shop-production" ? data.nodes : data.nodes.slice(0, 2) });
  if (part === "node-pools" && !sub) {
    const pools = cluster.spec.node_pools.map((pool) => ({ name: pool.name, role: "worker", flavor: pool.flavor, root_volume_gib: pool.root_volume_gib ?? 20, volume_type: pool.volume_type, desired: pool.count, current: pool.count, ready: pool.count, zones: ["az1", "az2"], labels: { "team": "shop", "disk": "fast" }, taints: pool.name === "gpu" ? [{ key: "gpu", value: "true", effect: "NoSchedule" }] : [], ...marked.get(`${cluster.id}/${pool.name}`) }));
    return send(response, 200, { items: [{ name: "control-plane", role: "master", flavor: cluster.spec.control_plane.flavor, root_volume_gib: cluster.spec.control_plane.root_volume_gib, volume_type: cluster.spec.control_plane.volume_type, desired: cluster.masters_desired, current: cluster.masters_desired, ready: cluster.status.masters_ready, zones: [], labels: {}, taints: [] }, ...pools] });
  }
  if (part === "node-pools" && parts[4] === "plan") {
    const { count } = await readBody(request);
    const pool = cluster.spec.node_pools.find((candidate) => candidate.name === sub);
    return pool ? send(response, 200, sizePlan(cluster, pool.name, { ...pool, count }, pool.count)) : fail(response, 404, "KCS-NOTFOUND-001");
  }
  if (part === "node-pools") {
    const { count } = await readBody(request);
    const pool = cluster.spec.node_pools.find((candidate) => candidate.name === sub);
    if (pool) pool.count = count;
    return change("node_pool_resize", cluster, response);
  }
  if (part === "kubernetes") {
    if (cluster.status.phase === "Provisioning") return fail(response, 409, "KCS-API-002");
    const namespace = url.searchParams.get("namespace");
    const search = url.searchParams.get("search") ?? "";
    const node = url.searchParams.get("node");
    const open = (/** @type {string} */ name) => namespaces.length === 0 || namespaces.includes(name);
    if (namespaces.length > 0 && (sub === "nodes" || sub === "storage-classes" || (namespace && !open(namespace)))) return fail(response, 403, "KCS-RBAC-004", { params: { namespaces } });
    const fits = (/** @type {{ name: string, namespace: string }} */ item) => open(item.namespace) && (!namespace || item.namespace === namespace) && item.name.includes(search);
    if (sub === "namespaces") return send(response, 200, { items: ["default", "kube-node-lease", "kube-public", "kube-system"].filter(open).map((name) => ({ name, status: "Active", labels: {} })) });
    if (sub === "nodes") return send(response, 200, { items: cluster.name === "shop-production" ? data.kubernetesNodes : [] });
    if (sub === "storage-classes") return storageClass(request, response, parts[4], parts[5] === "default");
    if (sub === "deployments") return send(response, 200, page(data.deployments.filter(fits), url));
    if (sub === "pods") return send(response, 200, page(data.pods.filter((pod) => fits(pod) && (!node || pod.node === node)), url));
  }
  return fail(response, 404, "KCS-NOTFOUND-001");
}

/** @param {Request} request @param {Response} response @param {string | undefined} name @param {boolean} chosen */
async function storageClass(request, response, name, chosen) {
  const classes = data.storageClasses;
  const found = classes.find((known) => known.name === name);
  if (request.method === "GET") return send(response, 200, { items: classes });
  if (request.method === "POST") {
    const given = await readBody(request);
    if (classes.some((known) => known.name === given.name)) return fail(response, 409, "KCS-NAME-005", { errors: [{ field: "name", message: "A storage class of this name exists", code: "KCS-NAME-005" }] });
    classes.push({ ...given, provisioner: "cinder.csi.openstack.org", default: false, managed: false, created_at: new Date().toISOString() });
    return send(response, 201);
  }
  if (!found) return fail(response, 404, "KCS-NOTFOUND-001");
  if (chosen) for (const known of classes) known.default = known === found;
  else if (found.managed) return fail(response, 409, "KCS-ADDON-002");
  else classes.splice(classes.indexOf(found), 1);
  return send(response, 204);
}

/** @param {Request} request @param {Response} response @param {URL} url */
function logs(request, response, url) {
  response.writeHead(200, { "Content-Type": "text/plain" });
  let line = 0;
  const write = () => {
    line += 1;
    const stamp = url.searchParams.get("timestamps") ? `${new Date().toISOString()} ` : "";
    response.write(`${stamp}10.0.0.${line % 9} - - "GET /api/items/${line} HTTP/1.1" 200 ${100 + ((line * 37) % 900)} "-" "kube-probe/1.36"\n`);
  };
  for (let i = 0; i < 400; i += 1) write();
  const timer = setInterval(write, 500);
  request.on("close", () => clearInterval(timer));
}

/** @param {Response} response @param {string} path */
function file(response, path) {
  const wanted = join(dist, normalize(path));
  const found = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(dist, "index.html");
  response.writeHead(200, {
    "Content-Type": types[/** @type {keyof typeof types} */ (extname(found))] ?? "application/octet-stream",
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  });
  createReadStream(found).pipe(response);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://mock");
  if (url.pathname.startsWith("/api/v1/")) api(request, response, url).catch((error) => fail(response, 500, "KCS-INTERNAL-001", { detail: String(error) }));
  else if (url.pathname.startsWith("/k8s/")) logs(request, response, url);
  else file(response, url.pathname);
});
server.listen(port, "127.0.0.1", () => {
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === "object" && address ? address.port : port}`);
});
