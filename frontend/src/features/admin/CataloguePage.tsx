// What is offered to all tenants, and how much of it their clusters use: seen by operators.
import { useTranslation } from "react-i18next";
import { useAdminCatalogue } from "../../api/catalogue";
import { isApiError } from "../../api/client";
import { useSession } from "../../api/session";
import type { AdminCatalogue, FlavorUsage, TemplateOffer, VersionUse } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { useSettings } from "../../app/settings";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Status, type Tone } from "../../components/Status";
import { useFormat } from "../../i18n/format";

export function CataloguePage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const catalogue = useAdminCatalogue(operator);
  const columns = { versions: useVersionColumns(), flavors: useFlavorColumns(), templates: useTemplateColumns() };
  if (!operator || (isApiError(catalogue.error) && catalogue.error.status === 403)) {
    return (
      <Page title={t("admin.catalogue.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  const section = <R,>(key: keyof AdminCatalogue, rows: R[] | undefined, list: Column<R>[], rowKey: (row: R) => string) => (
    <Card flush title={t(`admin.catalogue.${key}`)}>
      <DataTable name={t(`admin.catalogue.${key}`)} columns={list} rows={rows} rowKey={rowKey} error={catalogue.error} onRetry={() => void catalogue.refetch()} empty={<Empty title={t("admin.catalogue.none")} />} />
    </Card>
  );
  return (
    <Page title={t("admin.catalogue.title")} description={t("admin.catalogue.description")} crumbs={[]}>
      {catalogue.error && !catalogue.data ? (
        <Card>
          <LoadProblem error={catalogue.error} onRetry={() => void catalogue.refetch()} />
        </Card>
      ) : (
        <>
          {section("versions", catalogue.data?.versions, columns.versions, (row) => row.version)}
          {section("flavors", catalogue.data?.flavors, columns.flavors, (row) => row.name)}
          {section("templates", catalogue.data?.templates, columns.templates, (row) => row.id)}
        </>
      )}
    </Page>
  );
}

const supportTone: Record<NonNullable<VersionUse["offered"]>["support"], Tone> = { preview: "wait", current: "ok", deprecated: "warn", hidden: "off" };

function useCount<R extends { clusters: number }>(): Column<R> {
  const { t } = useTranslation();
  const { amount } = useFormat();
  return { key: "clusters", title: t("admin.catalogue.clusters"), align: "right", render: (row) => <span className="numeric">{amount(row.clusters)}</span> };
}

function useVersionColumns(): Column<VersionUse>[] {
  const { t } = useTranslation();
  const count = useCount<VersionUse>();
  return [
    { key: "version", title: t("clusters.col.version"), main: true, render: (row) => <span className="numeric">{row.version}</span> },
    {
      key: "support",
      title: t("admin.catalogue.support"),
      render: ({ offered }) => (offered ? <Status tone={supportTone[offered.support]}>{t(`admin.catalogue.supportOf.${offered.support}`)}</Status> : <Status tone="warn">{t("admin.catalogue.gone")}</Status>),
    },
    {
      key: "image",
      title: t("admin.catalogue.image"),
      width: "40%",
      render: ({ offered }) =>
        offered && (
          <div className="name-cell">
            <code className="break">{offered.image}</code>
            {offered.image_status !== "active" && <Status tone={offered.image_status === "missing" ? "bad" : "busy"}>{t(offered.image_status === "missing" ? "create.image.missing" : "create.image.preparing")}</Status>}
          </div>
        ),
    },
    count,
  ];
}

function useFlavorColumns(): Column<FlavorUsage>[] {
  const { t } = useTranslation();
  const { amount, memory } = useFormat();
  const count = useCount<FlavorUsage>();
  return [
    { key: "name", title: t("admin.catalogue.flavors"), main: true, render: (row) => <span className="break">{row.name}</span> },
    { key: "size", title: t("admin.catalogue.size"), render: (row) => (typeof row.vcpus === "number" && typeof row.ram_mib === "number" ? <span className="numeric nowrap">{`${row.vcpus} vCPU · ${memory(row.ram_mib)}`}</span> : "—") },
    { key: "offered", title: t("admin.catalogue.support"), render: (row) => <Status tone={row.offered ? "ok" : "warn"}>{t(row.offered ? "admin.catalogue.offered" : "admin.catalogue.gone")}</Status> },
    count,
    { key: "machines", title: t("admin.catalogue.machines"), align: "right", render: (row) => <span className="numeric">{amount(row.machines)}</span> },
  ];
}

function useTemplateColumns(): Column<TemplateOffer>[] {
  const { t } = useTranslation();
  const { language } = useSettings();
  return [
    {
      key: "name",
      title: t("admin.catalogue.templates"),
      main: true,
      render: (row) => (
        <div className="name-cell">
          <span>{language === "zh-CN" ? row.name_zh : row.name}</span>
          <code className="id">{row.id}</code>
        </div>
      ),
    },
    { key: "names", title: t("admin.catalogue.names"), width: "40%", render: (row) => <span className="break">{[row.version ?? t("admin.catalogue.newest"), ...row.flavors].join(" · ")}</span> },
    {
      key: "state",
      title: t("admin.catalogue.support"),
      render: (row) => (row.missing.length > 0 ? <Status tone="bad">{t("admin.catalogue.missing", { names: row.missing.join(", ") })}</Status> : <Status tone="ok">{t("admin.catalogue.offered")}</Status>),
    },
  ];
}
