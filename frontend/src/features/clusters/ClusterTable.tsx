// The table of clusters, for a tenant and for operators.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ended } from "../../api/operations";
import type { Cluster } from "../../api/types";
import { Bar } from "../../components/Bar";
import { DataTable, type Column } from "../../components/DataTable";
import { Ago } from "../../components/Time";
import { conditionTone, PhaseStatus, useReason } from "../../components/words";
import { useFormat } from "../../i18n/format";

interface Props {
  clusters: Cluster[] | undefined;
  error: unknown;
  onRetry: () => void;
  stale: boolean;
  sort: string | undefined;
  onSort: (sort: string) => void;
  empty: ReactNode;
  withProject?: boolean;
  /** Whether the name leads to the cluster's page: an operator may not enter a foreign tenant's cluster. */
  linked?: (cluster: Cluster) => boolean;
  /** What may be done about one. */
  act?: (cluster: Cluster) => ReactNode;
}

export function ClusterTable({ clusters, error, onRetry, stale, sort, onSort, empty, withProject, linked = () => true, act }: Props) {
  const { t } = useTranslation();
  const { money } = useFormat();
  const columns: Column<Cluster>[] = [
    {
      key: "name",
      title: t("clusters.col.name"),
      sort: "name",
      main: true,
      render: (cluster) => (
        <div className="name-cell">
          {linked(cluster) ? (
            <Link to="/clusters/$id" params={{ id: cluster.id }}>
              {cluster.name}
            </Link>
          ) : (
            <span>{cluster.name}</span>
          )}
          <code className="id">{cluster.id}</code>
        </div>
      ),
    },
    { key: "status", title: t("clusters.col.status"), width: "28%", render: (cluster) => <ClusterState cluster={cluster} linked={linked(cluster)} /> },
    { key: "version", title: t("clusters.col.version"), render: (cluster) => <span className="numeric">{cluster.spec.version}</span> },
    {
      key: "masters",
      title: t("clusters.col.masters"),
      align: "right",
      render: (cluster) => <Ready ready={cluster.status.masters_ready} desired={cluster.masters_desired} />,
    },
    {
      key: "nodes",
      title: t("clusters.col.nodes"),
      align: "right",
      render: (cluster) => <Ready ready={cluster.status.nodes_ready} desired={cluster.nodes_desired} />,
    },
    ...(clusters?.some((cluster) => cluster.cost)
      ? [{ key: "cost", title: t("cost.column"), align: "right" as const, render: ({ cost }: Cluster) => <span className="numeric nowrap">{cost ? money(cost.per_hour, cost.currency, 4) : "—"}</span> }]
      : []),
    { key: "createdBy", title: t("clusters.col.createdBy"), render: (cluster) => <span className="nowrap">{cluster.created_by}</span> },
    { key: "created", title: t("clusters.col.created"), sort: "created_at", render: (cluster) => <Ago time={cluster.created_at} /> },
  ];
  if (act) columns.push({ key: "act", title: t("cluster.actions"), render: act });
  if (withProject) columns.splice(1, 0, { key: "project", title: t("clusters.col.project"), render: (cluster) => <span className="nowrap">{cluster.project.name}</span> });
  return (
    <DataTable
      name={t("clusters.list")}
      columns={columns}
      rows={clusters}
      rowKey={(cluster) => cluster.id}
      error={error}
      onRetry={onRetry}
      stale={stale}
      sort={sort}
      onSort={onSort}
      empty={empty}
    />
  );
}

export function Ready({ ready, desired }: { ready: number; desired: number }) {
  const { t } = useTranslation();
  return (
    <span className="numeric nowrap" title={t("clusters.readyOf", { ready, desired })}>
      {ready} / {desired}
    </span>
  );
}

/** Phase, and below it what is going on or what is wrong. */
function ClusterState({ cluster, linked }: { cluster: Cluster; linked: boolean }) {
  const { t } = useTranslation();
  const reason = useReason();
  const { operation, status } = cluster;
  if (operation && !ended(operation.state)) {
    const words = cluster.paused ? t("common.paused.short") : operation.state === "blocked" ? t("status.operation.blocked") : operation.step ? t(`operation.step.${operation.step}`) : t(`status.operation.${operation.state}`);
    return (
      <div className="state-cell">
        <PhaseStatus phase={status.phase} />
        <div className="state-progress">
          {linked ? (
            <Link to="/operations/$id" params={{ id: operation.id }} className="small">
              {words}
            </Link>
          ) : (
            <span className="small">{words}</span>
          )}
          <span className="small numeric nowrap">{operation.progress}%</span>
        </div>
        <Bar value={operation.progress} name={t("operation.progressOf", { name: cluster.name })} tone={operation.state === "blocked" ? "warn" : "busy"} />
      </div>
    );
  }
  const wrong = status.conditions.find((condition) => conditionTone(condition, status.phase) === "bad");
  return (
    <div className="state-cell">
      <PhaseStatus phase={status.phase} />
      {cluster.paused && <span className="small muted">{t("common.paused.short")}</span>}
      {operation?.state === "failed" && linked ? (
        <Link to="/operations/$id" params={{ id: operation.id }} className="small">
          {t("clusters.whyFailed")}
        </Link>
      ) : (
        wrong && <span className="small muted">{reason(wrong)}</span>
      )}
    </div>
  );
}
