// What is offered to all tenants, and how much of it their clusters use: seen by operators.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useAdminCatalogue } from "../../api/catalogue";
import { isApiError } from "../../api/client";
import { useSession } from "../../api/session";
import type { AdminCatalogue } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { priceRows, useAddonColumns, useFlavorColumns, useImageColumns, usePriceColumns, useTemplateColumns, useVersionColumns } from "./catalogueColumns";

export function CataloguePage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const catalogue = useAdminCatalogue(operator);
  const data = catalogue.data;
  const columns = {
    versions: useVersionColumns(data?.images ?? []),
    images: useImageColumns(),
    flavors: useFlavorColumns(),
    templates: useTemplateColumns(),
    addons: useAddonColumns(),
    prices: usePriceColumns(data?.prices?.currency ?? ""),
  };
  if (!operator || (isApiError(catalogue.error) && catalogue.error.status === 403)) {
    return (
      <Page title={t("admin.catalogue.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  const section = <R,>(key: keyof AdminCatalogue, rows: R[] | undefined, list: Column<R>[], rowKey: (row: R) => string, empty: ReactNode = <Empty title={t("admin.catalogue.none")} />) => (
    <Card flush title={t(`admin.catalogue.${key}`)}>
      <DataTable name={t(`admin.catalogue.${key}`)} columns={list} rows={rows} rowKey={rowKey} error={catalogue.error} onRetry={() => void catalogue.refetch()} empty={empty} />
    </Card>
  );
  return (
    <Page title={t("admin.catalogue.title")} description={t("admin.catalogue.description")} crumbs={[]} actions={<ToSettings />}>
      {catalogue.error && !data ? (
        <Card>
          <LoadProblem error={catalogue.error} onRetry={() => void catalogue.refetch()} />
        </Card>
      ) : (
        <>
          {section("versions", data?.versions, columns.versions, (row) => row.version)}
          {section("images", data?.images, columns.images, (row) => row.id, <Empty title={t("admin.catalogue.noImages")} text={t("admin.catalogue.noImagesText")} />)}
          {section("flavors", data?.flavors, columns.flavors, (row) => row.name)}
          {section("templates", data?.templates, columns.templates, (row) => row.id)}
          {section("addons", data?.addons, columns.addons, (row) => row.name)}
          {section("prices", data && priceRows(data.prices), columns.prices, (row) => `${row.kind}/${row.name}`, <NoPrices />)}
        </>
      )}
    </Page>
  );
}

/** Where versions, templates and prices are changed. */
function ToSettings() {
  const { t } = useTranslation();
  return (
    <Link to="/admin/settings" className="link-button">
      {t("admin.catalogue.change")}
    </Link>
  );
}

function NoPrices() {
  const { t } = useTranslation();
  return <Empty title={t("admin.catalogue.noPrices")} text={t("admin.catalogue.noPricesText")} action={<Link to="/admin/settings">{t("admin.settings.title")}</Link>} />;
}
