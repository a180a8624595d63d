// Answering a request: what would change, and words for who asked.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { decideRequest, tenantRequestsKey, tenantsKey, useTenant } from "../../api/tenants";
import type { QuotaAnswer, QuotaRequest } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Loading } from "../../components/Page";
import { Fault, faultOf, LoadProblem } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { useRefusals } from "../access/useRefusals";
import { fieldId, focusField } from "../create/ErrorSummary";
import { QuotaBars } from "../create/PlanPanel";
import { useWantedWords } from "../quota/requestWords";

export default function DecideDialog({ request, answer, onClose }: { request: QuotaRequest; answer: QuotaAnswer; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const formId = useId();
  const [words, setWords] = useState("");
  const [tried, setTried] = useState(false);
  const { name } = request.project;
  const declines = answer === "decline";
  const decide = useMutation({
    mutationFn: () => decideRequest(request.id, { answer, words: words.trim() }),
    onSuccess: () => {
      notify(t(declines ? "admin.tenants.declined" : "admin.tenants.approved", { name }));
      onClose();
    },
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: tenantRequestsKey });
      void queryClient.invalidateQueries({ queryKey: tenantsKey });
    },
  });
  const errors = useRefusals(decide.error);
  const said = errors.words !== undefined;
  const silent = declines && words.trim() === "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (decide.isPending) return;
    setTried(true);
    if (silent) focusField("decide.words");
    else decide.mutate();
  };
  return (
    <Dialog
      width={620}
      title={t(`admin.tenants.${answer}Title`, { name })}
      okText={t(`admin.tenants.${answer}`)}
      okButtonProps={{ loading: decide.isPending, htmlType: "submit", form: formId, danger: declines, type: "primary" }}
      cancelText={t("cluster.close")}
      onCancel={onClose}
    >
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <p>{t(`admin.tenants.${answer}Text`)}</p>
        <Wanted request={request} />
        <blockquote className="request-text break">{request.reason}</blockquote>
        <Field
          label={t("admin.tenants.words")}
          hint={t(declines ? "admin.tenants.wordsNeeded" : "admin.tenants.wordsOptional")}
          error={errors.words ?? (tried && silent ? t("common.required") : undefined)}
          id={fieldId("decide.words")}
        >
          {(field) => (
            <Input.TextArea
              {...field}
              rows={3}
              maxLength={1000}
              value={words}
              onChange={(event) => {
                setWords(event.target.value);
                decide.reset();
              }}
            />
          )}
        </Field>
        {decide.error && !said && <Fault alert fault={faultOf(decide.error)} />}
      </form>
    </Dialog>
  );
}

/** What is asked for, over what there is now. */
function Wanted({ request }: { request: QuotaRequest }) {
  const { t } = useTranslation();
  const tenant = useTenant(request.project.id);
  const words = useWantedWords();
  const now = tenant.data?.limits.filter((limit) => limit.resource in request.wanted).map((limit) => ({ ...limit, need: 0, promised: 0 }));
  return (
    <>
      <ul className="tags">
        {words(request.wanted).map((word) => (
          <li key={word} className="tag">
            {word}
          </li>
        ))}
      </ul>
      <section>
        <h3>{t("admin.tenants.now")}</h3>
        {now && <QuotaBars quota={now} withNeed={false} />}
        {!now && (tenant.error ? <LoadProblem error={tenant.error} onRetry={() => void tenant.refetch()} /> : <Loading rows={2} />)}
      </section>
    </>
  );
}
