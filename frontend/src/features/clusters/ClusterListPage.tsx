// The project's clusters, live.
import { ClusterOutlined, PlusOutlined } from "@ant-design/icons";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useClusters } from "../../api/clusters";
import { useGuest, useMay } from "../../api/permissions";
import type { ListSearch } from "../../app/router";
import { Empty, Page } from "../../components/Page";
import { ClusterList } from "./ClusterList";

export function ClusterListPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/clusters" });
  const navigate = useNavigate({ from: "/clusters" });
  const mayCreate = useMay("cluster_create");
  const clusters = useClusters({ ...search, limit: 50 });
  const go = useCallback((change?: (old: ListSearch) => ListSearch, replace = false) => void navigate({ search: change ?? {}, replace }), [navigate]);
  return (
    <Page title={t("clusters.title")} description={t("clusters.description")} actions={mayCreate && <CreateLink />}>
      <ClusterList clusters={clusters} search={search} go={go} searchLabel={t("clusters.search")} none={<NoClusters />} />
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

export function NoClusters() {
  const { t } = useTranslation();
  const mayCreate = useMay("cluster_create");
  const guest = useGuest();
  return <Empty icon={<ClusterOutlined />} title={t("clusters.none")} text={t(mayCreate ? "clusters.noneText" : guest ? "clusters.noneGuest" : "clusters.noneReader")} action={mayCreate && <CreateLink />} />;
}
