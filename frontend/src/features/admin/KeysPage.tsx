// The keys that seal secrets: what an operator does next, how far sealing anew is, which process has which key, and what did not open.
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useKeys } from "../../api/keys";
import { useSession } from "../../api/session";
import type { KeyReport } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { Bar } from "../../components/Bar";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Definitions, Empty, Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Status, type Tone } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";

export function KeysPage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const keys = useKeys(operator);
  if (!operator || (isApiError(keys.error) && keys.error.status === 403)) {
    return (
      <Page title={t("admin.keys.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("admin.keys.title")} description={t("admin.keys.description")} crumbs={[]}>
      {keys.data ? (
        <div className="stack">
          {keys.error && <LoadProblem error={keys.error} onRetry={() => void keys.refetch()} />}
          <Standing report={keys.data} />
          <Keys report={keys.data} />
          <Processes report={keys.data} />
        </div>
      ) : (
        <Card>{keys.error ? <LoadProblem error={keys.error} onRetry={() => void keys.refetch()} /> : <Loading />}</Card>
      )}
    </Page>
  );
}

const TONES: Record<KeyReport["next_step"], Tone> = { add_missing: "bad", make_active: "warn", wait: "busy", spare: "ok", settled: "ok" };

/** What comes next, how much is sealed with the active key, and what did not open. */
function Standing({ report }: { report: KeyReport }) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const share = report.rows === 0 ? 100 : (report.rewrapped / report.rows) * 100;
  const sealed = t("admin.keys.sealed", { done: amount(report.rewrapped), of: amount(report.rows), key: report.active });
  return (
    <Card title={t("admin.keys.standing")}>
      <div className="stack">
        <p>
          <Status tone={TONES[report.next_step]}>{t(`admin.keys.stepOf.${report.next_step}`)}</Status>
        </p>
        <p className="muted">{t(`admin.keys.stepText.${report.next_step}`)}</p>
        <div>
          <Bar value={share} name={t("admin.keys.standing")} tone={report.left > 0 ? "busy" : "ok"} />
          <p className="small">{sealed}</p>
        </div>
        {report.left > 0 && (
          <Definitions items={report.kinds.filter((kind) => kind.left > 0).map((kind) => ({ label: kind.kind, value: t("admin.keys.leftOf", { left: amount(kind.left), of: amount(kind.rows) }) }))} />
        )}
        {report.unopened.length > 0 && (
          <figure className="fault-words" role="alert">
            <figcaption>{t("admin.keys.unopened")}</figcaption>
            <pre tabIndex={0}>{report.unopened.join("\n")}</pre>
          </figure>
        )}
      </div>
    </Card>
  );
}

type Key = KeyReport["keys"][number];

function Keys({ report }: { report: KeyReport }) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const columns: Column<Key>[] = [
    { key: "id", title: t("admin.keys.col.key"), main: true, render: (key) => <code className="break">{key.id}</code> },
    {
      key: "state",
      title: t("clusters.col.status"),
      render: (key) => <Status tone={key.id === report.active ? "ok" : key.rows > 0 ? "wait" : "off"}>{t(`admin.keys.stateOf.${key.id === report.active ? "active" : key.rows > 0 ? "leaving" : "spare"}`)}</Status>,
    },
    { key: "rows", title: t("admin.keys.col.rows"), align: "right", render: (key) => <span className="numeric">{amount(key.rows)}</span> },
    { key: "active", title: t("admin.keys.col.activeIn"), render: (key) => <Names names={key.active_in} /> },
    { key: "missing", title: t("admin.keys.col.missingIn"), render: (key) => <Names names={key.missing_in} bad={key.rows > 0 || key.active_in.length > 0} /> },
  ];
  return (
    <Card flush title={t("admin.keys.keys")}>
      <DataTable name={t("admin.keys.keys")} columns={columns} rows={report.keys} rowKey={(key) => key.id} empty={null} />
    </Card>
  );
}

/** Processes by name; `bad`: they should not be among them. */
function Names({ names, bad = false }: { names: string[]; bad?: boolean }) {
  const { t } = useTranslation();
  if (names.length === 0) return <span className="muted">—</span>;
  const text = names.join(t("create.comma"));
  return bad ? <Status tone="bad">{text}</Status> : <span className="break">{text}</span>;
}

type Process = KeyReport["processes"][number];

function Processes({ report }: { report: KeyReport }) {
  const { t } = useTranslation();
  const columns: Column<Process>[] = [
    { key: "name", title: t("admin.keys.col.process"), main: true, render: (process) => <span className="break">{process.name}</span> },
    { key: "active", title: t("admin.keys.col.active"), render: (process) => <code className="break">{process.active}</code> },
    { key: "others", title: t("admin.keys.col.others"), render: (process) => <Names names={process.keys.filter((key) => key !== process.active)} /> },
    { key: "seen", title: t("admin.people.col.seen"), render: (process) => <Ago time={process.seen_at} /> },
  ];
  return (
    <Card flush title={t("admin.keys.processes")}>
      <DataTable name={t("admin.keys.processes")} columns={columns} rows={report.processes} rowKey={(process) => process.name} empty={<Empty title={t("admin.keys.noProcess")} />} />
    </Card>
  );
}
