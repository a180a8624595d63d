// Asks before all kubeconfigs of a person are revoked, in all clusters of the project.
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";
import { revokeKubeconfigsOf } from "../../api/members";
import type { Member } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";

/** Whoever holds none is nobody here for the API; to whoever asks it is as good as done. */
function none(error: unknown) {
  if (error instanceof ApiError && error.status === 404) return { count: 0 };
  throw error;
}

export default function RevokeKubeconfigsDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation();
  const { id, name } = member;
  return (
    <ConfirmDialog
      title={t("kubeconfig.revokeAllTitle", { of: name })}
      submit={t("kubeconfig.revokeAll")}
      act={() => revokeKubeconfigsOf(id).catch(none)}
      done={({ count }) => t("kubeconfig.revokedAll", { count })}
      stale={[["cluster"]]}
      onClose={onClose}
    >
      <p>{t("member.revokeKubeconfigsText", { name })}</p>
      <p>{t("kubeconfig.revokeAllText")}</p>
    </ConfirmDialog>
  );
}
