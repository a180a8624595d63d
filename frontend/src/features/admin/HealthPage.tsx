// How the service itself is: its processes, the parts of the one that answers, the cloud's services, and what waits.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useHealth } from "../../api/health";
import { useSession } from "../../api/session";
import type { ServiceStanding } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Definitions, Empty, Loading, Page } from "../../components/Page";
import { PausedNotice } from "../../components/PausedNotice";
import { LoadProblem } from "../../components/Problem";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";

export function HealthPage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const health = useHealth(operator);
  if (!operator || (isApiError(health.error) && health.error.status === 403)) {
    return (
      <Page title={t("admin.health.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("admin.health.title")} description={t("admin.health.description")} crumbs={[]}>
      {health.data ? (
        <div className="stack">
          {health.error && <LoadProblem error={health.error} onRetry={() => void health.refetch()} />}
          <Parts health={health.data} />
          <Services health={health.data} />
          <Processes health={health.data} />
          <Waiting health={health.data} />
        </div>
      ) : (
        <Card>{health.error ? <LoadProblem error={health.error} onRetry={() => void health.refetch()} /> : <Loading />}</Card>
      )}
    </Page>
  );
}

type Part = ServiceStanding["parts"][number];

/** Of the process that answers; the database's schema among them. */
function Parts({ health }: { health: ServiceStanding }) {
  const { t, i18n } = useTranslation();
  const { version, known } = health.schema;
  const columns: Column<Part>[] = [
    { key: "part", title: t("admin.health.col.part"), main: true, render: ({ part }) => <span className="break">{i18n.exists(`admin.health.partOf.${part}`) ? t(`admin.health.partOf.${part}`) : part}</span> },
    { key: "state", title: t("clusters.col.status"), render: ({ ok }) => <Status tone={ok ? "ok" : "bad"}>{t(ok ? "admin.health.well" : "admin.health.ill")}</Status> },
    { key: "words", title: t("admin.health.col.words"), render: ({ message }) => <span className="break">{message}</span> },
  ];
  return (
    <Card flush title={t("admin.health.parts")}>
      <DataTable name={t("admin.health.parts")} columns={columns} rows={health.parts} rowKey={({ part }) => part} empty={null} />
      <div className="card-foot">
        <Status tone={version === known ? "ok" : "warn"}>{t(version === known ? "admin.health.schema" : version < known ? "admin.health.schemaBehind" : "admin.health.schemaAhead", { version, known })}</Status>
      </div>
    </Card>
  );
}

type Service = ServiceStanding["services"][number];

function Services({ health }: { health: ServiceStanding }) {
  const { t, i18n } = useTranslation();
  const columns: Column<Service>[] = [
    {
      key: "service",
      title: t("admin.health.col.service"),
      main: true,
      render: ({ service }) => <span className="break">{i18n.exists(`admin.health.serviceOf.${service}`) ? t(`admin.health.serviceOf.${service}`) : service}</span>,
    },
    {
      key: "state",
      title: t("clusters.col.status"),
      render: ({ away_since, answered_at }) => <Status tone={away_since ? "bad" : answered_at ? "ok" : "unknown"}>{t(away_since ? "admin.health.away" : answered_at ? "admin.health.answers" : "admin.health.unasked")}</Status>,
    },
    { key: "answered", title: t("admin.health.col.answered"), render: ({ answered_at }) => <Time time={answered_at} /> },
    { key: "away", title: t("admin.health.col.away"), render: ({ away_since }) => <Time time={away_since} /> },
    { key: "why", title: t("admin.health.col.words"), render: ({ why }) => (why ? <span className="break">{why}</span> : <None />) },
  ];
  return (
    <Card flush title={t("admin.health.services")}>
      <DataTable name={t("admin.health.services")} columns={columns} rows={health.services} rowKey={({ service }) => service} empty={null} />
    </Card>
  );
}

type Process = ServiceStanding["processes"][number];

function Processes({ health }: { health: ServiceStanding }) {
  const { t } = useTranslation();
  const columns: Column<Process>[] = [
    { key: "name", title: t("admin.keys.col.process"), main: true, render: ({ name }) => <span className="break">{name}</span> },
    { key: "version", title: t("admin.health.col.version"), render: ({ version }) => (version ? <span className="break">{version}</span> : <span className="muted">{t("admin.health.older")}</span>) },
    { key: "seen", title: t("admin.people.col.seen"), render: ({ seen_at }) => <Ago time={seen_at} /> },
  ];
  const versions = new Set(health.processes.map(({ version }) => version));
  return (
    <Card flush title={t("admin.keys.processes")} extra={versions.size > 1 && <Status tone="warn">{t("admin.health.mixed")}</Status>}>
      <DataTable name={t("admin.keys.processes")} columns={columns} rows={health.processes} rowKey={({ name, seen_at }) => `${name} ${seen_at}`} empty={<Empty title={t("admin.keys.noProcess")} />} />
    </Card>
  );
}

/** What there is to do, and since when it waits. */
function Waiting({ health }: { health: ServiceStanding }) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const { queue, sweeps, keys } = health;
  const figure = (count: number, since?: string | null): ReactNode => (
    <>
      <span className="numeric">{amount(count)}</span>
      {since && (
        <span className="small muted">
          {" "}
          {t("admin.health.since")} <Ago time={since} />
        </span>
      )}
    </>
  );
  return (
    <Card title={t("admin.health.waiting")} extra={<Link to="/admin/operations">{t("shell.nav.adminOperations")}</Link>}>
      <div className="stack">
        {queue.paused && <PausedNotice pause={queue.paused} />}
        <Definitions
          items={[
            { label: t("admin.queue.figure.due"), value: figure(queue.due, health.oldest_due_at) },
            { label: t("admin.queue.figure.in_work"), value: figure(queue.in_work) },
            { label: t("admin.queue.figure.blocked"), value: figure(queue.blocked) },
            { label: t("admin.health.sweepsDue"), value: figure(sweeps.due, sweeps.oldest_due_at) },
            { label: t("admin.health.sweepsRunning"), value: figure(sweeps.running) },
            {
              label: t("shell.nav.adminKeys"),
              value: <Link to="/admin/keys">{keys.left > 0 ? t("admin.health.keysLeft", { left: amount(keys.left), of: amount(keys.rows) }) : t(`admin.keys.stepOf.${keys.next_step}`)}</Link>,
            },
          ]}
        />
      </div>
    </Card>
  );
}

function Time({ time }: { time?: string | null }) {
  return time ? <Ago time={time} /> : <None />;
}

function None() {
  return <span className="muted">—</span>;
}
