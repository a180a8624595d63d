// What tenants ask for, and the answers to it.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useTenantRequests } from "../../api/tenants";
import type { QuotaAnswer, QuotaRequest, QuotaRequestState } from "../../api/types";
import { Pager } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { NothingFound } from "../clusters/ClusterList";
import { Chips } from "../clusters/ListFilters";
import { RequestTable } from "../quota/RequestTable";

const DecideDialog = lazy(() => import("./DecideDialog"));

const STATES: QuotaRequestState[] = ["pending", "approved", "declined", "withdrawn"];

export function RequestsTab() {
  const { t } = useTranslation();
  const { state = "pending", cursor } = useSearch({ from: "/app/operator/admin/tenants" });
  const navigate = useNavigate({ from: "/admin/tenants" });
  const requests = useTenantRequests({ state: state === "all" ? undefined : state, cursor }, true);
  const [deciding, setDeciding] = useState<{ request: QuotaRequest; answer: QuotaAnswer } | null>(null);
  const items = requests.data?.items;
  const go = (next: { state?: QuotaRequestState | "all"; cursor?: string }) => void navigate({ search: { tab: "requests", ...next } });
  const button = (request: QuotaRequest, answer: QuotaAnswer) => (
    <Button size="small" aria-label={t(`admin.tenants.${answer}Of`, { name: request.project.name })} onClick={() => setDeciding({ request, answer })}>
      {t(`admin.tenants.${answer}`)}
    </Button>
  );
  return (
    <Card flush>
      <div className="toolbar">
        <Chips
          name={t("admin.tenants.stateFilter")}
          all={t("common.all")}
          options={STATES.map((value) => ({ value, label: t(`quota.state.${value}`) }))}
          value={state === "all" ? undefined : state}
          onChange={(next) => go({ state: next ?? "all" })}
        />
      </div>
      <RequestTable
        name={t("admin.tenants.tab.requests")}
        requests={items}
        error={requests.error}
        onRetry={() => void requests.refetch()}
        stale={requests.isPlaceholderData}
        withProject
        empty={state === "pending" && !cursor ? <Empty title={t("admin.tenants.requestsNone")} text={t("admin.tenants.requestsNoneText")} /> : <NothingFound onClear={() => go({})} />}
        act={(request) => (
          <span className="row">
            {button(request, "approve")}
            {button(request, "decline")}
          </span>
        )}
      />
      {items && items.length > 0 && (
        <Pager shown={items.length} total={requests.data?.total} hasPrevious={Boolean(cursor)} nextCursor={requests.data?.next_cursor} onPrevious={() => go({ state })} onNext={(next) => go({ state, cursor: next })} />
      )}
      <Suspense fallback={null}>{deciding && <DecideDialog {...deciding} onClose={() => setDeciding(null)} />}</Suspense>
    </Card>
  );
}
