// A list of clusters with its search, phases and pages, for a tenant and for operators. What is chosen lives in the address.
import { SearchOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useCallback, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { useClusters } from "../../api/clusters";
import type { Cluster } from "../../api/types";
import type { ListSearch } from "../../app/router";
import { Pager } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { ClusterTable } from "./ClusterTable";
import { PhaseChips, SearchBox } from "./ListFilters";

interface Props {
  clusters: ReturnType<typeof useClusters>;
  search: ListSearch;
  /** Goes to the address with this changed, or, without a function, to the one without any choice. Stable. */
  go: (change?: (old: ListSearch) => ListSearch, replace?: boolean) => void;
  searchLabel: string;
  /** Shown when there are none at all. */
  none: ReactNode;
  /** More to choose by than the name and the phase. */
  filters?: ReactNode;
  withProject?: boolean;
  linked?: (cluster: Cluster) => boolean;
  act?: (cluster: Cluster) => ReactNode;
}

export function ClusterList({ clusters, search, go, searchLabel, none, filters, withProject, linked, act }: Props) {
  const change = useCallback((next: ListSearch, replace = false) => go((old) => ({ ...old, cursor: undefined, ...next }), replace), [go]);
  const onSearch = useCallback((text: string) => change({ search: text || undefined }, true), [change]);
  const filtered = Object.entries(search).some(([key, value]) => key !== "sort" && value !== undefined);
  const items = clusters.data?.items;
  return (
    <Card flush>
      <div className="toolbar">
        <SearchBox value={search.search ?? ""} onChange={onSearch} label={searchLabel} />
        {filters}
        <PhaseChips value={search.phase} onChange={(phase) => change({ phase })} />
      </div>
      <ClusterTable
        clusters={items}
        error={clusters.error}
        onRetry={() => void clusters.refetch()}
        stale={clusters.isPlaceholderData}
        sort={search.sort}
        onSort={(sort) => change({ sort })}
        withProject={withProject}
        linked={linked}
        act={act}
        empty={filtered ? <NothingFound onClear={() => go()} /> : none}
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
  );
}

export function NothingFound({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation();
  return <Empty icon={<SearchOutlined />} title={t("common.nothingFound")} text={t("common.nothingFoundText")} action={<Button onClick={onClear}>{t("common.clearFilters")}</Button>} />;
}
