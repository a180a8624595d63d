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
import { Card, Empty, Page } from "../../components/Page";
import { ClusterList } from "../clusters/ClusterList";
import { PauseButton } from "../queue/PauseButton";

export function AdminClustersPage() {
  const { t } = useTranslation();
  const session = useSession();
  const search = useSearch({ from: "/app/admin/clusters" });
  const navigate = useNavigate({ from: "/admin/clusters" });
  const clusters = useAdminClusters({ ...search, limit: 50 }, session.operator);
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
        act={(cluster) => <PauseButton cluster={cluster} />}
      />
    </Page>
  );
}
