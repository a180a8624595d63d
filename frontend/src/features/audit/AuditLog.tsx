// A log with its filters: a line opens to show what was changed, how it was called, and the ids a support person asks for.
import { AuditOutlined, DownloadOutlined, ReloadOutlined, RightOutlined } from "@ant-design/icons";
import { Link } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { auditExportUrl, type AuditFilter, type AuditOf, type useAudit } from "../../api/audit";
import { useSession } from "../../api/session";
import type { AuditLine, AuditOutcome } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty, Loading } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Status, type Tone } from "../../components/Status";
import { useFormat } from "../../i18n/format";
import { NothingFound } from "../clusters/ClusterList";
import { useActionWord } from "./actions";
import { AuditFilters, type Named } from "./AuditFilters";
import { callOf, nameOf } from "./differences";
import { isFiltered, type AuditChoice } from "./filter";
import "./audit.css";

const AuditDetail = lazy(() => import("./AuditDetail"));

interface Props {
  audit: ReturnType<typeof useAudit>;
  search: AuditChoice;
  /** Of the project, or for operators of all; for names and for the filter. */
  clusters: (Named & { project: Named })[] | undefined;
  /** Projects that are known besides those of clusters and lines; given for operators. */
  projects?: Named[];
  change: (part: AuditChoice, replace?: boolean) => void;
  clear: () => void;
}

export function AuditLog({ audit, search, clusters, projects, change, clear }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const shown = useRef<HTMLSpanElement>(null);
  const lines = useMemo(() => audit.data?.pages.flatMap((page): AuditLine[] => page.items), [audit.data]);
  const named = useMemo(() => new Map(clusters?.map((cluster) => [cluster.id, cluster.name])), [clusters]);
  const tenants = useTenants(projects, clusters, lines);
  const toggle = (id: number) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const more = async () => {
    const { hasNextPage } = await audit.fetchNextPage();
    // The button is gone with the last page: the focus stays where it was.
    if (!hasNextPage) shown.current?.focus();
  };
  const columns = useColumns({ named, withProject: projects !== undefined, open, toggle });
  return (
    <Card flush>
      <AuditFilters choice={search} clusters={clusters ?? []} projects={projects && tenants} change={change} clear={clear} />
      <DataTable
        name={t("audit.title")}
        columns={columns}
        rows={lines}
        rowKey={(line) => String(line.id)}
        error={audit.isFetchNextPageError ? null : audit.error}
        onRetry={() => void audit.refetch()}
        stale={audit.isPlaceholderData}
        detail={(line) =>
          open.has(line.id) && (
            <Suspense fallback={<Loading rows={3} />}>
              <AuditDetail line={line} id={detailId(line)} named={named} withProject={projects !== undefined} change={change} />
            </Suspense>
          )
        }
        empty={isFiltered(search) ? <NothingFound onClear={clear} /> : <Empty icon={<AuditOutlined />} title={t("audit.none")} text={t("audit.noneText")} />}
      />
      {audit.isFetchNextPageError && <LoadProblem error={audit.error} onRetry={() => void more()} />}
      {lines && (
        <div className="pager">
          <span ref={shown} tabIndex={-1} className="muted" role="status">
            {lines.length > 0 && t(audit.hasNextPage ? "audit.shown" : "audit.shownAll", { count: lines.length })}
          </span>
          <span className="pager-buttons">
            <Button size="small" icon={<ReloadOutlined aria-hidden="true" />} loading={audit.isRefetching} onClick={() => void audit.refetch()}>
              {t("audit.refresh")}
            </Button>
            {audit.hasNextPage && (
              <Button size="small" loading={audit.isFetchingNextPage} onClick={() => void more()}>
                {t("audit.more")}
              </Button>
            )}
          </span>
        </div>
      )}
    </Card>
  );
}

/** Saves what the filters let through. A link, so that a long log goes to the disk as it comes. */
export function ExportLink({ of, filter }: { of: AuditOf; filter: AuditFilter }) {
  const { t } = useTranslation();
  return (
    <a className="link-button" href={auditExportUrl(of, filter)} download title={t("audit.exportHint")}>
      <DownloadOutlined aria-hidden="true" />
      {t("audit.export")}
    </a>
  );
}

const detailId = (line: AuditLine) => `audit-${line.id}`;

/** Projects that can be chosen: there is no list of all, so those that anything here speaks of. */
function useTenants(projects: Named[] | undefined, clusters: Props["clusters"], lines: AuditLine[] | undefined): Named[] {
  return useMemo(() => {
    const all = new Map<string, Named>();
    for (const project of [...(projects ?? []), ...(clusters ?? []).map((cluster) => cluster.project), ...(lines ?? []).map((line) => line.project)]) {
      if (project.name) all.set(project.id, project);
    }
    return [...all.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  }, [projects, clusters, lines]);
}

interface ColumnProps {
  named: ReadonlyMap<string, string>;
  withProject: boolean;
  open: ReadonlySet<number>;
  toggle: (id: number) => void;
}

function useColumns({ named, withProject, open, toggle }: ColumnProps): Column<AuditLine>[] {
  const { t } = useTranslation();
  const { absolute } = useFormat();
  return [
    {
      key: "at",
      title: t("audit.col.at"),
      render: (line) => (
        <time dateTime={line.at} className="numeric audit-time">
          {absolute(line.at)}
        </time>
      ),
    },
    { key: "person", title: t("audit.col.person"), render: (line) => <Doer line={line} /> },
    ...(withProject ? [{ key: "project", title: t("clusters.col.project"), render: (line: AuditLine) => (line.project.name ? <span className="nowrap">{line.project.name}</span> : <code className="id">{line.project.id}</code>) }] : []),
    { key: "action", title: t("audit.col.action"), main: true, render: (line) => <Act line={line} /> },
    { key: "object", title: t("audit.col.object"), render: (line) => <ObjectCell line={line} named={named} /> },
    { key: "outcome", title: t("audit.col.outcome"), render: (line) => <Outcome outcome={line.outcome} /> },
    { key: "source", title: t("audit.col.source"), render: (line) => (line.source ? <code className="break">{line.source}</code> : <span className="muted">—</span>) },
    { key: "detail", title: t("operation.details"), render: (line) => <Toggle line={line} open={open.has(line.id)} onClick={() => toggle(line.id)} /> },
  ];
}

function Toggle({ line, open, onClick }: { line: AuditLine; open: boolean; onClick: () => void }) {
  const { t } = useTranslation();
  const { absolute } = useFormat();
  const word = t(open ? "audit.hide" : "audit.show");
  const actionWord = useActionWord();
  return (
    <button
      type="button"
      className={`disclosure nowrap ${open ? "open" : ""}`}
      aria-expanded={open}
      aria-controls={open ? detailId(line) : undefined}
      aria-label={t("audit.showOf", { word, action: actionWord(line.action) ?? line.action, time: absolute(line.at) })}
      onClick={onClick}
    >
      <RightOutlined aria-hidden="true" />
      {word}
    </button>
  );
}

function Doer({ line }: { line: AuditLine }) {
  const via = useViaWord();
  return (
    <div className="audit-cell">
      {line.via !== "engine" && <span className="break">{line.user.name || line.user.id}</span>}
      <span className={line.via === "engine" ? "nowrap" : "small muted nowrap"}>{via(line.via)}</span>
    </div>
  );
}

/** By what means somebody came. */
function useViaWord() {
  const { t, i18n } = useTranslation();
  return (via: string): string => (i18n.exists(`audit.viaOf.${via}`) ? t(`audit.viaOf.${via}`) : via);
}

function Act({ line }: { line: AuditLine }) {
  const word = useActionWord()(line.action);
  const call = callOf(line.detail);
  return (
    <div className="audit-cell audit-act">
      {word ?? <code className="break">{line.action}</code>}
      {call && (
        <code className="small muted audit-call" title={`${call.method} ${call.path}`}>
          {call.command ?? `${call.method} ${call.path}`}
        </code>
      )}
    </div>
  );
}

function ObjectCell({ line, named }: { line: AuditLine; named: ReadonlyMap<string, string> }) {
  const { t, i18n } = useTranslation();
  const { project } = useSession();
  // An operator may read of all projects, but enters only the own.
  const own = line.project.id === project.id;
  const kind = i18n.exists(`audit.objectOf.${line.object_kind}`) ? t(`audit.objectOf.${line.object_kind}`) : line.object_kind;
  const isCluster = line.object_kind === "cluster";
  const name = nameOf(line.detail);
  return (
    <div className="audit-cell">
      <span className="break">
        {kind}{" "}
        {isCluster ? <ClusterName id={line.object_id} name={name} named={named} own={own} /> : name ? <strong>{name}</strong> : line.object_kind !== "session" && line.object_kind !== "operation" && <code className="id">{line.object_id}</code>}
      </span>
      {!isCluster && line.cluster && (
        <span className="small muted break">
          {t("operation.col.cluster")} <ClusterName id={line.cluster} named={named} own={own} />
        </span>
      )}
      {line.operation && own && (
        <Link to="/operations/$id" params={{ id: line.operation }} className="audit-link small">
          {t("audit.toOperation")}
        </Link>
      )}
    </div>
  );
}

/** A cluster that is still there is linked; of one that is gone the log knows the name, or the id at least. */
function ClusterName({ id, name, named, own }: { id: string; name?: string; named: ReadonlyMap<string, string>; own: boolean }) {
  const known = named.get(id);
  if (known && own) {
    return (
      <Link to="/clusters/$id" params={{ id }}>
        {known}
      </Link>
    );
  }
  return known || name ? <strong>{known ?? name}</strong> : <code className="id">{id}</code>;
}

const outcomeTone: Record<AuditOutcome, Tone> = { accepted: "ok", done: "ok", denied: "warn", failed: "bad", cancelled: "stopped" };

function Outcome({ outcome }: { outcome: string }) {
  const { t, i18n } = useTranslation();
  if (!i18n.exists(`audit.outcome.${outcome}`)) return <Status tone="unknown">{outcome}</Status>;
  return <Status tone={outcomeTone[outcome as AuditOutcome]}>{t(`audit.outcome.${outcome}`)}</Status>;
}
