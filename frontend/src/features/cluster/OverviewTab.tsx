// A cluster at a glance: what is well and what is not, its address, what was asked for.
import { Link, useParams } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useExternalNetworks } from "../../api/catalogue";
import { unchangeable, useCluster } from "../../api/clusters";
import { may } from "../../api/permissions";
import { useAbout } from "../../api/session";
import type { Cluster, Condition } from "../../api/types";
import { CopyButton } from "../../components/Copy";
import { Card, Definitions } from "../../components/Page";
import { useExplain } from "../../components/Problem";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { conditionTone, useReason } from "../../components/words";
import { Ready } from "../clusters/ClusterTable";
import { CostBreakdown } from "../costs/Cost";
import { ApiAccess } from "./ApiAccess";
import { ApiAudit } from "./ApiAudit";
import { useChoices } from "./Choices";
import { DirectAccess } from "./DirectAccess";
import { Protection } from "./Protection";
import { SelfHealing } from "./SelfHealing";

const VerbDialog = lazy(() => import("./VerbDialog"));

export function OverviewTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const { data } = useCluster(id);
  if (!data) return null;
  return (
    <div className="cluster-overview">
      <Health cluster={data} />
      <div className="stack">
        <Access cluster={data} />
        {data.cost && (
          <Card title={t("cost.title")}>
            <CostBreakdown cost={data.cost} />
          </Card>
        )}
        <Summary cluster={data} />
      </div>
    </div>
  );
}

function Health({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const [repairing, setRepairing] = useState(false);
  const { phase, conditions } = cluster.status;
  const broken = conditions.some((condition) => conditionTone(condition, phase) === "bad");
  return (
    <Card
      title={t("cluster.health")}
      extra={
        broken &&
        may(cluster, "cluster_repair") &&
        !unchangeable(cluster) && (
          <Button size="small" onClick={() => setRepairing(true)}>
            {t("cluster.menu.repair")}
          </Button>
        )
      }
    >
      {conditions.length === 0 ? (
        <p className="muted">{t("cluster.healthNone")}</p>
      ) : (
        <ul className="conditions">
          {conditions.map((condition) => (
            <ConditionRow key={condition.type} condition={condition} cluster={cluster} />
          ))}
        </ul>
      )}
      <Suspense fallback={null}>{repairing && <VerbDialog cluster={cluster} wish={{ verb: "repair" }} onClose={() => setRepairing(false)} />}</Suspense>
    </Card>
  );
}

function ConditionRow({ condition, cluster }: { condition: Condition; cluster: Cluster }) {
  const { t } = useTranslation();
  const explain = useExplain();
  const reason = useReason();
  const tone = conditionTone(condition, cluster.status.phase);
  return (
    <li>
      <div className="condition-head">
        <strong>{t(`status.condition.${condition.type}`)}</strong>
        <Status tone={tone}>{t(`status.conditionStatus.${tone === "busy" ? "busy" : condition.status}`)}</Status>
        <span className="small muted condition-since">
          {t("cluster.since")} <Ago time={condition.since} />
        </span>
      </div>
      <p className="small muted break">{reason(condition)}</p>
      {condition.code && tone === "bad" && (
        <p className="small">
          {explain(condition.code).remedy} <code className="muted">{condition.code}</code>
        </p>
      )}
    </li>
  );
}

function Access({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const { api_endpoint: endpoint, api_vip: vip } = cluster.status;
  return (
    <Card title={t("cluster.access")} extra={<Link to="/clusters/$id/kubeconfigs" params={{ id: cluster.id }}>{t("cluster.tab.kubeconfigs")}</Link>}>
      <Definitions
        items={[
          { label: t("cluster.endpoint"), value: endpoint ? <Copyable text={endpoint} what={t("cluster.endpoint")} /> : <span className="muted">{t("cluster.notYet")}</span> },
          { label: t("cluster.vip"), value: vip ? <Copyable text={vip} what={t("cluster.vip")} /> : <span className="muted">{t("cluster.notYet")}</span> },
        ]}
      />
    </Card>
  );
}

function Copyable({ text, what }: { text: string; what: string }) {
  return (
    <span className="copyable">
      <code>{text}</code>
      <CopyButton text={text} what={what} />
    </span>
  );
}

function Summary({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const networks = useExternalNetworks();
  const about = useAbout();
  const { spec } = cluster;
  const choices = useChoices(spec);
  const external = networks.data?.items.find((network) => network.id === spec.network.external_network)?.name ?? spec.network.external_network;
  return (
    <Card title={t("cluster.spec")}>
      <Definitions
        items={[
          { label: t("clusters.col.version"), value: <span className="numeric">{spec.version}</span> },
          { label: t("clusters.col.masters"), value: <Ready ready={cluster.status.masters_ready} desired={cluster.masters_desired} /> },
          { label: t("clusters.col.nodes"), value: <Ready ready={cluster.status.nodes_ready} desired={cluster.nodes_desired} /> },
          { label: t("create.section.pools"), value: spec.node_pools.map((pool) => `${pool.name} × ${pool.count}`).join(t("create.comma")) || "—" },
          { label: t("create.nodeCidr"), value: <code>{spec.network.node_cidr}</code> },
          { label: t("create.podCidr"), value: <code>{spec.network.pod_cidr}</code> },
          { label: t("create.serviceCidr"), value: <code>{spec.network.service_cidr}</code> },
          { label: t("create.externalNetwork"), value: external },
          { label: t("create.exposure"), value: <ApiAccess cluster={cluster} /> },
          ...choices.map(({ label, value }) => ({ label, value: <span className="break">{value}</span> })),
          { label: t("create.protection"), value: <Protection cluster={cluster} /> },
          { label: t("create.repair"), value: <SelfHealing cluster={cluster} /> },
          ...(about.data?.direct_access ? [{ label: t("cluster.direct.label"), value: <DirectAccess cluster={cluster} /> }] : []),
          { label: t("create.apiAudit"), value: <ApiAudit cluster={cluster} /> },
          { label: t("clusters.col.createdBy"), value: cluster.created_by },
          { label: t("clusters.col.created"), value: <Ago time={cluster.created_at} /> },
          { label: t("cluster.id"), value: <Copyable text={cluster.id} what={t("cluster.id")} /> },
        ]}
      />
    </Card>
  );
}
