// Asks for the reason before the engine is held back from a cluster, or from all.
import { Input } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { pause } from "../../api/queue";
import type { ClusterRef } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { fieldId, focusField } from "../create/ErrorSummary";
import { useQueueDeed } from "./useQueueDeed";

export default function PauseDialog({ cluster, onClose }: { cluster?: ClusterRef; onClose: () => void }) {
  const { t } = useTranslation();
  const formId = useId();
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const deed = useQueueDeed(t("admin.queue.paused"), onClose);
  const silent = reason.trim() === "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (deed.isPending) return;
    setTried(true);
    if (silent) focusField("pause.reason");
    else deed.mutate(() => pause(cluster?.id, reason.trim()));
  };
  return (
    <Dialog
      title={cluster ? t("admin.queue.pauseCluster", { name: cluster.name }) : t("admin.queue.pauseAll")}
      okText={t("admin.queue.pause")}
      okButtonProps={{ danger: true, type: "primary", loading: deed.isPending, htmlType: "submit", form: formId }}
      cancelText={t("cluster.close")}
      onCancel={onClose}
    >
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <p>{t("admin.queue.pauseText")}</p>
        <Field label={t("admin.queue.reason")} hint={t("admin.queue.reasonHint")} error={tried && silent ? t("common.required") : undefined} id={fieldId("pause.reason")}>
          {(field) => <Input.TextArea {...field} rows={2} maxLength={300} value={reason} onChange={(event) => setReason(event.target.value)} />}
        </Field>
        {deed.error && <Fault alert fault={faultOf(deed.error)} />}
      </form>
    </Dialog>
  );
}
