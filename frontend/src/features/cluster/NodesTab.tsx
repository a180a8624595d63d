// Node pools with their sizes, and every node with the server it is.
import { PlusOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { setSchedulable, unchangeable, useCluster, useNodePools, useNodes } from "../../api/clusters";
import { useKubernetesNodes } from "../../api/kubernetes";
import { may } from "../../api/permissions";
import type { Cluster, ClusterNode, KubernetesNode, NodePool } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { MenuButton, type MenuItem } from "../../components/MenuButton";
import { Card, Empty } from "../../components/Page";
import { Fault, useErrorText } from "../../components/Problem";
import { Status, type Tone } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useToast } from "../../components/Toast";
import { NodeStatus, nodeState } from "../../components/words";
import { PoolDisks, PoolMachines } from "./Choices";
import type { Verb } from "./VerbDialog";

const ConsoleDialog = lazy(() => import("./ConsoleDialog"));
const ControlPlaneDialog = lazy(() => import("./ControlPlaneDialog"));
const NodeDialog = lazy(() => import("./NodeDialog"));
const NodeMarksDialog = lazy(() => import("./NodeMarksDialog"));
const PoolDialog = lazy(() => import("./PoolDialog"));
const PoolMarksDialog = lazy(() => import("./PoolMarksDialog"));
const ResizeDialog = lazy(() => import("./ResizeDialog"));
const VerbDialog = lazy(() => import("./VerbDialog"));

/** The cluster's own words for why it does not find a node ready. */
const unreadyWords = (node: ClusterNode) => [node.unready_reason, node.unready_message].filter(Boolean).join(": ");

export function NodesTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const [console, setConsole] = useState<ClusterNode | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const [marking, setMarking] = useState(false);
  const [wish, setWish] = useState<Verb | null>(null);
  const cluster = useCluster(id).data;
  const nodes = useNodes(id);
  // Before it has come up once nobody answers.
  const up = cluster?.status.phase === "Running" || cluster?.status.phase === "Degraded" || cluster?.status.phase === "Updating";
  const inside = useKubernetesNodes(id, up);
  const columns = useNodeColumns({ cluster, inside: inside.data, onShow: setShown, onConsole: setConsole, onWish: setWish });
  const seen = shown === null ? undefined : inside.data?.get(shown);
  const own = nodes.data?.items.find((node) => node.name === shown);
  return (
    <div className="stack">
      {cluster && <Pools cluster={cluster} nodes={nodes.data?.items ?? []} onWish={setWish} />}
      <Card flush title={t("cluster.nodes.title")}>
        <DataTable
          name={t("cluster.nodes.title")}
          columns={columns}
          rows={nodes.data?.items}
          rowKey={(node) => node.id}
          error={nodes.error}
          onRetry={() => void nodes.refetch()}
          empty={<Empty title={t("cluster.nodes.none")} text={t("cluster.nodes.noneText")} />}
          detail={(node) => {
            if (nodeState(node) === "failed" || (node.fault && nodeState(node) !== "ready")) return <NodeFault node={node} />;
            return nodeState(node) === "notReady" && node.unready_code ? <Fault tone="warn" fault={{ code: node.unready_code, remedy: node.unready_remedy ?? undefined, message: unreadyWords(node) }} /> : null;
          }}
        />
      </Card>
      <Suspense fallback={null}>
        {seen && !marking && <NodeDialog clusterId={id} node={seen} onMark={own && may(cluster, "node_operate") ? () => setMarking(true) : undefined} onClose={() => setShown(null)} />}
        {seen && own && marking && <NodeMarksDialog clusterId={id} nodeId={own.id} node={seen} onClose={() => setMarking(false)} />}
        {console && <ConsoleDialog clusterId={id} node={console} onClose={() => setConsole(null)} />}
        {wish && cluster && <VerbDialog cluster={cluster} wish={wish} onClose={() => setWish(null)} />}
      </Suspense>
    </div>
  );
}

function Pools({ cluster, nodes, onWish }: { cluster: Cluster; nodes: ClusterNode[]; onWish: (wish: Verb) => void }) {
  const { t } = useTranslation();
  const { id } = cluster;
  const pools = useNodePools(id);
  const [dialog, setDialog] = useState<NodePool | "add" | "controlPlane" | null>(null);
  const [marking, setMarking] = useState<NodePool | null>(null);
  const standsAgainst = unchangeable(cluster);
  const unavailable = standsAgainst ? t(`cluster.unchangeable.${standsAgainst}`) : undefined;
  const of = (pool: NodePool) => nodes.filter((node) => node.pool === pool.name && node.role === "worker");
  const columns: Column<NodePool>[] = [
    { key: "name", title: t("cluster.pools.name"), main: true, render: (pool) => (pool.role === "master" ? t("clusters.col.masters") : pool.name) },
    {
      key: "ready",
      title: t("cluster.pools.ready"),
      align: "right",
      render: (pool) => (
        <span className="numeric nowrap">
          {pool.ready} / {pool.desired}
          {pool.current !== pool.desired && <span className="muted"> {t("cluster.pools.current", { count: pool.current })}</span>}
        </span>
      ),
    },
    { key: "flavor", title: t("create.flavor"), render: (pool) => <PoolMachines cluster={cluster} pool={pool} /> },
    { key: "volume", title: t("cluster.pools.disks"), render: (pool) => <PoolDisks cluster={cluster} pool={pool} /> },
    { key: "zones", title: t("create.zones"), render: (pool) => (pool.zones.length > 0 ? pool.zones.join(t("create.comma")) : <span className="muted">{t("cluster.pools.anyZone")}</span>) },
    {
      key: "labels",
      title: t("cluster.pools.labels"),
      render: (pool) => (
        <span className="tags">
          {Object.entries(pool.labels).map(([key, value]) => (
            <span key={key} className="tag">
              {key}={value}
            </span>
          ))}
          {pool.taints.map((taint) => (
            <span key={`${taint.key}${taint.effect}`} className="tag" title={t(`create.effectOf.${taint.effect}`)}>
              {taint.key}
              {taint.value ? `=${taint.value}` : ""}:{taint.effect}
            </span>
          ))}
          {Object.keys(pool.labels).length + pool.taints.length === 0 && <span className="muted">—</span>}
        </span>
      ),
    },
  ];
  const acts = (pool: NodePool): MenuItem[] => {
    const master = pool.role === "master";
    const items: MenuItem[] = [];
    if (may(cluster, master ? "control_plane_resize" : "node_pool_resize")) items.push({ key: "resize", label: t("cluster.pools.resize"), unavailable, onSelect: () => setDialog(master ? "controlPlane" : pool) });
    if (!master && may(cluster, "node_operate")) items.push({ key: "marks", label: t("cluster.pools.labels"), unavailable, onSelect: () => setMarking(pool) });
    if (!master && may(cluster, "node_pool_delete")) items.push({ key: "delete", label: t("cluster.delete"), danger: true, unavailable, onSelect: () => onWish({ verb: "deletePool", pool, nodes: of(pool) }) });
    return items;
  };
  if (pools.data?.items.some((pool) => acts(pool).length > 0)) {
    columns.push({
      key: "act",
      title: t("cluster.actions"),
      render: (pool) => {
        const items = acts(pool);
        if (items.length === 0) return <span className="muted">—</span>;
        return <MenuButton floating className="menu-outlined menu-small" label={t("cluster.actions")} name={t("cluster.pools.actionsOf", { pool: pool.role === "master" ? t("clusters.col.masters") : pool.name })} items={items} />;
      },
    });
  }
  return (
    <Card
      flush
      title={t("create.section.pools")}
      extra={
        may(cluster, "node_pool_create") &&
        (unavailable ? (
          <span className="small muted">{unavailable}</span>
        ) : (
          <Button size="small" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setDialog("add")}>
            {t("create.addPool")}
          </Button>
        ))
      }
    >
      <DataTable name={t("create.section.pools")} columns={columns} rows={pools.data?.items} rowKey={(pool) => pool.name} error={pools.error} onRetry={() => void pools.refetch()} empty={<Empty title={t("cluster.pools.none")} />} />
      <Suspense fallback={null}>
        {dialog === "add" && <PoolDialog cluster={cluster} onClose={() => setDialog(null)} />}
        {dialog === "controlPlane" && <ControlPlaneDialog cluster={cluster} onClose={() => setDialog(null)} />}
        {dialog && typeof dialog === "object" && <ResizeDialog clusterId={id} pool={dialog} nodes={of(dialog)} onClose={() => setDialog(null)} />}
        {marking && <PoolMarksDialog clusterId={id} pool={marking} onClose={() => setMarking(null)} />}
      </Suspense>
    </Card>
  );
}

/** Nova's words for a server, with their tone; others are shown as they are. */
const serverTone: Record<string, Tone> = { ACTIVE: "ok", BUILD: "busy", ERROR: "bad", SHUTOFF: "warn", DELETED: "off", REBOOT: "busy", HARD_REBOOT: "busy", PAUSED: "warn", SUSPENDED: "warn" };

interface NodeColumns {
  cluster: Cluster | undefined;
  /** By name, as Kubernetes sees them; missing while its API does not answer. */
  inside: Map<string, KubernetesNode> | undefined;
  onShow: (name: string) => void;
  onConsole: (node: ClusterNode) => void;
  onWish: (wish: Verb) => void;
}

function useNodeColumns({ cluster, inside, onShow, onConsole, onWish }: NodeColumns): Column<ClusterNode>[] {
  const { t } = useTranslation();
  return [
    {
      key: "name",
      title: t("cluster.nodes.name"),
      main: true,
      render: (node) => (
        <div className="name-cell">
          {inside?.has(node.name) ? (
            <Button type="link" size="small" className="name-button" aria-haspopup="dialog" onClick={() => onShow(node.name)}>
              {node.name}
            </Button>
          ) : (
            <span>{node.name}</span>
          )}
          <span className="small muted">{node.role === "master" ? t("clusters.col.masters") : node.pool}</span>
        </div>
      ),
    },
    {
      key: "status",
      title: t("clusters.col.status"),
      render: (node) => (
        <div className="state-cell-narrow">
          <NodeStatus node={node} />
          {!node.removing && node.unready_since && (
            <span className="small muted">
              {t("cluster.since")} <Ago time={node.unready_since} />
            </span>
          )}
          {inside?.get(node.name)?.schedulable === false && <Status tone="warn">{t("cluster.nodes.cordoned")}</Status>}
          {nodeState(node) === "joining" && <span className="small muted">{t(`status.bootstrap.${node.bootstrap.state}`, { stage: node.bootstrap.state === "running" ? node.bootstrap.stage : "" })}</span>}
        </div>
      ),
    },
    {
      key: "server",
      title: t("cluster.nodes.server"),
      render: (node) =>
        node.server ? (
          <div className="state-cell-narrow">
            {node.server.status ? <Status tone={serverTone[node.server.status] ?? "unknown"}>{node.server.status}</Status> : <span className="muted">{t(`status.resource.${node.server.state}`)}</span>}
            {node.server.id && <code className="id">{node.server.id}</code>}
          </div>
        ) : (
          <span className="muted">—</span>
        ),
    },
    { key: "address", title: t("cluster.nodes.address"), render: (node) => (node.address ? <code>{node.address}</code> : <span className="muted">—</span>) },
    { key: "zone", title: t("cluster.nodes.zone"), render: (node) => node.server?.zone ?? <span className="muted">—</span> },
    { key: "version", title: t("clusters.col.version"), render: (node) => (node.kubelet_version ? <span className="numeric">{node.kubelet_version}</span> : <span className="muted">—</span>) },
    { key: "created", title: t("clusters.col.created"), render: (node) => (node.created_at ? <Ago time={node.created_at} /> : <span className="muted">—</span>) },
    ...(may(cluster, "node_operate")
      ? [
          {
            key: "act",
            title: t("cluster.actions"),
            render: (node: ClusterNode) => <NodeActions cluster={cluster} node={node} inside={inside?.get(node.name)} onConsole={onConsole} onWish={onWish} />,
          },
        ]
      : []),
  ];
}

interface NodeActionsProps extends Omit<NodeColumns, "inside" | "onShow"> {
  node: ClusterNode;
  inside: KubernetesNode | undefined;
}

function NodeActions({ cluster, node, inside, onConsole, onWish }: NodeActionsProps) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  const clusterId = cluster?.id ?? "";
  const schedule = useMutation({
    mutationFn: (on: boolean) => setSchedulable(clusterId, node.id, on),
    onSuccess: (_, on) => {
      void queryClient.invalidateQueries({ queryKey: ["kubernetes", clusterId, "nodes"] });
      notify(t(on ? "cluster.nodes.uncordoned" : "cluster.nodes.cordonDone", { node: node.name }));
    },
    onError: (error) => notify(errorText(error), "bad"),
  });
  const standsAgainst = node.removing ? "removing" : cluster ? unchangeable(cluster) : null;
  const unavailable = standsAgainst ? t(`cluster.unchangeable.${standsAgainst}`) : undefined;
  const items: MenuItem[] = [];
  if (node.server?.id) items.push({ key: "console", label: t("cluster.console.open"), onSelect: () => onConsole(node) });
  if (inside) items.push({ key: "schedule", label: t(inside.schedulable ? "cluster.nodes.cordon" : "cluster.nodes.uncordon"), onSelect: () => schedule.mutate(!inside.schedulable) });
  for (const verb of ["drain", "reboot", "replace"] as const) items.push({ key: verb, label: t(`cluster.verb.${verb}.submit`), danger: verb === "replace", unavailable, onSelect: () => onWish({ verb, node }) });
  return <MenuButton floating className="menu-outlined menu-small" label={t("cluster.actions")} name={t("cluster.nodes.actionsOf", { node: node.name })} items={items} />;
}

function NodeFault({ node }: { node: ClusterNode }) {
  const { t } = useTranslation();
  const lines = node.bootstrap.state === "failed" ? node.bootstrap.lines : "";
  if (!node.fault) {
    return lines ? (
      <figure className="fault-words">
        <figcaption>{t("cluster.nodes.lastLines")}</figcaption>
        <pre tabIndex={0}>{lines}</pre>
      </figure>
    ) : null;
  }
  const { fault } = node;
  return <Fault tone="warn" fault={{ code: fault.code, title: fault.title, remedy: fault.remedy, message: fault.message || lines, object: fault.object, cloudRequestId: fault.cloud_request_id }} />;
}
