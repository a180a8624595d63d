// What the project may have in KCS, what of it is used, and its requests for more.
import { PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../../api/permissions";
import { useQuota, useQuotaRequests } from "../../api/quota";
import type { ProjectQuota, QuotaRequest } from "../../api/types";
import { Card, Empty, Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { QuotaBars } from "../create/PlanPanel";
import { AllowedList } from "./AllowedList";
import { RequestTable } from "./RequestTable";
import "./quota.css";

const AskDialog = lazy(() => import("./AskDialog"));
const WithdrawDialog = lazy(() => import("./WithdrawDialog"));

export function QuotaPage() {
  const { t } = useTranslation();
  const quota = useQuota();
  const requests = useQuotaRequests();
  const mayAsk = useMay("quota_request");
  const [asking, setAsking] = useState(false);
  const [withdrawing, setWithdrawing] = useState<QuotaRequest | null>(null);
  const items = requests.data?.items;
  const ask = mayAsk && quota.data && items && <AskButton quota={quota.data} waits={items.some((request) => request.state === "pending")} onAsk={() => setAsking(true)} />;
  return (
    <Page title={t("quota.title")} description={t("quota.description")} actions={ask}>
      <div className="stack">
        <Card title={t("quota.limits")}>{quota.data ? <Limits quota={quota.data} /> : quota.error ? <LoadProblem error={quota.error} onRetry={() => void quota.refetch()} /> : <Loading rows={6} />}</Card>
        {quota.data && Object.keys(quota.data.allowed).length > 0 && (
          <Card title={t("quota.mayUse")}>
            <AllowedList allowed={quota.data.allowed} />
          </Card>
        )}
        <Card title={t("quota.requests")} flush>
          <RequestTable
            name={t("quota.requests")}
            requests={items}
            error={requests.error}
            onRetry={() => void requests.refetch()}
            empty={<Empty title={t("quota.requestsNone")} text={t("quota.requestsNoneText")} />}
            act={
              mayAsk
                ? (request) => (
                    <Button size="small" onClick={() => setWithdrawing(request)}>
                      {t("quota.withdraw")}
                    </Button>
                  )
                : undefined
            }
          />
        </Card>
      </div>
      <Suspense fallback={null}>
        {asking && quota.data && <AskDialog limits={quota.data.limits} onClose={() => setAsking(false)} />}
        {withdrawing && <WithdrawDialog request={withdrawing} onClose={() => setWithdrawing(null)} />}
      </Suspense>
    </Page>
  );
}

/** With the reason beside it where there is nothing to ask for now. */
function AskButton({ quota, waits, onAsk }: { quota: ProjectQuota; waits: boolean; onAsk: () => void }) {
  const { t } = useTranslation();
  const limited = quota.limits.some((limit) => limit.limit !== null);
  if (!limited || waits) return <span className="muted small">{t(limited ? "quota.waits" : "quota.unlimited")}</span>;
  return (
    <Button type="primary" icon={<PlusOutlined aria-hidden="true" />} onClick={onAsk}>
      {t("quota.ask")}
    </Button>
  );
}

function Limits({ quota }: { quota: ProjectQuota }) {
  const { t } = useTranslation();
  return (
    <>
      {quota.partial && <p className="muted">{t("quota.partial")}</p>}
      <QuotaBars quota={quota.limits.map((limit) => ({ ...limit, need: 0, promised: 0 }))} withNeed={false} />
    </>
  );
}
