// Operations of all tenants, and the engine that brings them about: seen and held by operators.
import { HistoryOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useAdminOperations } from "../../api/queue";
import { useSession } from "../../api/session";
import { OPERATION_KINDS, type OperationKind } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import type { QueueSearch } from "../../app/router";
import { Pager } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { Select } from "../../components/Select";
import { NothingFound } from "../clusters/ClusterList";
import { Chips, SearchBox } from "../clusters/ListFilters";
import { QueueCard } from "./QueueCard";
import { QueueTable } from "./QueueTable";

const STATES = ["open", "blocked", "failed", "succeeded", "cancelled"] as const;

export function QueuePage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const search = useSearch({ from: "/app/operator/admin/operations" });
  const navigate = useNavigate({ from: "/admin/operations" });
  const { state, ...filter } = search;
  const operations = useAdminOperations(state === "open" ? { ...filter, ended: false } : { ...filter, state }, operator);
  const go = useCallback((change: QueueSearch, replace = false) => void navigate({ search: (old) => ({ ...old, cursor: undefined, ...change }), replace }), [navigate]);
  const onSearch = useCallback((text: string) => go({ search: text || undefined }, true), [go]);
  const onProject = useCallback((text: string) => go({ project: text || undefined }, true), [go]);
  if (!operator || (isApiError(operations.error) && operations.error.status === 403)) {
    return (
      <Page title={t("admin.queue.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  const items = operations.data?.items;
  const filtered = Object.values(search).some((value) => value !== undefined);
  return (
    <Page title={t("admin.queue.title")} description={t("admin.queue.description")} crumbs={[]}>
      <QueueCard />
      <Card flush>
        <div className="toolbar">
          <SearchBox value={search.search ?? ""} onChange={onSearch} label={t("admin.queue.search")} />
          <SearchBox value={search.project ?? ""} onChange={onProject} label={t("admin.queue.project")} />
          <Select
            aria-label={t("operation.col.kind")}
            placeholder={t("admin.queue.allKinds")}
            value={search.kind ?? ""}
            onChange={(kind) => go({ kind: (kind as OperationKind) || undefined })}
            options={OPERATION_KINDS.map((value) => ({ value, label: t(`operation.kind.${value}`) }))}
          />
          <Chips
            name={t("operation.stateFilter")}
            all={t("common.all")}
            options={STATES.map((value) => ({ value, label: value === "open" ? t("admin.queue.open") : t(`status.operation.${value}`) }))}
            value={STATES.find((value) => value === state)}
            onChange={(next) => go({ state: next })}
          />
        </div>
        <QueueTable
          operations={items}
          error={operations.error}
          onRetry={() => void operations.refetch()}
          stale={operations.isPlaceholderData}
          empty={filtered ? <NothingFound onClear={() => void navigate({ search: {} })} /> : <Empty icon={<HistoryOutlined />} title={t("operation.none")} text={t("operation.noneText")} />}
        />
        {items && items.length > 0 && (
          <Pager shown={items.length} total={operations.data?.total} hasPrevious={Boolean(search.cursor)} nextCursor={operations.data?.next_cursor} onPrevious={() => go({})} onNext={(cursor) => go({ cursor })} />
        )}
      </Card>
    </Page>
  );
}
