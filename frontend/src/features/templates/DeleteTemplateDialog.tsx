// Asks before a template of the project's own is deleted.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { deleteTemplate } from "../../api/templates";
import type { Template } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useToast } from "../../components/Toast";

export default function DeleteTemplateDialog({ template, onClose }: { template: Template; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const remove = useMutation({
    mutationFn: () => deleteTemplate(template.id),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["templates"] });
      notify(t("template.deleted", { name: template.name }));
      onClose();
    },
  });
  return (
    <Dialog
      title={t("template.deleteTitle", { name: template.name })}
      okText={t("template.deleteSubmit")}
      okButtonProps={{ danger: true, type: "primary", loading: remove.isPending }}
      cancelText={t("cluster.close")}
      onOk={() => remove.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t("template.deleteText")}</p>
        {remove.error && <Fault alert fault={faultOf(remove.error)} />}
      </div>
    </Dialog>
  );
}
