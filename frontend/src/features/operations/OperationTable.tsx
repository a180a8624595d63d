// A table of operations: of the project, or of one cluster.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ended } from "../../api/operations";
import type { Operation } from "../../api/types";
import { Bar } from "../../components/Bar";
import { DataTable, type Column } from "../../components/DataTable";
import { useExplain } from "../../components/Problem";
import { Ago, Elapsed } from "../../components/Time";
import { OperationStatus } from "../../components/words";

interface Props {
  operations: Operation[] | undefined;
  error: unknown;
  onRetry: () => void;
  stale: boolean;
  empty: ReactNode;
  withCluster: boolean;
}

export function OperationTable({ operations, error, onRetry, stale, empty, withCluster }: Props) {
  const { t } = useTranslation();
  const columns: Column<Operation>[] = [
    {
      key: "kind",
      title: t("operation.col.kind"),
      main: true,
      render: (operation) => (
        <Link to="/operations/$id" params={{ id: operation.id }}>
          {t(`operation.kind.${operation.kind}`)}
        </Link>
      ),
    },
    { key: "state", title: t("operation.col.state"), width: "34%", render: (operation) => <OperationProgress operation={operation} /> },
    { key: "by", title: t("operation.col.by"), render: (operation) => <span className="nowrap">{operation.created_by}</span> },
    { key: "created", title: t("operation.col.created"), render: (operation) => <Ago time={operation.created_at} /> },
    {
      key: "took",
      title: t("operation.col.took"),
      align: "right",
      render: (operation) => (operation.started_at ? <Elapsed from={operation.started_at} to={ended(operation.state) ? (operation.finished_at ?? operation.started_at) : null} /> : "—"),
    },
  ];
  if (withCluster) columns.splice(1, 0, { key: "cluster", title: t("operation.col.cluster"), render: (operation) => <ClusterName operation={operation} /> });
  return (
    <DataTable name={t("operation.list")} columns={columns} rows={operations} rowKey={(operation) => operation.id} error={error} onRetry={onRetry} stale={stale} empty={empty} />
  );
}

function ClusterName({ operation }: { operation: Operation }) {
  if (operation.kind === "cluster_delete" && operation.state === "succeeded") return <span>{operation.cluster.name}</span>;
  return (
    <Link to="/clusters/$id" params={{ id: operation.cluster.id }}>
      {operation.cluster.name}
    </Link>
  );
}

/** State, and below it how far it is or what it waits for. */
export function OperationProgress({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const explain = useExplain();
  const step = operation.steps.find((candidate) => candidate.state === "running");
  return (
    <div className="state-cell">
      <OperationStatus state={operation.state} />
      {!ended(operation.state) && (
        <>
          <div className="state-progress small muted">
            <span>{operation.paused ? t("common.paused.short") : operation.fault ? explain(operation.fault.code, operation.fault).title : step && t(`operation.step.${step.key}`)}</span>
            <span className="numeric nowrap">{operation.progress}%</span>
          </div>
          <Bar value={operation.progress} name={t("operation.progressOf", { name: operation.cluster.name })} tone={operation.state === "blocked" ? "warn" : "busy"} />
        </>
      )}
      {operation.state === "failed" && operation.fault && (
        <span className="small muted">
          {explain(operation.fault.code, operation.fault).title} <code>{operation.fault.code}</code>
        </span>
      )}
    </div>
  );
}
