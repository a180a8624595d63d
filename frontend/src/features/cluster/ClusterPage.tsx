// The frame of a cluster's pages: name, state, what can be done, tabs.
import { DeleteOutlined, KeyOutlined } from "@ant-design/icons";
import { Link, Navigate, Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { unchangeable, useCluster } from "../../api/clusters";
import { ended } from "../../api/operations";
import { may, useMay } from "../../api/permissions";
import type { Cluster } from "../../api/types";
import { NotFoundPage } from "../../app/FallbackPages";
import { MenuButton, type MenuItem } from "../../components/MenuButton";
import { Loading, Page } from "../../components/Page";
import { PausedNotice } from "../../components/PausedNotice";
import { LoadProblem } from "../../components/Problem";
import { PhaseStatus } from "../../components/words";
import { OperationBanner } from "./OperationBanner";
import "./cluster.css";

const ControlPlaneDialog = lazy(() => import("./ControlPlaneDialog"));
const DeleteDialog = lazy(() => import("./DeleteDialog"));
const KubeconfigDialog = lazy(() => import("./KubeconfigDialog"));
const SaveAsTemplate = lazy(() => import("./SaveAsTemplate"));
const VerbDialog = lazy(() => import("./VerbDialog"));

const TABS = [
  ["overview", "/clusters/$id"],
  ["nodes", "/clusters/$id/nodes"],
  ["workloads", "/clusters/$id/workloads"],
  ["storage", "/clusters/$id/storage"],
  ["addons", "/clusters/$id/addons"],
  ["objects", "/clusters/$id/objects"],
  ["kubeconfigs", "/clusters/$id/kubeconfigs"],
  ["operations", "/clusters/$id/operations"],
] as const;

/** Of no use to whoever sees some namespaces only: what these show is in none. Who follows a link of somebody else's to one comes to the cluster instead. */
const AROUND: readonly string[] = ["nodes", "storage", "addons", "objects"];

/** What is behind the button for more, and what it takes. */
const MENU = [
  ["repair", "cluster_repair"],
  ["controlPlane", "control_plane_resize"],
  ["rotate", "cluster_repair"],
  ["rotateKey", "cluster_repair"],
] as const;

export function ClusterPage() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const cluster = useCluster(id);
  const crumbs = [{ label: t("clusters.title"), to: "/clusters" }];
  if (cluster.data) return <Loaded cluster={cluster.data} key={id} />;
  if (isApiError(cluster.error) && (cluster.error.status === 404 || cluster.error.status === 400)) return <NotFoundPage />;
  return (
    <Page title={t("cluster.title")} crumbs={crumbs}>
      {cluster.error ? <LoadProblem error={cluster.error} onRetry={() => void cluster.refetch()} /> : <Loading rows={6} />}
    </Page>
  );
}

function Loaded({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const mayKeep = useMay("template_create");
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<"delete" | "kubeconfig" | "controlPlane" | "repair" | "rotate" | "rotateKey" | "template" | null>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const tab = path.startsWith(`/clusters/${cluster.id}/pods/`) ? "workloads" : (TABS.toReversed().find(([, to]) => path.startsWith(to.replace("$id", cluster.id)))?.[0] ?? "overview");
  const { operation } = cluster;
  const around = (key: string) => Boolean(cluster.namespaces) && AROUND.includes(key);
  const title = operation && !ended(operation.state) ? `▶ ${operation.progress}% ${cluster.name}` : `${t(`cluster.tab.${tab}`)} · ${cluster.name}`;
  const deleting = cluster.status.phase === "Deleting";
  const standsAgainst = unchangeable(cluster);
  const unavailable = standsAgainst ? t(`cluster.unchangeable.${standsAgainst}`) : undefined;
  const more: MenuItem[] = MENU.filter(([, permission]) => may(cluster, permission)).map(([key]) => ({ key, label: t(`cluster.menu.${key}`), unavailable, onSelect: () => setDialog(key) }));
  if (mayKeep) more.push({ key: "template", label: t("template.saveAs"), onSelect: () => setDialog("template") });
  return (
    <Page
      title={cluster.name}
      windowTitle={title}
      crumbs={[{ label: t("clusters.title"), to: "/clusters" }]}
      status={<PhaseStatus phase={cluster.status.phase} />}
      actions={
        <>
          {cluster.status.api_endpoint && may(cluster, "kubeconfig_issue") && (
            <Button icon={<KeyOutlined aria-hidden="true" />} disabled={deleting} onClick={() => setDialog("kubeconfig")}>
              {t("cluster.getKubeconfig")}
            </Button>
          )}
          {more.length > 0 && <MenuButton className="menu-outlined more-menu" label={t("cluster.more")} name={t("cluster.moreOf", { name: cluster.name })} items={more} />}
          {may(cluster, "cluster_delete") && (
            <Button danger icon={<DeleteOutlined aria-hidden="true" />} disabled={deleting} onClick={() => setDialog("delete")}>
              {t("cluster.delete")}
            </Button>
          )}
        </>
      }
    >
      {cluster.paused && <PausedNotice pause={cluster.paused} />}
      {operation && <OperationBanner cluster={cluster} />}
      <nav className="tabs" aria-label={t("cluster.tabs")}>
        {TABS.filter(([key]) => !around(key)).map(([key, to]) => (
          <Link key={key} to={to} params={{ id: cluster.id }} search={{}} className={`tab ${tab === key ? "tab-on" : ""}`} aria-current={tab === key ? "page" : undefined}>
            {t(`cluster.tab.${key}`)}
          </Link>
        ))}
      </nav>
      {around(tab) ? <Navigate to="/clusters/$id" params={{ id: cluster.id }} replace /> : <Outlet />}
      <Suspense fallback={null}>
        {dialog === "delete" && (
          <DeleteDialog cluster={cluster} onClose={() => setDialog(null)} onAccepted={(operationId) => void navigate({ to: "/operations/$id", params: { id: operationId } })} />
        )}
        {dialog === "controlPlane" && <ControlPlaneDialog cluster={cluster} onClose={() => setDialog(null)} />}
        {(dialog === "repair" || dialog === "rotate" || dialog === "rotateKey") && <VerbDialog cluster={cluster} wish={{ verb: dialog }} onClose={() => setDialog(null)} />}
        {dialog === "template" && <SaveAsTemplate cluster={cluster} onClose={() => setDialog(null)} />}
        {dialog === "kubeconfig" && <KubeconfigDialog cluster={cluster} onClose={() => setDialog(null)} />}
      </Suspense>
    </Page>
  );
}
