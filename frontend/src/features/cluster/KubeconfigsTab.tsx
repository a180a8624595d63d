// Kubeconfigs issued for this cluster: who has one, what it may do, when it was last used, and revoking one, all, or all of one person.
import { KeyOutlined } from "@ant-design/icons";
import { useParams } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useCluster, useKubeconfigs } from "../../api/clusters";
import { may } from "../../api/permissions";
import { useAbout } from "../../api/session";
import type { Cluster, Kubeconfig } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { validity } from "../access/validity";
import { Certificates } from "./Certificates";
import { KubeconfigScope } from "./KubeconfigScope";
import type { Person } from "./RevokeAllDialog";

const KubeconfigDialog = lazy(() => import("./KubeconfigDialog"));
const RevokeKubeconfigDialog = lazy(() => import("./RevokeKubeconfigDialog"));
const RevokeAllDialog = lazy(() => import("./RevokeAllDialog"));

/** What is asked about. */
type Asking = { issue: true } | { revoke: Kubeconfig } | { revokeAll: true; person?: Person };

export function KubeconfigsTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const cluster = useCluster(id).data;
  const kubeconfigs = useKubeconfigs(id);
  const [asking, setAsking] = useState<Asking | null>(null);
  const mayPass = useAbout().data?.direct_access === true && cluster?.spec.direct_access === true;
  const valid = kubeconfigs.data?.items.filter((kubeconfig) => validity(kubeconfig) === "valid") ?? [];
  const columns = useColumns(cluster, valid, setAsking);
  const close = () => setAsking(null);
  return (
    <div className="stack">
      <Card
        flush
        title={t("cluster.tab.kubeconfigs")}
        extra={
          <>
            {may(cluster, "kubeconfig_revoke_all") && valid.length > 0 && (
              <Button size="small" danger onClick={() => setAsking({ revokeAll: true })}>
                {t("kubeconfig.revokeAll")}
              </Button>
            )}
            {may(cluster, "kubeconfig_issue") && (
              <Button size="small" type="primary" icon={<KeyOutlined aria-hidden="true" />} onClick={() => setAsking({ issue: true })}>
                {t("kubeconfig.issue")}
              </Button>
            )}
          </>
        }
      >
        <DataTable
          name={t("cluster.tab.kubeconfigs")}
          columns={columns}
          rows={kubeconfigs.data?.items}
          rowKey={(kubeconfig) => kubeconfig.id}
          error={kubeconfigs.error}
          onRetry={() => void kubeconfigs.refetch()}
          empty={<Empty icon={<KeyOutlined />} title={t("kubeconfig.none")} text={t("kubeconfig.text")} />}
        />
        <Suspense fallback={null}>
          {asking && "issue" in asking && cluster && <KubeconfigDialog cluster={cluster} onClose={close} />}
          {asking && "revoke" in asking && <RevokeKubeconfigDialog clusterId={id} kubeconfig={asking.revoke} onClose={close} />}
          {asking && "revokeAll" in asking && cluster && (
            <RevokeAllDialog cluster={cluster} person={asking.person} kubeconfigs={valid.filter((kubeconfig) => asking.person === undefined || kubeconfig.created_by_id === asking.person.id)} onClose={close} />
          )}
        </Suspense>
      </Card>
      <Certificates cluster={id} open={mayPass} />
    </div>
  );
}

function useColumns(cluster: Cluster | undefined, valid: Kubeconfig[], ask: (what: Asking) => void): Column<Kubeconfig>[] {
  const { t } = useTranslation();
  return [
    { key: "name", title: t("kubeconfig.col.name"), main: true, render: (kubeconfig) => kubeconfig.name || <code className="id">{kubeconfig.id}</code> },
    {
      key: "state",
      title: t("clusters.col.status"),
      render: (kubeconfig) => {
        const state = validity(kubeconfig);
        return <Status tone={state === "valid" ? "ok" : "off"}>{t(`token.state.${state}`)}</Status>;
      },
    },
    {
      key: "by",
      title: t("kubeconfig.col.by"),
      render: (kubeconfig) => (
        <>
          {kubeconfig.created_by}
          {kubeconfig.mine && <span className="muted"> {t("kubeconfig.mine")}</span>}
        </>
      ),
    },
    { key: "scope", title: t("token.col.may"), render: (kubeconfig) => <KubeconfigScope readOnly={kubeconfig.read_only} permissions={kubeconfig.permissions} namespaces={kubeconfig.namespaces} /> },
    { key: "created", title: t("kubeconfig.col.created"), render: (kubeconfig) => <Ago time={kubeconfig.created_at} /> },
    { key: "expires", title: t("kubeconfig.col.expires"), render: (kubeconfig) => <Ago time={kubeconfig.expires_at} /> },
    { key: "used", title: t("kubeconfig.col.used"), render: (kubeconfig) => (kubeconfig.last_used_at ? <Ago time={kubeconfig.last_used_at} /> : <span className="muted">{t("kubeconfig.never")}</span>) },
    { key: "act", title: t("cluster.actions"), render: (kubeconfig) => <Actions cluster={cluster} kubeconfig={kubeconfig} valid={valid} ask={ask} /> },
  ];
}

function Actions({ cluster, kubeconfig, valid, ask }: { cluster: Cluster | undefined; kubeconfig: Kubeconfig; valid: Kubeconfig[]; ask: (what: Asking) => void }) {
  const { t } = useTranslation();
  const mayAll = may(cluster, "kubeconfig_revoke_all");
  const mayOne = may(cluster, "kubeconfig_revoke") && (mayAll || kubeconfig.mine);
  const person = { id: kubeconfig.created_by_id, name: kubeconfig.created_by };
  const theirs = valid.filter((other) => other.created_by_id === person.id).length;
  const mayTheirs = mayAll && !kubeconfig.mine && theirs > 1;
  if (validity(kubeconfig) !== "valid" || (!mayOne && !mayTheirs)) return <span className="muted">—</span>;
  return (
    <div className="row">
      {mayOne && (
        <Button size="small" danger aria-label={t("kubeconfig.revokeOf", { name: kubeconfig.name || kubeconfig.id })} onClick={() => ask({ revoke: kubeconfig })}>
          {t("kubeconfig.revoke")}
        </Button>
      )}
      {mayTheirs && (
        <Button size="small" danger aria-label={t("kubeconfig.revokeTheirsOf", { person: person.name, count: theirs })} onClick={() => ask({ revokeAll: true, person })}>
          {t("kubeconfig.revokeTheirs", { count: theirs })}
        </Button>
      )}
    </div>
  );
}
