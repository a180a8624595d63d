// The operators' view of all tenants' clusters.
import { GlobalOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { projectGone, useAdminClusters } from "../../api/clusters";
import { useSession } from "../../api/session";
import type { Cluster } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import type { ListSearch } from "../../app/router";
import { Card, Empty, Page } from "../../components/Page";
import { ClusterList } from "../clusters/ClusterList";
import { PauseButton } from "../queue/PauseButton";

const WriteOffDialog = lazy(() => import("./WriteOffDialog"));

export function AdminClustersPage() {
  const { t } = useTranslation();
  const session = useSession();
  const search = useSearch({ from: "/app/admin/clusters" });
  const navigate = useNavigate({ from: "/admin/clusters" });
  const clusters = useAdminClusters({ ...search, limit: 50 }, session.operator);
  // Here and not in the row, which goes with the cluster: the receipt stays to be read.
  const [writingOff, setWritingOff] = useState<Cluster | null>(null);
  const go = useCallback((change?: (old: ListSearch) => ListSearch, replace = false) => void navigate({ search: change ?? {}, replace }), [navigate]);
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
      <ClusterList
        clusters={clusters}
        search={search}
        go={go}
        searchLabel={t("admin.search")}
        none={<Empty icon={<GlobalOutlined />} title={t("admin.none")} text={t("admin.noneText")} />}
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
