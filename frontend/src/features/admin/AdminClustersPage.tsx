// The operators' view of all tenants' clusters.
import { GlobalOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useAdminClusters } from "../../api/clusters";
import { useSession } from "../../api/session";
import { Forbidden } from "../../app/FallbackPages";
import type { ListSearch } from "../../app/router";
import { Pager } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { NothingFound } from "../clusters/ClusterListPage";
import { ClusterTable } from "../clusters/ClusterTable";
import { PhaseChips, SearchBox } from "../clusters/ListFilters";

export function AdminClustersPage() {
  const { t } = useTranslation();
  const session = useSession();
  const search = useSearch({ from: "/app/admin/clusters" });
  const navigate = useNavigate({ from: "/admin/clusters" });
  const clusters = useAdminClusters({ ...search, limit: 50 }, session.operator);
  const change = useCallback(
    (next: Partial<ListSearch>, replace = false) => void navigate({ search: (old) => ({ ...old, cursor: undefined, ...next }), replace }),
    [navigate],
  );
  const onSearch = useCallback((text: string) => change({ search: text || undefined }, true), [change]);
  const refused = !session.operator || (isApiError(clusters.error) && clusters.error.status === 403);
  const items = clusters.data?.items;
  if (refused) {
    return (
      <Page title={t("admin.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("admin.title")} description={t("admin.description")} crumbs={[]}>
      <Card flush>
        <div className="toolbar">
          <SearchBox value={search.search ?? ""} onChange={onSearch} label={t("admin.search")} />
          <PhaseChips value={search.phase} onChange={(phase) => change({ phase })} />
        </div>
        <ClusterTable
          clusters={items}
          error={clusters.error}
          onRetry={() => void clusters.refetch()}
          stale={clusters.isPlaceholderData}
          sort={search.sort}
          onSort={(sort) => change({ sort })}
          withProject
          linked={(cluster) => cluster.project.id === session.project.id}
          empty={
            search.search || search.phase || search.cursor ? (
              <NothingFound onClear={() => void navigate({ search: {} })} />
            ) : (
              <Empty icon={<GlobalOutlined />} title={t("admin.none")} text={t("admin.noneText")} />
            )
          }
        />
        {items && items.length > 0 && (
          <Pager
            shown={items.length}
            total={clusters.data?.total}
            hasPrevious={Boolean(search.cursor)}
            nextCursor={clusters.data?.next_cursor}
            onPrevious={() => change({})}
            onNext={(cursor) => change({ cursor })}
          />
        )}
      </Card>
    </Page>
  );
}
