// The project's clusters, live.
import { ClusterOutlined, PlusOutlined, SearchOutlined } from "@ant-design/icons";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useClusters } from "../../api/clusters";
import { useMayWrite } from "../../api/session";
import type { ListSearch } from "../../app/router";
import { Pager } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { ClusterTable } from "./ClusterTable";
import { PhaseChips, SearchBox } from "./ListFilters";

export function ClusterListPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/clusters" });
  const navigate = useNavigate({ from: "/clusters" });
  const mayWrite = useMayWrite();
  const clusters = useClusters({ ...search, limit: 50 });
  const change = useCallback(
    (next: Partial<ListSearch>, replace = false) => void navigate({ search: (old) => ({ ...old, cursor: undefined, ...next }), replace }),
    [navigate],
  );
  const onSearch = useCallback((text: string) => change({ search: text || undefined }, true), [change]);
  const filtered = Boolean(search.search || search.phase || search.cursor);
  const items = clusters.data?.items;
  return (
    <Page title={t("clusters.title")} description={t("clusters.description")} actions={mayWrite && <CreateLink />}>
      <Card flush>
        <div className="toolbar">
          <SearchBox value={search.search ?? ""} onChange={onSearch} label={t("clusters.search")} />
          <PhaseChips value={search.phase} onChange={(phase) => change({ phase })} />
        </div>
        <ClusterTable
          clusters={items}
          error={clusters.error}
          onRetry={() => void clusters.refetch()}
          stale={clusters.isPlaceholderData}
          sort={search.sort}
          onSort={(sort) => change({ sort })}
          empty={filtered ? <NothingFound onClear={() => void navigate({ search: {} })} /> : <NoClusters mayWrite={mayWrite} />}
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

export function CreateLink() {
  const { t } = useTranslation();
  return (
    <Link to="/clusters/new" className="link-button primary">
      <PlusOutlined aria-hidden="true" />
      {t("clusters.create")}
    </Link>
  );
}

export function NothingFound({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation();
  return <Empty icon={<SearchOutlined />} title={t("common.nothingFound")} text={t("common.nothingFoundText")} action={<Button onClick={onClear}>{t("common.clearFilters")}</Button>} />;
}

function NoClusters({ mayWrite }: { mayWrite: boolean }) {
  const { t } = useTranslation();
  return <Empty icon={<ClusterOutlined />} title={t("clusters.none")} text={mayWrite ? t("clusters.noneText") : t("clusters.noneReader")} action={mayWrite && <CreateLink />} />;
}
