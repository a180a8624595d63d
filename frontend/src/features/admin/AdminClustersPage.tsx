// The operators' view of all tenants' clusters, and what those that are found are together.
import { GlobalOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { projectGone, useAdminClusters, useClusterTotals } from "../../api/clusters";
import { useSession } from "../../api/session";
import type { Cluster, ClusterTotals } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import type { AdminListSearch, ListSearch } from "../../app/router";
import { Card, Definitions, Empty, Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Select } from "../../components/Select";
import { useFormat } from "../../i18n/format";
import { ClusterList } from "../clusters/ClusterList";
import { SearchBox } from "../clusters/ListFilters";
import { PauseButton } from "../queue/PauseButton";

const WriteOffDialog = lazy(() => import("./WriteOffDialog"));

export function AdminClustersPage() {
  const { t } = useTranslation();
  const session = useSession();
  const search = useSearch({ from: "/app/operator/admin/clusters" });
  const navigate = useNavigate({ from: "/admin/clusters" });
  const clusters = useAdminClusters({ ...search, limit: 50 }, session.operator);
  const totals = useClusterTotals(search, session.operator);
  // Here and not in the row, which goes with the cluster: the receipt stays to be read.
  const [writingOff, setWritingOff] = useState<Cluster | null>(null);
  const go = useCallback((change?: (old: ListSearch) => ListSearch, replace = false) => void navigate({ search: change ?? {}, replace }), [navigate]);
  const choose = useCallback((next: AdminListSearch, replace = false) => void navigate({ search: (old) => ({ ...old, cursor: undefined, ...next }), replace }), [navigate]);
  const onProject = useCallback((text: string) => choose({ project: text || undefined }, true), [choose]);
  if (!session.operator || (isApiError(clusters.error) && clusters.error.status === 403)) {
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
      <Card title={t("admin.totals")}>
        {totals.data ? <Totals totals={totals.data} /> : totals.error ? <LoadProblem error={totals.error} onRetry={() => void totals.refetch()} /> : <Loading rows={2} />}
      </Card>
      <ClusterList
        clusters={clusters}
        search={search}
        go={go}
        searchLabel={t("admin.search")}
        none={<Empty icon={<GlobalOutlined />} title={t("admin.none")} text={t("admin.noneText")} />}
        filters={
          <>
            <SearchBox value={search.project ?? ""} onChange={onProject} label={t("admin.queue.project")} />
            <Select
              aria-label={t("admin.version")}
              placeholder={t("admin.anyVersion")}
              value={search.version ?? ""}
              onChange={(version) => choose({ version: version || undefined })}
              options={(totals.data?.versions ?? []).map((version) => ({ value: version, label: version }))}
            />
          </>
        }
        withProject
        linked={(cluster) => cluster.project.id === session.project.id}
        act={(cluster) => (
          <div className="row">
            <PauseButton cluster={cluster} />
            {projectGone(cluster) && (
              <Button size="small" danger aria-label={`${t("admin.writeOff.submit")} ${cluster.name}`} onClick={() => setWritingOff(cluster)}>
                {t("admin.writeOff.submit")}
              </Button>
            )}
          </div>
        )}
      />
      <Suspense fallback={null}>{writingOff && <WriteOffDialog cluster={writingOff} onClose={() => setWritingOff(null)} />}</Suspense>
    </Page>
  );
}

const numeric = (text: string) => <span className="numeric">{text}</span>;

/** Of all that are found, on whatever page of the list. */
function Totals({ totals }: { totals: ClusterTotals }) {
  const { t } = useTranslation();
  const { amount, memory } = useFormat();
  return (
    <div className="stack">
      <Definitions
        items={[
          { label: t("create.quota.clusters"), value: numeric(amount(totals.clusters)) },
          { label: t("create.quota.nodes"), value: numeric(amount(totals.nodes)) },
          { label: t("create.quota.vcpus"), value: numeric(amount(totals.vcpus)) },
          { label: t("create.quota.ram_mib"), value: numeric(memory(totals.ram_mib)) },
        ]}
      />
      {totals.unsized_nodes > 0 && <p className="small muted">{t("admin.unsized", { count: totals.unsized_nodes })}</p>}
    </div>
  );
}
