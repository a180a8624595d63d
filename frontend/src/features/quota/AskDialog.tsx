// Asking for more: what the limits shall be, and why.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input, InputNumber } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { askForMore, quotaRequestsKey } from "../../api/quota";
import type { LimitUse } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { useFormat } from "../../i18n/format";
import { fieldId, focusField } from "../create/ErrorSummary";
import { useServerErrors } from "../create/usePlan";
import { askBody, askErrors, type AskDraft } from "./askDraft";

const MOST = 1_000_000_000;

export default function AskDialog({ limits, onClose }: { limits: LimitUse[]; onClose: () => void }) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const queryClient = useQueryClient();
  const notify = useToast();
  const formId = useId();
  const [draft, setDraft] = useState<AskDraft>({ wanted: {}, reason: "" });
  const [tried, setTried] = useState(false);
  const send = useMutation({
    mutationFn: () => askForMore(askBody(draft)),
    onSuccess: () => {
      notify(t("quota.sent"));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: quotaRequestsKey }),
  });
  const refused = useServerErrors(undefined, send.error);
  const wrong = askErrors(draft, limits);
  const own = Object.fromEntries(Object.entries(wrong).map(([field, { key, limit }]) => [field, t(key, { limit: amount(limit ?? 0) })]));
  const errors = { ...refused, ...(tried ? own : {}) };
  const change = (part: Partial<AskDraft>) => {
    setDraft({ ...draft, ...part });
    send.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (send.isPending) return;
    setTried(true);
    const first = Object.keys(wrong)[0];
    if (first) focusField(`ask.${first}`);
    else send.mutate();
  };
  return (
    <Dialog
      width={620}
      title={t("quota.askTitle")}
      okText={t("quota.send")}
      okButtonProps={{ loading: send.isPending, htmlType: "submit", form: formId }}
      cancelText={t("cluster.close")}
      onCancel={onClose}
    >
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <p>{t("quota.askText")}</p>
        <div className="ask-limits">
          {limits.map(({ resource, limit, used }) =>
            typeof limit === "number" ? (
              <Field
                key={resource}
                label={t(`create.quota.${resource}`)}
                hint={t("quota.now", { limit: amount(limit), used: amount(used) })}
                error={errors[`wanted.${resource}`]}
                id={fieldId(`ask.wanted.${resource}`)}
              >
                {(field) => <InputNumber {...field} min={0} max={MOST} precision={0} value={draft.wanted[resource] ?? null} onChange={(value) => change({ wanted: { ...draft.wanted, [resource]: value } })} />}
              </Field>
            ) : null,
          )}
        </div>
        <Field label={t("quota.reason")} hint={t("quota.reasonHint")} error={errors.reason} id={fieldId("ask.reason")}>
          {(field) => <Input.TextArea {...field} rows={3} maxLength={1000} value={draft.reason} onChange={(event) => change({ reason: event.target.value })} />}
        </Field>
        {send.error && Object.keys(refused).length === 0 && <Fault alert fault={faultOf(send.error)} />}
      </form>
    </Dialog>
  );
}
