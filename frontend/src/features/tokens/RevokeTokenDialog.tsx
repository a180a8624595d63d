// Asks before a token is revoked.
import { useTranslation } from "react-i18next";
import { revokeToken } from "../../api/tokens";
import type { ApiToken } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";

export default function RevokeTokenDialog({ token, onClose }: { token: ApiToken; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <ConfirmDialog
      title={t("kubeconfig.revokeTitle", { name: token.name })}
      submit={t("kubeconfig.revoke")}
      act={() => revokeToken(token.id)}
      done={() => t("kubeconfig.revoked")}
      stale={[["tokens"]]}
      onClose={onClose}
    >
      <p>{t("token.revokeText")}</p>
      {!token.mine && <p>{t("token.revokeOther", { owner: token.created_by })}</p>}
    </ConfirmDialog>
  );
}
