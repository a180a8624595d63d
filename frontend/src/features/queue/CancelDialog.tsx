// Asks before an operation of a tenant's is cancelled.
import { useTranslation } from "react-i18next";
import { cancelAny } from "../../api/queue";
import type { AdminOperation } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { queueStale } from "./useQueueDeed";

export default function CancelDialog({ operation, onClose }: { operation: AdminOperation; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <ConfirmDialog
      title={t("operation.cancelTitle")}
      submit={t("operation.cancel")}
      act={() => cancelAny(operation.id)}
      done={() => t("status.operation.cancelled")}
      stale={queueStale}
      onClose={onClose}
    >
      <p>
        {t(`operation.kind.${operation.kind}`)} · {operation.cluster.name} · {operation.project.name}
      </p>
      <p>{t("operation.cancelText")}</p>
    </ConfirmDialog>
  );
}
