// The ledger: every cloud object of the cluster.
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useResources } from "../../api/clusters";
import type { Resource, ResourceKind } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Fault } from "../../components/Problem";
import { ResourceStatus } from "../../components/words";
import { Ago } from "../../components/Time";
import { Chips } from "../clusters/ListFilters";

export function ObjectsTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const resources = useResources(id);
  const [kind, setKind] = useState<ResourceKind | undefined>();
  const items = resources.data?.items;
  const kinds = [...new Set((items ?? []).map((item) => item.kind))];
  const rows = items?.filter((item) => kind === undefined || item.kind === kind);
  const columns: Column<Resource>[] = [
    { key: "kind", title: t("cluster.objects.kind"), render: (resource) => <span className="nowrap">{t(`operation.kindOf.${resource.kind}`)}</span> },
    { key: "name", title: t("cluster.objects.name"), main: true, render: (resource) => <span className="break">{resource.name}</span> },
    { key: "id", title: t("cluster.objects.id"), render: (resource) => (resource.cloud_id ? <code className="id">{resource.cloud_id}</code> : <span className="muted">—</span>) },
    { key: "state", title: t("clusters.col.status"), render: (resource) => <ResourceStatus resource={resource} /> },
    { key: "address", title: t("cluster.nodes.address"), render: (resource) => (resource.address ? <code>{resource.address}</code> : <span className="muted">—</span>) },
    { key: "created", title: t("clusters.col.created"), render: (resource) => <Ago time={resource.created_at} /> },
  ];
  return (
    <Card flush title={t("cluster.objects.title")}>
      <div className="toolbar">
        <p className="muted">{t("cluster.objects.text")}</p>
        {kinds.length > 1 && (
          <Chips
            name={t("cluster.objects.filter")}
            all={`${t("common.all")} ${items?.length ?? 0}`}
            options={kinds.map((value) => ({ value, label: `${t(`operation.kindOf.${value}`)} ${items?.filter((item) => item.kind === value).length ?? 0}` }))}
            value={kind}
            onChange={setKind}
          />
        )}
      </div>
      <DataTable
        name={t("cluster.objects.title")}
        columns={columns}
        rows={rows}
        rowKey={(resource) => `${resource.kind}/${resource.name}/${resource.cloud_id ?? resource.created_at}`}
        error={resources.error}
        onRetry={() => void resources.refetch()}
        empty={<Empty title={t("cluster.objects.none")} text={t("cluster.objects.noneText")} />}
        detail={(resource) =>
          resource.fault && resource.state !== "gone" ? <Fault tone="warn" fault={{ code: resource.fault.code, message: resource.fault.message, cloudRequestId: resource.fault.cloud_request_id }} /> : null
        }
      />
    </Card>
  );
}
