// Requests for more, of one project or of all: what is asked for and why, and what came of it.
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { QuotaRequest } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { requestTone, useWantedWords } from "./requestWords";

interface Props {
  name: string;
  requests: QuotaRequest[] | undefined;
  error: unknown;
  onRetry: () => void;
  empty: ReactNode;
  stale?: boolean;
  withProject?: boolean;
  /** What can be done with a request that waits. */
  act?: (request: QuotaRequest) => ReactNode;
}

export function RequestTable({ name, requests, error, onRetry, empty, stale, withProject, act }: Props) {
  const columns = useColumns(withProject ?? false, act);
  return <DataTable name={name} columns={columns} rows={requests} rowKey={(request) => request.id} error={error} onRetry={onRetry} empty={empty} stale={stale} />;
}

function useColumns(withProject: boolean, act: Props["act"]): Column<QuotaRequest>[] {
  const { t } = useTranslation();
  const words = useWantedWords();
  const wanted = (request: QuotaRequest) => (
    <ul className="tags">
      {words(request.wanted).map((word) => (
        <li key={word} className="tag">
          {word}
        </li>
      ))}
    </ul>
  );
  const columns: Column<QuotaRequest>[] = [
    {
      key: "by",
      title: t("quota.col.by"),
      main: true,
      render: (request) => (
        <div className="name-cell">
          <span className="break">{withProject ? request.project.name : request.created_by}</span>
          {withProject && <span className="small muted break">{request.created_by}</span>}
          <span className="small muted">
            <Ago time={request.created_at} />
          </span>
        </div>
      ),
    },
    { key: "wanted", title: t("quota.col.wanted"), render: wanted },
    { key: "reason", title: t("quota.col.reason"), width: "28%", render: (request) => <p className="request-text break">{request.reason}</p> },
    { key: "state", title: t("quota.col.state"), width: "24%", render: (request) => <Answer request={request} /> },
  ];
  if (act) columns.push({ key: "act", title: t("cluster.actions"), render: (request) => (waits(request) ? act(request) : <span className="muted">—</span>) });
  return columns;
}

const waits = (request: QuotaRequest) => request.state === "pending";

function Answer({ request }: { request: QuotaRequest }) {
  const { t } = useTranslation();
  return (
    <div className="name-cell">
      <Status tone={requestTone[request.state]}>{t(`quota.state.${request.state}`)}</Status>
      {request.words && <p className="request-text break">{request.words}</p>}
      {request.decided_at && (
        <span className="small muted break">
          {t("quota.decidedBy", { name: request.decided_by })} <Ago time={request.decided_at} />
        </span>
      )}
    </div>
  );
}
