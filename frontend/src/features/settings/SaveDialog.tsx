// Saving settings that were tested: what changes, what is to be known, and why it is done.
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { installationKey, saveSettings } from "../../api/installation";
import type { AdminSettings, SettingsRequest, SettingsTest } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Field } from "../../components/Field";
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
  const [comment, setComment] = useState("");
  const warnings = test.checks.filter((check) => check.level !== "ok");
  const save = async () => {
    try {
      onSaved(await saveSettings({ ...request, comment: comment.trim() }));
    } catch (error) {
      // The page says who was first, once it has looked again.
      if (isApiError(error) && error.code === "KCS-CONF-001") onClose();
      throw error;
    }
  };
  return (
    <ConfirmDialog
      width={640}
      title={t("admin.settings.saveTitle")}
      submit={t("admin.settings.save")}
      harmless={warnings.length === 0}
      act={save}
      done={() => t("admin.settings.saved")}
      stale={[installationKey]}
      onClose={onClose}
    >
      <p>{t("admin.settings.saveText")}</p>
      <Differences differences={test.differences} />
      {warnings.length > 0 && <CheckList checks={warnings} />}
      <Field label={t("admin.settings.comment")} hint={t("admin.settings.commentHint")}>
        {(field) => <Input.TextArea {...field} rows={2} maxLength={300} value={comment} onChange={(event) => setComment(event.target.value)} />}
      </Field>
    </ConfirmDialog>
  );
}
