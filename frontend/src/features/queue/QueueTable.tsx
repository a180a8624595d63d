// The table of all tenants' operations, with what an operator may do about each.
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { resume, retryAny } from "../../api/queue";
import type { AdminOperation } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { MenuButton, type MenuItem } from "../../components/MenuButton";
import { useErrorText } from "../../components/Problem";
import { Ago } from "../../components/Time";
import { useToast } from "../../components/Toast";
import { useFormat, useNow } from "../../i18n/format";
import { OperationProgress } from "../operations/OperationTable";
import { useQueueDeed } from "./useQueueDeed";

const CancelDialog = lazy(() => import("./CancelDialog"));
const PauseDialog = lazy(() => import("./PauseDialog"));

interface Props {
  operations: AdminOperation[] | undefined;
  error: unknown;
  onRetry: () => void;
  stale: boolean;
  empty: ReactNode;
}

type Asking = { what: "cancel" | "pause"; operation: AdminOperation };

export function QueueTable({ operations, ...rest }: Props) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState<Asking | null>(null);
  const columns: Column<AdminOperation>[] = [
    {
      key: "kind",
      title: t("operation.col.kind"),
      main: true,
      render: (operation) => (
        <div className="name-cell">
          <span>{t(`operation.kind.${operation.kind}`)}</span>
          <code className="id break">{operation.id}</code>
        </div>
      ),
    },
    {
      key: "cluster",
      title: t("operation.col.cluster"),
      render: (operation) => (
        <div className="name-cell">
          <span className="break">{operation.cluster.name}</span>
          <span className="small muted break">{operation.project.name}</span>
        </div>
      ),
    },
    { key: "state", title: t("operation.col.state"), width: "30%", render: (operation) => <OperationProgress operation={operation} /> },
    {
      key: "asked",
      title: t("operation.col.created"),
      render: (operation) => (
        <div className="name-cell">
          <Ago time={operation.created_at} />
          <span className="small muted break">{operation.created_by}</span>
        </div>
      ),
    },
    { key: "tries", title: t("admin.queue.tries"), render: (operation) => <Tries operation={operation} /> },
    { key: "act", title: t("cluster.actions"), render: (operation) => <Actions operation={operation} onAsk={(what) => setAsking({ what, operation })} /> },
  ];
  return (
    <>
      <DataTable name={t("admin.queue.title")} columns={columns} rows={operations} rowKey={(operation) => operation.id} {...rest} detail={words} />
      <Suspense fallback={null}>
        {asking?.what === "cancel" && <CancelDialog operation={asking.operation} onClose={() => setAsking(null)} />}
        {asking?.what === "pause" && <PauseDialog cluster={asking.operation.cluster} onClose={() => setAsking(null)} />}
      </Suspense>
    </>
  );
}

/** The cloud's or the node's own, of what stands still or failed. */
function words({ fault, state }: AdminOperation): ReactNode {
  if (!fault?.message || state === "succeeded") return null;
  return (
    <p className="small muted break">
      <code>{fault.code}</code> {fault.message}
    </p>
  );
}

function Tries({ operation }: { operation: AdminOperation }) {
  const { t } = useTranslation();
  const { span } = useFormat();
  const next = operation.next_attempt_at;
  const now = useNow(1000, Boolean(next));
  return (
    <div className="name-cell">
      <span className="numeric">{operation.retries + 1}</span>
      {next && !operation.paused && <span className="small muted">{t("admin.queue.next", { span: span(Math.max(0, (new Date(next).getTime() - now) / 1000)) })}</span>}
    </div>
  );
}

function Actions({ operation, onAsk }: { operation: AdminOperation; onAsk: (what: Asking["what"]) => void }) {
  const { t } = useTranslation();
  const notify = useToast();
  const errorText = useErrorText();
  const failed = (error: unknown) => notify(errorText(error), "bad");
  const retry = useQueueDeed(t("admin.queue.retried"), undefined, failed);
  const goOn = useQueueDeed(t("admin.queue.resumed"), undefined, failed);
  // One that was cancelled is that of a cluster that was written off.
  if (operation.kind === "cluster_delete" && (operation.state === "succeeded" || operation.state === "cancelled")) {
    const { id, cluster } = operation;
    return (
      <a className="link-button link-button-small" href={`/api/v1/admin/operations/${id}/receipt?format=text`} download={`receipt-${cluster.name}.txt`} aria-label={`${t("admin.queue.receipt")} ${cluster.name}`}>
        {t("admin.queue.receipt")}
      </a>
    );
  }
  const items: MenuItem[] = [];
  if (operation.can_retry) items.push({ key: "retry", label: t("operation.retry"), onSelect: () => retry.mutate(() => retryAny(operation.id)) });
  if (operation.paused?.everything === false) items.push({ key: "resume", label: t("admin.queue.resume"), onSelect: () => goOn.mutate(() => resume(operation.cluster.id)) });
  else if (operation.can_retry || operation.can_cancel) items.push({ key: "pause", label: t("admin.queue.pause"), onSelect: () => onAsk("pause") });
  if (operation.can_cancel) items.push({ key: "cancel", label: t("operation.cancel"), danger: true, onSelect: () => onAsk("cancel") });
  if (items.length === 0) return null;
  return (
    <MenuButton
      floating
      className="menu-outlined menu-small"
      label={t("cluster.actions")}
      name={t("admin.queue.actionsOf", { kind: t(`operation.kind.${operation.kind}`), name: operation.cluster.name })}
      items={items}
      disabled={retry.isPending || goOn.isPending}
    />
  );
}
