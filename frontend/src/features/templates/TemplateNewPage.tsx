// A new template of the project's own, beginning with one there is.
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useMay } from "../../api/permissions";
import { useTemplates } from "../../api/templates";
import { Forbidden, NotFoundPage } from "../../app/FallbackPages";
import { useSettings } from "../../app/settings";
import { Card, Empty, Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { TemplateForm } from "./TemplateForm";
import { templateWords } from "./words";

export function TemplateNewPage() {
  const { t } = useTranslation();
  const { language } = useSettings();
  const { from } = useSearch({ from: "/app/templates/new" });
  const mayCreate = useMay("template_create");
  const templates = useTemplates();
  const items = templates.data?.items;
  const basis = from ? items?.find((template) => template.id === from) : items?.[0];
  if (items && from && !basis) return <NotFoundPage />;
  const copied = from && basis ? t("template.copyOf", { name: templateWords(basis, language).name }) : "";
  return (
    <Page title={t("template.create")} crumbs={[{ label: t("template.title"), to: "/templates" }]}>
      {!mayCreate ? (
        <Forbidden text={t("template.forbidden")} />
      ) : basis ? (
        <TemplateForm key={basis.id} basis={basis} text={{ name: copied.slice(0, 60), description: "" }} />
      ) : (
        <Card>{templates.error ? <LoadProblem error={templates.error} onRetry={() => void templates.refetch()} /> : items ? <Empty title={t("template.none")} text={t("template.noBasis")} /> : <Loading rows={6} />}</Card>
      )}
    </Page>
  );
}
