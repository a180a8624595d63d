// Creating a cluster: quickly from a template, or with every choice; the plan of it stands beside the form all the time.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useMemo, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useVersions } from "../../api/catalogue";
import { idempotencyKey, isApiError } from "../../api/client";
import { createCluster } from "../../api/clusters";
import { useMay } from "../../api/permissions";
import { useTemplates } from "../../api/templates";
import type { ClusterRequest } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { Card, Loading, Page } from "../../components/Page";
import { Fault, faultOfProblem, LoadProblem } from "../../components/Problem";
import { Chips } from "../clusters/ListFilters";
import { draftErrors, draftFromSpec, nameError, requestFromDraft, standInName, type Draft, type FieldErrors } from "./draft";
import { ErrorSummary, focusField } from "./ErrorSummary";
import { FullForm } from "./FullForm";
import { NameField, TemplateCards } from "./QuickForm";
import { PlanPanel } from "./PlanPanel";
import { usePlan, useServerErrors } from "./usePlan";
import "./create.css";

const SaveTemplateDialog = lazy(() => import("../templates/SaveTemplateDialog"));

export function CreatePage() {
  const { t } = useTranslation();
  const mayCreate = useMay("cluster_create");
  return (
    <Page title={t("create.title")} crumbs={[{ label: t("clusters.title"), to: "/clusters" }]}>
      {mayCreate ? <CreateForm /> : <Forbidden text={t("create.forbidden")} />}
    </Page>
  );
}

function CreateForm() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/clusters/new" });
  const navigate = useNavigate({ from: "/clusters/new" });
  const queryClient = useQueryClient();
  const mayKeep = useMay("template_create");
  const templates = useTemplates();
  const versions = useVersions();
  const full = search.mode === "full";
  const template = search.template ?? templates.data?.items[0]?.id;

  const [name, setName] = useState("");
  const [nameTouched, setNameTouched] = useState(false);
  const [edited, setEdited] = useState<Draft | null>(null);
  const [tried, setTried] = useState(false);
  const [saving, setSaving] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  // The full form begins with the template's specification, completed by the server.
  const basis = usePlan(template ? { name: standInName(), template } : null);
  const completed = basis.data?.spec;
  const draft = useMemo(() => edited ?? (completed ? draftFromSpec(completed) : null), [edited, completed]);

  const localErrors = useMemo<FieldErrors>(() => (full && draft ? draftErrors(draft) : {}), [full, draft]);
  const localName = nameError(name);
  const planName = localName ? standInName() : name;
  const request = full ? (draft && Object.keys(localErrors).length === 0 ? requestFromDraft(planName, draft) : null) : template ? { name: planName, template } : null;
  const plan = usePlan(request);

  const key = useRef({ body: "", key: "" });
  const create = useMutation({
    mutationFn: (body: ClusterRequest) => {
      // The same request sent twice is the same cluster; a changed one is a new request.
      const text = JSON.stringify(body);
      if (key.current.body !== text) key.current = { body: text, key: idempotencyKey() };
      return createCluster(body, key.current.key);
    },
    onSuccess: (answer) => {
      void queryClient.invalidateQueries({ queryKey: ["clusters"] });
      void queryClient.invalidateQueries({ queryKey: ["operations"] });
      void navigate({ to: "/operations/$id", params: { id: answer.operation.id } });
    },
  });

  const planErrors = useServerErrors(plan.data?.checks, plan.error);
  const createErrors = useServerErrors(undefined, create.error);
  const errors: Record<string, string> = { ...createErrors, ...planErrors };
  for (const [field, text] of Object.entries(localErrors)) errors[field] = t(text);
  const shownNameError = localName ? (nameTouched || tried ? t(localName) : undefined) : errors.name;
  const blocked = plan.data?.checks.filter((check) => check.level === "blocked" && !(localName && check.field === "name")) ?? [];
  const current = plan.data !== undefined && !plan.isPlaceholderData && !plan.error;

  const setDraft = (next: Draft) => {
    setEdited(next);
    create.reset();
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const wrong = localName ? "name" : Object.keys(localErrors)[0];
    if (wrong) return focusField(wrong);
    if (!request) return undefined;
    create.mutate({ ...request, name });
    return undefined;
  };

  if (!templates.data || !versions.data) {
    const error = templates.error ?? versions.error;
    return <Card>{error ? <LoadProblem error={error} onRetry={() => void templates.refetch()} /> : <Loading rows={6} />}</Card>;
  }

  const problem = isApiError(create.error) ? create.error.problem : null;
  return (
    <form ref={form} className="create" onSubmit={submit} noValidate>
      <div className="stack">
        <Chips
          name={t("create.mode")}
          all={t("create.quick")}
          options={[{ value: "full", label: t("create.full") }]}
          value={full ? "full" : undefined}
          onChange={(mode) => void navigate({ search: (old) => ({ ...old, mode }), replace: true })}
        />
        <Card title={full ? t("create.startFrom") : t("create.chooseTemplate")}>
          <TemplateCards
            templates={templates.data.items}
            value={template}
            onChange={(next) => {
              setEdited(null);
              create.reset();
              void navigate({ search: (old) => ({ ...old, template: next }), replace: true });
            }}
          />
        </Card>
        <Card title={t("create.basics")}>
          <NameField
            value={name}
            error={shownNameError}
            onChange={(next) => {
              setName(next);
              create.reset();
            }}
            onTouched={() => setNameTouched(true)}
          />
        </Card>
        {full &&
          (draft ? (
            <FullForm draft={draft} errors={errors} versions={versions.data.items} onChange={setDraft} />
          ) : (
            <Card>{basis.error ? <LoadProblem error={basis.error} onRetry={() => void basis.refetch()} /> : <Loading rows={6} />}</Card>
          ))}
        {create.error && <Fault alert fault={problem ? faultOfProblem(problem) : { code: "unknown" }} />}
        {tried && Object.keys(localErrors).length > 0 && <ErrorSummary errors={errors} fields={Object.keys(localErrors)} />}
        <div className="create-submit">
          <Button type="primary" size="large" htmlType="submit" loading={create.isPending} disabled={blocked.length > 0 && current} aria-describedby="submit-reason">
            {t("clusters.create")}
          </Button>
          <Button size="large" onClick={() => void navigate({ to: "/clusters", search: {} })}>
            {t("create.back")}
          </Button>
          {full && mayKeep && request?.spec && (
            <Button size="large" onClick={() => setSaving(true)}>
              {t("template.saveAs")}
            </Button>
          )}
          <p id="submit-reason" className="small muted">
            {blocked.length > 0 && current ? t("create.blockedReason", { count: blocked.length }) : t("create.submitHint")}
          </p>
        </div>
      </div>
      <Suspense fallback={null}>{saving && request?.spec && <SaveTemplateDialog name={localName ? "" : name} spec={request.spec} onClose={() => setSaving(false)} />}</Suspense>
      <aside className="create-side" aria-label={t("create.plan")}>
        <PlanPanel plan={plan.data} error={plan.error} waits={request === null} stale={plan.isPlaceholderData || plan.isFetching} without={localName ? "name" : undefined} onRetry={() => void plan.refetch()} />
      </aside>
    </form>
  );
}
