// Saving settings that were tested: what changes, what is to be known, and why it is done.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { installationKey, saveSettings } from "../../api/installation";
import type { AdminSettings, SettingsRequest, SettingsTest } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { CheckList } from "../create/PlanPanel";
import { Differences } from "./Differences";

interface Props {
  request: SettingsRequest;
  test: SettingsTest;
  onSaved: (settings: AdminSettings) => void;
  onClose: () => void;
}

export default function SaveDialog({ request, test, onSaved, onClose }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const [comment, setComment] = useState("");
  const save = useMutation({
    mutationFn: () => saveSettings({ ...request, comment: comment.trim() }),
    onSuccess: (settings) => {
      notify(t("admin.settings.saved"));
      onSaved(settings);
    },
    // The page says who was first, once it has looked again.
    onError: (error) => {
      if (isApiError(error) && error.code === "KCS-CONF-001") onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: installationKey }),
  });
  const warnings = test.checks.filter((check) => check.level !== "ok");
  return (
    <Dialog
      width={640}
      title={t("admin.settings.saveTitle")}
      okText={t("admin.settings.save")}
      okButtonProps={{ loading: save.isPending, danger: warnings.length > 0, type: "primary" }}
      cancelText={t("cluster.close")}
      onOk={() => save.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t("admin.settings.saveText")}</p>
        <Differences differences={test.differences} />
        {warnings.length > 0 && <CheckList checks={warnings} />}
        <Field label={t("admin.settings.comment")} hint={t("admin.settings.commentHint")}>
          {(field) => <Input.TextArea {...field} rows={2} maxLength={300} value={comment} onChange={(event) => setComment(event.target.value)} />}
        </Field>
        {save.error && <Fault alert fault={faultOf(save.error)} />}
      </div>
    </Dialog>
  );
}
