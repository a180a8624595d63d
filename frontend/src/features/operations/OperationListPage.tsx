// All long changes of the project: who asked for what, how it goes or ended.
import { HistoryOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useOperations } from "../../api/operations";
import type { OperationState } from "../../api/types";
import { Pager } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { NothingFound } from "../clusters/ClusterList";
import { Chips } from "../clusters/ListFilters";
import { OperationTable } from "./OperationTable";

const STATES: OperationState[] = ["running", "blocked", "succeeded", "failed", "cancelled"];

export function OperationListPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/operations" });
  const navigate = useNavigate({ from: "/operations" });
  const operations = useOperations({ ...search, limit: 50 });
  const items = operations.data?.items;
  return (
    <Page title={t("operation.list")} description={t("operation.description")}>
      <Card flush>
        <div className="toolbar">
          <Chips
            name={t("operation.stateFilter")}
            all={t("common.all")}
            options={STATES.map((state) => ({ value: state, label: t(`status.operation.${state}`) }))}
            value={search.state}
            onChange={(state) => void navigate({ search: { state } })}
          />
        </div>
        <OperationTable
          operations={items}
          error={operations.error}
          onRetry={() => void operations.refetch()}
          stale={operations.isPlaceholderData}
          withCluster
          empty={
            search.state || search.cursor ? (
              <NothingFound onClear={() => void navigate({ search: {} })} />
            ) : (
              <Empty icon={<HistoryOutlined />} title={t("operation.none")} text={t("operation.noneText")} />
            )
          }
        />
        {items && items.length > 0 && (
          <Pager
            shown={items.length}
            total={operations.data?.total}
            hasPrevious={Boolean(search.cursor)}
            nextCursor={operations.data?.next_cursor}
            onPrevious={() => void navigate({ search: { state: search.state } })}
            onNext={(cursor) => void navigate({ search: { state: search.state, cursor } })}
          />
        )}
      </Card>
    </Page>
  );
}
