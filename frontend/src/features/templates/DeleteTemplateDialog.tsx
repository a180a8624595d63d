// Asks before a template of the project's own is deleted.
import { useTranslation } from "react-i18next";
import { deleteTemplate } from "../../api/templates";
import type { Template } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";

export default function DeleteTemplateDialog({ template, onClose }: { template: Template; onClose: () => void }) {
  const { t } = useTranslation();
  const { id, name } = template;
  return (
    <ConfirmDialog
      title={t("template.deleteTitle", { name })}
      submit={t("template.deleteSubmit")}
      act={() => deleteTemplate(id)}
      done={() => t("template.deleted", { name })}
      stale={[["templates"]]}
      onClose={onClose}
    >
      <p>{t("template.deleteText")}</p>
    </ConfirmDialog>
  );
}
