// Kubeconfigs issued for this cluster: who has one, when it was last used, and revoking it.
import { KeyOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { revokeKubeconfig, useCluster, useKubeconfigs } from "../../api/clusters";
import { useMayWrite } from "../../api/session";
import type { Kubeconfig } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { useErrorText } from "../../components/Problem";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useToast } from "../../components/Toast";

const KubeconfigDialog = lazy(() => import("./KubeconfigDialog"));

type State = "valid" | "expired" | "revoked";

function stateOf(kubeconfig: Kubeconfig): State {
  if (kubeconfig.revoked_at) return "revoked";
  return new Date(kubeconfig.expires_at).getTime() < Date.now() ? "expired" : "valid";
}

export function KubeconfigsTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const cluster = useCluster(id);
  const mayWrite = useMayWrite();
  const kubeconfigs = useKubeconfigs(id);
  const [issuing, setIssuing] = useState(false);
  const [revoking, setRevoking] = useState<Kubeconfig | null>(null);
  const columns: Column<Kubeconfig>[] = [
    { key: "name", title: t("kubeconfig.col.name"), main: true, render: (kubeconfig) => kubeconfig.name || <code className="id">{kubeconfig.id}</code> },
    {
      key: "state",
      title: t("clusters.col.status"),
      render: (kubeconfig) => {
        const state = stateOf(kubeconfig);
        return <Status tone={state === "valid" ? "ok" : "off"}>{t(`kubeconfig.state.${state}`)}</Status>;
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
    { key: "created", title: t("kubeconfig.col.created"), render: (kubeconfig) => <Ago time={kubeconfig.created_at} /> },
    { key: "expires", title: t("kubeconfig.col.expires"), render: (kubeconfig) => <Ago time={kubeconfig.expires_at} /> },
    { key: "used", title: t("kubeconfig.col.used"), render: (kubeconfig) => (kubeconfig.last_used_at ? <Ago time={kubeconfig.last_used_at} /> : <span className="muted">{t("kubeconfig.never")}</span>) },
    {
      key: "act",
      title: t("cluster.actions"),
      render: (kubeconfig) =>
        stateOf(kubeconfig) === "valid" && (mayWrite || kubeconfig.mine) ? (
          <Button size="small" danger aria-label={t("kubeconfig.revokeOf", { name: kubeconfig.name || kubeconfig.id })} onClick={() => setRevoking(kubeconfig)}>
            {t("kubeconfig.revoke")}
          </Button>
        ) : (
          <span className="muted">—</span>
        ),
    },
  ];
  return (
    <Card
      flush
      title={t("cluster.tab.kubeconfigs")}
      extra={
        <Button size="small" type="primary" icon={<KeyOutlined aria-hidden="true" />} onClick={() => setIssuing(true)}>
          {t("kubeconfig.issue")}
        </Button>
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
      <Suspense fallback={null}>{issuing && cluster.data && <KubeconfigDialog cluster={cluster.data} onClose={() => setIssuing(false)} />}</Suspense>
      {revoking && <RevokeDialog clusterId={id} kubeconfig={revoking} onClose={() => setRevoking(null)} />}
    </Card>
  );
}

function RevokeDialog({ clusterId, kubeconfig, onClose }: { clusterId: string; kubeconfig: Kubeconfig; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  const revoke = useMutation({
    mutationFn: () => revokeKubeconfig(clusterId, kubeconfig.id),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["cluster", clusterId, "kubeconfigs"] });
      notify(t("kubeconfig.revoked"));
      onClose();
    },
    onError: (error) => notify(errorText(error), "bad"),
  });
  return (
    <Dialog
      title={t("kubeconfig.revokeTitle", { name: kubeconfig.name || kubeconfig.id })}
      okText={t("kubeconfig.revoke")}
      okButtonProps={{ danger: true, type: "primary", loading: revoke.isPending }}
      cancelText={t("cluster.close")}
      onOk={() => revoke.mutate()}
      onCancel={onClose}
    >
      <p>{t("kubeconfig.revokeText")}</p>
    </Dialog>
  );
}
