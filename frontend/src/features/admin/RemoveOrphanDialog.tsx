// Asks before an orphan is handed to the sweep.
import { useTranslation } from "react-i18next";
import type { Orphan } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useDecide } from "./useDecide";

export default function RemoveOrphanDialog({ orphan, onClose }: { orphan: Orphan; onClose: () => void }) {
  const { t } = useTranslation();
  const decide = useDecide(onClose);
  return (
    <Dialog
      title={t("admin.orphans.removeTitle", { name: orphan.name })}
      okText={t("admin.orphans.remove")}
      okButtonProps={{ danger: true, type: "primary", loading: decide.isPending }}
      cancelText={t("cluster.close")}
      onOk={() => decide.mutate({ orphan, decision: "delete" })}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t("admin.orphans.removeText", { kind: t(`operation.kindOf.${orphan.kind}`), project: orphan.project.name })}</p>
        <p>
          <code className="break">{orphan.cloud_id}</code>
        </p>
        {decide.error && <Fault alert fault={faultOf(decide.error)} />}
      </div>
    </Dialog>
  );
}
