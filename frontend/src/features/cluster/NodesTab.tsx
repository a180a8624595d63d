// Node pools with their sizes, and every node with the server it is.
import { ColumnHeightOutlined } from "@ant-design/icons";
import { useParams } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useCluster, useNodePools, useNodes } from "../../api/clusters";
import { ended } from "../../api/operations";
import { useMayWrite } from "../../api/session";
import type { ClusterNode, NodePool } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Fault } from "../../components/Problem";
import { Status, type Tone } from "../../components/Status";
import { Ago } from "../../components/Time";
import { NodeStatus, nodeState } from "../../components/words";

const ResizeDialog = lazy(() => import("./ResizeDialog"));
const ConsoleDialog = lazy(() => import("./ConsoleDialog"));

export function NodesTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const [console, setConsole] = useState<ClusterNode | null>(null);
  const nodes = useNodes(id);
  return (
    <div className="stack">
      <Pools id={id} />
      <Card flush title={t("cluster.nodes.title")}>
        <DataTable
          name={t("cluster.nodes.title")}
          columns={useNodeColumns(setConsole)}
          rows={nodes.data?.items}
          rowKey={(node) => node.id}
          error={nodes.error}
          onRetry={() => void nodes.refetch()}
          empty={<Empty title={t("cluster.nodes.none")} text={t("cluster.nodes.noneText")} />}
          detail={(node) => (nodeState(node) === "failed" || (node.fault && nodeState(node) !== "ready") ? <NodeFault node={node} /> : null)}
        />
      </Card>
      <Suspense fallback={null}>{console && <ConsoleDialog clusterId={id} node={console} onClose={() => setConsole(null)} />}</Suspense>
    </div>
  );
}

function Pools({ id }: { id: string }) {
  const { t } = useTranslation();
  const pools = useNodePools(id);
  const cluster = useCluster(id);
  const mayWrite = useMayWrite();
  const [resizing, setResizing] = useState<NodePool | null>(null);
  const operation = cluster.data?.operation;
  const busy = (operation && !ended(operation.state)) || cluster.data?.status.phase === "Failed" || cluster.data?.status.phase === "Deleting";
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
    { key: "flavor", title: t("create.flavor"), render: (pool) => pool.flavor },
    { key: "volume", title: t("create.rootVolume"), align: "right", render: (pool) => <span className="numeric nowrap">{pool.root_volume_gib} GiB</span> },
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
  if (mayWrite) {
    columns.push({
      key: "act",
      title: t("cluster.actions"),
      render: (pool) =>
        pool.role === "worker" ? (
          <Button size="small" icon={<ColumnHeightOutlined aria-hidden="true" />} disabled={busy} title={busy ? t("cluster.pools.busy") : undefined} aria-label={t("cluster.pools.resizeOf", { pool: pool.name })} onClick={() => setResizing(pool)}>
            {t("cluster.pools.resize")}
          </Button>
        ) : (
          <span className="muted">—</span>
        ),
    });
  }
  return (
    <Card flush title={t("create.section.pools")}>
      <DataTable name={t("create.section.pools")} columns={columns} rows={pools.data?.items} rowKey={(pool) => pool.name} error={pools.error} onRetry={() => void pools.refetch()} empty={<Empty title={t("cluster.pools.none")} />} />
      <Suspense fallback={null}>{resizing && <ResizeDialog clusterId={id} pool={resizing} onClose={() => setResizing(null)} />}</Suspense>
    </Card>
  );
}

/** Nova's words for a server, with their tone; others are shown as they are. */
const serverTone: Record<string, Tone> = { ACTIVE: "ok", BUILD: "busy", ERROR: "bad", SHUTOFF: "warn", DELETED: "off", REBOOT: "busy", HARD_REBOOT: "busy", PAUSED: "warn", SUSPENDED: "warn" };

function useNodeColumns(onConsole: (node: ClusterNode) => void): Column<ClusterNode>[] {
  const { t } = useTranslation();
  return [
    {
      key: "name",
      title: t("cluster.nodes.name"),
      main: true,
      render: (node) => (
        <div className="name-cell">
          <span>{node.name}</span>
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
    {
      key: "console",
      title: t("cluster.actions"),
      render: (node) =>
        node.server?.id ? (
          <Button size="small" aria-label={t("cluster.console.of", { node: node.name })} onClick={() => onConsole(node)}>
            {t("cluster.console.open")}
          </Button>
        ) : (
          <span className="muted">—</span>
        ),
    },
  ];
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
