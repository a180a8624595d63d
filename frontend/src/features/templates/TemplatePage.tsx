// Changing a template of the project's own.
import { Navigate, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useMay } from "../../api/permissions";
import { useTemplates } from "../../api/templates";
import { Forbidden, NotFoundPage } from "../../app/FallbackPages";
import { Card, Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { TemplateForm } from "./TemplateForm";

export function TemplatePage() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/templates/$id" });
  const mayChange = useMay("template_change");
  const templates = useTemplates();
  const template = templates.data?.items.find((candidate) => candidate.id === id);
  if (templates.data && !template) return <NotFoundPage />;
  // The operator's cannot be changed, but a template can begin with it.
  if (template && !template.own) return <Navigate to="/templates/new" search={{ from: id }} replace />;
  return (
    <Page title={template?.name ?? t("template.one")} crumbs={[{ label: t("template.title"), to: "/templates" }]}>
      {!mayChange ? (
        <Forbidden text={t("template.forbidden")} />
      ) : template ? (
        <TemplateForm key={id} basis={template} id={id} text={{ name: template.name, description: template.description }} />
      ) : (
        <Card>{templates.error ? <LoadProblem error={templates.error} onRetry={() => void templates.refetch()} /> : <Loading rows={6} />}</Card>
      )}
    </Page>
  );
}
