// Asks before one kubeconfig is revoked.
import { useTranslation } from "react-i18next";
import { revokeKubeconfig } from "../../api/clusters";
import type { Kubeconfig } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";

export default function RevokeKubeconfigDialog({ clusterId, kubeconfig, onClose }: { clusterId: string; kubeconfig: Kubeconfig; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <ConfirmDialog
      title={t("kubeconfig.revokeTitle", { name: kubeconfig.name || kubeconfig.id })}
      submit={t("kubeconfig.revoke")}
      act={() => revokeKubeconfig(clusterId, kubeconfig.id)}
      done={() => t("kubeconfig.revoked")}
      stale={[["cluster", clusterId, "kubeconfigs"]]}
      onClose={onClose}
    >
      <p>{t("kubeconfig.revokeText")}</p>
    </ConfirmDialog>
  );
}
