// Asks before a request is taken back.
import { useTranslation } from "react-i18next";
import { quotaRequestsKey, withdrawQuotaRequest } from "../../api/quota";
import type { QuotaRequest } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";

export default function WithdrawDialog({ request, onClose }: { request: QuotaRequest; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <ConfirmDialog
      title={t("quota.withdrawTitle")}
      submit={t("quota.withdraw")}
      act={() => withdrawQuotaRequest(request.id)}
      done={() => t("quota.withdrawn")}
      stale={[quotaRequestsKey]}
      onClose={onClose}
    >
      <p>{t("quota.withdrawText")}</p>
    </ConfirmDialog>
  );
}
