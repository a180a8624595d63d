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
  return { user: { id: `u-${session.user}`, name: session.user, domain: "default" }, project: session.project, projects: data.projects, roles: session.user.startsWith("reader") ? ["reader"] : ["member", "reader"], operator, csrf_token: "csrf", expires_at: data.ago(-3600) };
}

/** @param {string} name */
const flavor = (name) => data.flavors.find((candidate) => candidate.name === name) ?? data.flavors[1];

/** @param {import("../../src/api/schema").components["schemas"]["ClusterRequest"]} request */
function plan(request) {
  const template = data.templates.find((candidate) => candidate.id === request.template);
  const spec = data.completeSpec(request.spec ?? template?.spec);
  const workers = spec.node_pools.reduce((sum, pool) => sum + pool.count, 0);
  const servers = workers + spec.control_plane.count;
  const vcpus = spec.node_pools.reduce((sum, pool) => sum + pool.count * flavor(pool.flavor).vcpus, flavor(spec.control_plane.flavor).vcpus * spec.control_plane.count);
  const ram = spec.node_pools.reduce((sum, pool) => sum + pool.count * flavor(pool.flavor).ram_mib, flavor(spec.control_plane.flavor).ram_mib * spec.control_plane.count);
  const quota = [
    { resource: "instances", used: 6, limit: 20, need: servers },
    { resource: "vcpus", used: 14, limit: 32, need: vcpus },
    { resource: "ram_mib", used: 28_672, limit: 65_536, need: ram },
    { resource: "volumes", used: 6, limit: 40, need: servers },
    { resource: "gigabytes", used: 120, limit: 1000, need: servers * 20 },
    { resource: "networks", used: 2, limit: 10, need: 1 },
    { resource: "subnets", used: 2, limit: 10, need: 1 },
    { resource: "routers", used: 2, limit: 10, need: 1 },
    { resource: "ports", used: 14, limit: null, need: servers + 2 },
    { resource: "floating_ips", used: 2, limit: 5, need: 1 },
    { resource: "security_groups", used: 4, limit: 20, need: 2 },
    { resource: "load_balancers", used: 2, limit: 10, need: 1 },
  ];
  const short = quota.filter((entry) => entry.limit !== null && entry.used + entry.need > entry.limit);
  const taken = data.clusters.some((cluster) => cluster.name === request.name);
  const version = data.versions.find((candidate) => candidate.version === spec.version);
  const checks = [
    taken ? { key: "name", level: "blocked", code: "KCS-NAME-001", message: "taken", params: { cluster: request.name }, field: "name" } : { key: "name", level: "ok", message: "", params: {} },
    { key: "version", level: "ok", message: "", params: {} },
    version?.image_status === "active"
      ? { key: "image", level: "ok", message: "", params: {} }
      : { key: "image", level: "blocked", code: "KCS-IMG-002", message: "the image is queued", params: { image: "kcs-node", progress: 42 }, field: "spec.version" },
    ...["flavors", "zones", "volume_types", "external_network", "load_balancer", "cluster_quota"].map((key) => ({ key, level: "ok", message: "", params: {} })),
    ...(short.length > 0
      ? short.map((entry) => ({ key: "quota", level: "blocked", code: "KCS-QUOTA-001", message: "short", params: { resource: entry.resource, need: entry.need, left: Number(entry.limit) - entry.used } }))
      : [{ key: "quota", level: "ok", message: "", params: {} }]),
  ];
  const objects = [
    ...["application_credential", "network", "subnet", "router", "router_interface", "load_balancer", "floating_ip"].map((kind) => ({ kind, name: "", count: 1 })),
    { kind: "security_group", name: "", count: 2 },
    ...["port", "volume", "server"].flatMap((kind) => [
      { kind, name: "control-plane", count: spec.control_plane.count },
      { kind, name: "default", count: workers },
    ]),
  ];
  return { spec, checks, quota, objects, cost: data.costOf(spec), blocked: checks.some((check) => check.level === "blocked") };
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
  if (path === "/about") return send(response, 200, { version: "0.1.0", environment: "dev", notes: [] });
  if (path === "/session" && method === "POST") {
    const given = await readBody(request);
    if (given.password === "wrong") return fail(response, 401, "KCS-AUTH-003");
    const id = `s${serial++}`;
    const session = { user: given.username, project: given.username === "member-b" ? data.projects[1] : data.projects[0] };
    sessions.set(id, session);
    return send(response, 200, sessionBody(session), { "Set-Cookie": `kcs_session=${id}; HttpOnly; SameSite=Strict; Path=/` });
  }
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
  const mine = session.project.id === "p-a" ? data.clusters : [];
  if (parts[0] === "templates" && method !== "GET") return templateApi(request, response, parts);
  if (path === "/costs") {
    const clusters = mine.map((cluster) => ({ id: cluster.id, name: cluster.name, per_hour: cluster.cost?.per_hour ?? 0, unpriced: cluster.cost?.unpriced ?? [] }));
    return send(response, 200, session.project.id === "p-a" ? { currency: "CNY", per_hour: clusters.reduce((sum, cluster) => sum + cluster.per_hour, 0), clusters } : { clusters });
  }
  const lists = { "/project-networks": data.projectNetworks, "/key-pairs": [{ name: "operations" }, { name: "laptop" }], "/images": [], "/flavors": data.flavors, "/versions": data.versions, "/templates": data.templates, "/zones": ["az1", "az2", "az3"].map((name, i) => ({ name, available: i !== 2 })), "/volume-types": [{ id: "v1", name: "standard", default: true }, { id: "v2", name: "ssd", default: false }], "/networks": [{ id: "net-public", name: "public" }] };
  if (path in lists) return send(response, 200, { items: lists[/** @type {keyof typeof lists} */ (path)] });
  if (path === "/events") {
    stream(request, response);
    const tell = () => response.write("event: clusters_changed\ndata: {}\n\n");
    changed.add(tell);
    request.on("close", () => changed.delete(tell));
    return undefined;
  }
  if (path === "/admin/clusters") {
    if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
    const all = data.clusters.map((cluster, i) => (i % 2 ? { ...cluster, project: { id: "p-b", name: "tenant-b" } } : cluster));
    return send(response, 200, page(filterClusters(all, url), url));
  }
  if (path.startsWith("/admin/orphans")) {
    if (session.user !== "operator") return fail(response, 403, "KCS-RBAC-002");
    if (method === "GET") return send(response, 200, { items: data.orphans, total: data.orphans.length });
    const orphan = data.orphans.find((one) => one.id === parts[2]);
    if (!orphan) return fail(response, 404, "KCS-NOTFOUND-001");
    return send(response, 200, Object.assign(orphan, { decision: (await readBody(request)).decision, decided_by: session.user }));
  }
  if (parts[0] === "operations") return operationsApi(request, response, url, parts, session.project.id === "p-a");
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
    return clusterApi(request, response, url, parts, cluster);
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

/** @param {import("../../src/api/schema").components["schemas"]["Cluster"][]} all @param {URL} url */
function filterClusters(all, url) {
  const search = url.searchParams.get("search") ?? "";
  const phase = url.searchParams.get("phase");
  return all.filter((cluster) => cluster.name.includes(search) && (!phase || cluster.status.phase === phase));
}

/** @param {Request} request @param {Response} response @param {URL} url @param {string[]} parts @param {boolean} any */
function operationsApi(request, response, url, parts, any) {
  if (parts.length === 1) {
    const cluster = url.searchParams.get("cluster_id");
    const state = url.searchParams.get("state");
    return send(response, 200, page(any ? data.operations.filter((operation) => (!cluster || operation.cluster.id === cluster) && (!state || operation.state === state)) : [], url));
  }
  const operation = data.operations.find((candidate) => candidate.id === parts[1]);
  if (!operation || !any) return fail(response, 404, "KCS-NOTFOUND-001");
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

/** @param {Request} request @param {Response} response @param {URL} url @param {string[]} parts @param {data.MockCluster} cluster */
async function clusterApi(request, response, url, parts, cluster) {
  const method = request.method ?? "GET";
  const [, , part, sub] = parts;
  if (!part && method === "GET") return send(response, 200, cluster);
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
      volumes: shop ? [{ id: "4b1f0c1e-7f6a-4f1e-9d37-2f3c1a5b6c7d", name: "pvc-1", size_gib: 10, claim: "default/data-db-0", snapshots: ["nightly"] }] : [],
      services: shop ? [{ kind: "load_balancer", id: "7d0e44aa-13c2-4f1e-9d37-2f3c1a5b6c7d", name: "kube_service_default_web" }] : [],
      blocked: cluster.spec.deletion_protection ? [{ key: "deletion_protection", level: "blocked", code: "KCS-CONF-005", message: "The cluster is protected against deletion", params: {} }] : [],
      api_reachable: true,
    });
  }
  if (part === "addons") return send(response, 200, { items: cluster.status.phase === "Provisioning" ? [] : data.addons });
  if (part === "repair") return change("cluster_repair", cluster, response);
  if (part === "credential") return change("credential_rotate", cluster, response);
  if (part === "control-plane") {
    const { count } = await readBody(request);
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
  if (part === "node-pools" && !sub && method === "POST") {
    const given = await readBody(request);
    if (given.flavor === "m1.impossible") return fail(response, 400, "KCS-CMP-009", { params: {}, errors: [{ field: "flavor", code: "KCS-CMP-009", message: "has no room" }] });
    cluster.spec.node_pools.push(given);
    return change("node_pool_create", cluster, response);
  }
  if (part === "node-pools" && method === "DELETE") {
    cluster.spec.node_pools = cluster.spec.node_pools.filter((pool) => pool.name !== sub);
    return change("node_pool_delete", cluster, response);
  }
  if (part === "resources") return send(response, 200, { items: data.resources });
  if (part === "nodes" && parts[4] === "console") return send(response, 200, { text: "[  OK  ] Started cloud-init\n[  12.41] kcs-bootstrap: bundle fetched\n[  14.02] kubeadm: control plane is up" });
  if (part === "nodes") return send(response, 200, { items: cluster.status.phase === "Provisioning" ? [] : cluster.name === "shop-production" ? data.nodes : data.nodes.slice(0, 2) });
  if (part === "node-pools" && !sub) {
    const pools = cluster.spec.node_pools.map((pool) => ({ name: pool.name, role: "worker", flavor: pool.flavor, root_volume_gib: 20, desired: pool.count, current: pool.count, ready: pool.count, zones: ["az1", "az2"], labels: { "team": "shop", "disk": "fast" }, taints: pool.name === "gpu" ? [{ key: "gpu", value: "true", effect: "NoSchedule" }] : [] }));
    return send(response, 200, { items: [{ name: "control-plane", role: "master", flavor: cluster.spec.control_plane.flavor, root_volume_gib: 20, desired: cluster.masters_desired, current: cluster.masters_desired, ready: cluster.status.masters_ready, zones: [], labels: {}, taints: [] }, ...pools] });
  }
  if (part === "node-pools" && parts[4] === "plan") {
    const { count } = await readBody(request);
    const pool = cluster.spec.node_pools.find((candidate) => candidate.name === sub);
    const from = pool?.count ?? 0;
    const quota = plan({ name: "x", spec: { network: {}, control_plane: {}, node_pools: [{ name: "default", flavor: "m1.medium", count: Math.max(0, count - from) }] } });
    return send(response, 200, { from, to: count, removed: Array.from({ length: Math.max(0, from - count) }, (_, i) => `kcs-1a2b3c4d-w0-${from - 1 - i}`), checks: quota.checks.filter((check) => check.key === "quota"), quota: quota.quota, objects: [], blocked: quota.checks.some((check) => check.key === "quota" && check.level === "blocked") });
  }
  if (part === "node-pools") {
    const { count } = await readBody(request);
    const pool = cluster.spec.node_pools.find((candidate) => candidate.name === sub);
    if (pool) pool.count = count;
    return change("node_pool_resize", cluster, response);
  }
  if (part === "kubeconfigs" && method === "POST") {
    const given = await readBody(request);
    const issued = { id: `kc-${serial++}`, name: given.name ?? "", created_at: new Date().toISOString(), expires_at: data.ago(-given.expires_in), created_by: "member-a", mine: true };
    data.kubeconfigs.unshift(issued);
    return send(response, 201, { id: issued.id, expires_at: issued.expires_at, kubeconfig: `apiVersion: v1\nkind: Config\nclusters:\n- name: ${cluster.name}\n  cluster:\n    server: https://127.0.0.1:8443/k8s/clusters/${cluster.id}\n` });
  }
  if (part === "kubeconfigs" && method === "DELETE") {
    const found = data.kubeconfigs.find((candidate) => candidate.id === sub);
    if (found) found.revoked_at = new Date().toISOString();
    return send(response, 204);
  }
  if (part === "kubeconfigs") return send(response, 200, { items: data.kubeconfigs });
  if (part === "kubernetes") {
    if (cluster.status.phase === "Provisioning") return fail(response, 409, "KCS-API-002");
    const namespace = url.searchParams.get("namespace");
    const search = url.searchParams.get("search") ?? "";
    const fits = (/** @type {{ name: string, namespace: string }} */ item) => (!namespace || item.namespace === namespace) && item.name.includes(search);
    if (sub === "namespaces") return send(response, 200, { items: ["default", "kube-node-lease", "kube-public", "kube-system"].map((name) => ({ name, status: "Active", labels: {} })) });
    if (sub === "nodes") return send(response, 200, { items: cluster.name === "shop-production" ? data.kubernetesNodes : [] });
    if (sub === "deployments") return send(response, 200, page(data.deployments.filter(fits), url));
    if (sub === "pods") return send(response, 200, page(data.pods.filter(fits), url));
  }
  return fail(response, 404, "KCS-NOTFOUND-001");
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
