// The ledger: every cloud object of the cluster, and how it is; and rules that others added to its security groups.
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCluster, useResources } from "../../api/clusters";
import type { AddedRule, Phase, Resource, ResourceKind } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Fault, type FaultWords } from "../../components/Problem";
import { conditionTone, ResourceHealthStatus, ResourceStatus } from "../../components/words";
import { Ago } from "../../components/Time";
import { Chips } from "../clusters/ListFilters";

export function ObjectsTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const resources = useResources(id);
  const status = useCluster(id).data?.status;
  const phase = status?.phase ?? "Running";
  const [kind, setKind] = useState<ResourceKind | undefined>();
  const items = resources.data?.items;
  const kinds = [...new Set((items ?? []).map((item) => item.kind))];
  const rows = items?.filter((item) => kind === undefined || item.kind === kind);
  const columns: Column<Resource>[] = [
    { key: "kind", title: t("cluster.objects.kind"), render: (resource) => <span className="nowrap">{t(`operation.kindOf.${resource.kind}`)}</span> },
    { key: "name", title: t("cluster.objects.name"), main: true, render: (resource) => <span className="break">{resource.name}</span> },
    { key: "id", title: t("cluster.objects.id"), render: (resource) => (resource.cloud_id ? <code className="id">{resource.cloud_id}</code> : <span className="muted">—</span>) },
    { key: "state", title: t("clusters.col.status"), render: (resource) => <ResourceStatus resource={resource} /> },
    { key: "health", title: t("cluster.objects.health"), render: (resource) => <Health resource={resource} phase={phase} /> },
    { key: "address", title: t("cluster.nodes.address"), render: (resource) => (resource.address ? <code>{resource.address}</code> : <span className="muted">—</span>) },
    { key: "created", title: t("clusters.col.created"), render: (resource) => <Ago time={resource.created_at} /> },
  ];
  return (
    <div className="stack">
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
          detail={(resource) => {
            const fault = remedyOf(resource, phase);
            return fault && <Fault tone="warn" fault={fault} />;
          }}
        />
      </Card>
      <AddedRules rules={status?.added_rules ?? []} />
    </div>
  );
}

function Health({ resource: { health }, phase }: { resource: Resource; phase: Phase }) {
  const { t } = useTranslation();
  if (!health) return <span className="muted">—</span>;
  return (
    <div className="state-cell-narrow">
      <ResourceHealthStatus health={health} phase={phase} />
      {health.since && (
        <span className="small muted">
          {t("cluster.since")} <Ago time={health.since} />
        </span>
      )}
    </div>
  );
}

/** What to do about an object: by the cloud's last words of it, or by why it is not well. */
function remedyOf({ fault, health, state }: Resource, phase: Phase): FaultWords | null {
  if (fault && state !== "gone") return { code: fault.code, message: fault.message, cloudRequestId: fault.cloud_request_id };
  return health?.code && conditionTone(health, phase) === "bad" ? { code: health.code, remedy: health.remedy ?? undefined } : null;
}

/** Names and numbers under which Neutron knows ICMP: type and code stand where others have ports. */
const ICMP = new Set(["icmp", "icmpv6", "ipv6-icmp", "1", "58"]);

function usePorts() {
  const { t } = useTranslation();
  return ({ protocol, first_port: first, last_port: last }: AddedRule) => {
    if (typeof first !== "number") return t("cluster.rules.any");
    if (protocol && ICMP.has(protocol)) return t("cluster.rules.icmp", { type: first, code: last });
    return first === last ? first : `${first}–${last}`;
  };
}

/** Rules in the cluster's security groups that are not KCS's. */
function AddedRules({ rules }: { rules: AddedRule[] }) {
  const { t } = useTranslation();
  const ports = usePorts();
  if (rules.length === 0) return null;
  const columns: Column<AddedRule>[] = [
    { key: "group", title: t("cluster.rules.group"), main: true, render: (rule) => <span className="break">{rule.group}</span> },
    { key: "direction", title: t("cluster.rules.direction"), render: (rule) => t(`cluster.rules.directionOf.${rule.direction}`) },
    { key: "ip", title: t("cluster.rules.ip"), render: (rule) => `IPv${rule.ip_version}` },
    { key: "protocol", title: t("cluster.rules.protocol"), render: (rule) => rule.protocol ?? t("cluster.rules.any") },
    { key: "ports", title: t("cluster.rules.ports"), render: ports },
    { key: "peer", title: t("cluster.rules.peer"), render: (rule) => (rule.peer ? <code>{rule.peer}</code> : t("cluster.rules.anyone")) },
  ];
  return (
    <Card flush title={t("cluster.rules.title")}>
      <div className="toolbar">
        <p className="muted">{t("cluster.rules.text")}</p>
      </div>
      <DataTable name={t("cluster.rules.title")} columns={columns} rows={rules} rowKey={(rule) => JSON.stringify(rule)} empty={null} />
    </Card>
  );
}
