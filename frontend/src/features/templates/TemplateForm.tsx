// A template's name and every choice of the clusters made of it; beside it what one of them would take.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Button } from "antd";
import { useMemo, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useVersions } from "../../api/catalogue";
import { createTemplate, updateTemplate } from "../../api/templates";
import type { Template } from "../../api/types";
import { Card, Loading } from "../../components/Page";
import { Fault, faultOf, LoadProblem } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { draftErrors, draftFromSpec, requestFromDraft, specFromDraft, standInName, type Draft } from "../create/draft";
import { ErrorSummary, focusField } from "../create/ErrorSummary";
import { FullForm } from "../create/FullForm";
import { PlanPanel } from "../create/PlanPanel";
import { usePlan, useServerErrors } from "../create/usePlan";
import { NameFields, type TemplateText } from "./NameFields";
import "../create/create.css";

interface Props {
  /** Where the choices come from; the server completes what it leaves out. */
  basis: Template;
  /** Given when it is this one that is changed. */
  id?: string;
  text: TemplateText;
}

export function TemplateForm({ basis, id, text: first }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const notify = useToast();
  const versions = useVersions();
  const completed = usePlan({ name: standInName(), template: basis.id });
  const [text, setText] = useState(first);
  const [edited, setEdited] = useState<Draft | null>(null);
  const [tried, setTried] = useState(false);
  const spec = completed.data?.spec;
  const draft = useMemo(() => edited ?? (spec ? { ...draftFromSpec(spec), version: basis.spec.version ?? "" } : null), [edited, spec, basis]);
  const wrong = useMemo(() => (draft ? draftErrors(draft) : {}), [draft]);
  const plan = usePlan(draft && Object.keys(wrong).length === 0 ? requestFromDraft(standInName(), draft) : null);
  const save = useMutation({
    mutationFn: (kept: Draft) => {
      const body = { name: text.name.trim(), description: text.description.trim(), spec: specFromDraft(kept) };
      return id ? updateTemplate(id, body) : createTemplate(body);
    },
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["templates"] });
      notify(t("template.saved", { name: text.name.trim() }));
      void navigate({ to: "/templates", search: {} });
    },
  });
  const errors: Record<string, string> = { ...useServerErrors(plan.data?.checks, plan.error), ...useServerErrors(undefined, save.error) };
  for (const [field, key] of Object.entries(wrong)) errors[field] = t(key);
  const nameless = text.name.trim() === "";
  if (nameless && tried) errors.name = t("common.required");
  const fields = [...(nameless ? ["name"] : []), ...Object.keys(wrong)];

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const [at] = fields;
    if (at) focusField(at);
    else if (draft) save.mutate(draft);
  };

  if (!draft || !versions.data) {
    const error = completed.error ?? versions.error;
    return <Card>{error ? <LoadProblem error={error} onRetry={() => void completed.refetch()} /> : <Loading rows={6} />}</Card>;
  }
  return (
    <form className="create" onSubmit={submit} noValidate>
      <div className="stack">
        <Card title={t("create.basics")}>
          <NameFields
            text={text}
            errors={errors}
            onChange={(next) => {
              setText(next);
              save.reset();
            }}
          />
        </Card>
        <FullForm
          draft={draft}
          errors={errors}
          versions={versions.data.items}
          versionMayFloat
          onChange={(next) => {
            setEdited(next);
            save.reset();
          }}
        />
        {save.error && <Fault alert fault={faultOf(save.error)} />}
        {tried && fields.length > 0 && <ErrorSummary errors={errors} fields={fields} />}
        <div className="create-submit">
          <Button type="primary" size="large" htmlType="submit" loading={save.isPending}>
            {t("template.save")}
          </Button>
          <Button size="large" onClick={() => void navigate({ to: "/templates", search: {} })}>
            {t("create.back")}
          </Button>
        </div>
      </div>
      <aside className="create-side" aria-label={t("create.plan")}>
        <PlanPanel plan={plan.data} error={plan.error} waits={Object.keys(wrong).length > 0} stale={plan.isPlaceholderData || plan.isFetching} without="name" onRetry={() => void plan.refetch()} />
      </aside>
    </form>
  );
}
