// What runs in the cluster: deployments and pods, read as the person who is signed in.
import { AppstoreOutlined } from "@ant-design/icons";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useDeployments, useNamespaces, usePods } from "../../api/kubernetes";
import type { Deployment, Pod } from "../../api/types";
import type { WorkloadSearch } from "../../app/router";
import { DataTable, Pager, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Select } from "../../components/Select";
import { Status, type Tone } from "../../components/Status";
import { Ago } from "../../components/Time";
import { NothingFound } from "../clusters/ClusterList";
import { SearchBox } from "../clusters/ListFilters";

export function WorkloadsTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const search = useSearch({ from: "/app/clusters/$id/workloads" });
  const navigate = useNavigate({ from: "/clusters/$id/workloads" });
  const namespaces = useNamespaces(id);
  const showPods = search.kind === "pods";
  const filter = { namespace: search.namespace, search: search.search, cursor: search.cursor, limit: 50 };
  const deployments = useDeployments(id, filter, !showPods);
  const pods = usePods(id, filter, showPods);
  const list = showPods ? pods : deployments;
  const change = useCallback(
    (next: Partial<WorkloadSearch>, replace = false) => void navigate({ search: (old) => ({ ...old, cursor: undefined, ...next }), replace }),
    [navigate],
  );
  const onSearch = useCallback((text: string) => change({ search: text || undefined }, true), [change]);
  const filtered = Boolean(search.search || search.namespace || search.cursor);
  const empty = filtered ? (
    <NothingFound onClear={() => void navigate({ search: { kind: search.kind } })} />
  ) : (
    <Empty icon={<AppstoreOutlined />} title={showPods ? t("workload.noPods") : t("workload.noDeployments")} text={t("workload.noneText")} />
  );
  return (
    <Card flush>
      <div className="toolbar">
        <div className="chips" role="group" aria-label={t("workload.kind")}>
          <button type="button" className="chip" aria-pressed={!showPods} onClick={() => change({ kind: undefined })}>
            {t("workload.deployments")}
          </button>
          <button type="button" className="chip" aria-pressed={showPods} onClick={() => change({ kind: "pods" })}>
            {t("workload.pods")}
          </button>
        </div>
        <Select
          aria-label={t("workload.namespace")}
          value={search.namespace ?? ""}
          placeholder={t("workload.allNamespaces")}
          onChange={(namespace) => change({ namespace: namespace || undefined })}
          options={(namespaces.data?.items ?? []).map((namespace) => ({ value: namespace.name, label: namespace.name }))}
        />
        <SearchBox value={search.search ?? ""} onChange={onSearch} label={t("workload.search")} />
      </div>
      {showPods ? (
        <PodTable id={id} pods={pods.data?.items} error={pods.error} onRetry={() => void pods.refetch()} stale={pods.isPlaceholderData} empty={empty} />
      ) : (
        <DeploymentTable rows={deployments.data?.items} error={deployments.error} onRetry={() => void deployments.refetch()} stale={deployments.isPlaceholderData} empty={empty} />
      )}
      {list.data && list.data.items.length > 0 && (
        <Pager
          shown={list.data.items.length}
          total={list.data.total}
          hasPrevious={Boolean(search.cursor)}
          nextCursor={list.data.next_cursor}
          onPrevious={() => change({})}
          onNext={(cursor) => change({ cursor })}
        />
      )}
    </Card>
  );
}

interface TableProps {
  error: unknown;
  onRetry: () => void;
  stale: boolean;
  empty: React.ReactNode;
}

function DeploymentTable({ rows, ...rest }: TableProps & { rows: Deployment[] | undefined }) {
  const { t } = useTranslation();
  const columns: Column<Deployment>[] = [
    { key: "name", title: t("workload.col.name"), main: true, render: (deployment) => <span className="break">{deployment.name}</span> },
    { key: "namespace", title: t("workload.namespace"), render: (deployment) => deployment.namespace },
    {
      key: "status",
      title: t("clusters.col.status"),
      render: (deployment) => {
        const done = deployment.ready >= deployment.desired && deployment.updated >= deployment.desired;
        return <Status tone={done ? "ok" : "busy"}>{done ? t("workload.available") : t("workload.progressing")}</Status>;
      },
    },
    {
      key: "ready",
      title: t("workload.col.ready"),
      align: "right",
      render: (deployment) => (
        <span className="numeric nowrap">
          {deployment.ready} / {deployment.desired}
        </span>
      ),
    },
    { key: "updated", title: t("workload.col.updated"), align: "right", render: (deployment) => <span className="numeric">{deployment.updated}</span> },
    { key: "images", title: t("workload.col.images"), render: (deployment) => <Images images={deployment.images} /> },
    { key: "created", title: t("clusters.col.created"), render: (deployment) => (deployment.created_at ? <Ago time={deployment.created_at} /> : "—") },
  ];
  return <DataTable name={t("workload.deployments")} columns={columns} rows={rows} rowKey={(deployment) => `${deployment.namespace}/${deployment.name}`} {...rest} />;
}

function Images({ images }: { images: string[] }) {
  return (
    <span className="tags">
      {images.map((image) => (
        <code key={image} className="small break">
          {image}
        </code>
      ))}
    </span>
  );
}

/** The words kubectl shows for a pod, by how they are meant. */
export function podTone(status: string): Tone {
  if (status === "Running" || status === "Completed" || status === "Succeeded") return "ok";
  if (/^(Pending|ContainerCreating|PodInitializing|Init:\d|Terminating)/.test(status)) return "busy";
  if (/BackOff|Err|Error|Failed|Evicted|OOMKilled|Invalid/.test(status)) return "bad";
  return "unknown";
}

function PodTable({ id, pods, ...rest }: TableProps & { id: string; pods: Pod[] | undefined }) {
  const { t, i18n } = useTranslation();
  const word = (status: string) => (i18n.exists(`workload.podStatus.${status}`) ? t(`workload.podStatus.${status}`) : status);
  const columns: Column<Pod>[] = [
    { key: "name", title: t("workload.col.name"), main: true, render: (pod) => <span className="break">{pod.name}</span> },
    { key: "namespace", title: t("workload.namespace"), render: (pod) => pod.namespace },
    {
      key: "status",
      title: t("clusters.col.status"),
      render: (pod) => (
        <Status tone={podTone(pod.status)} title={pod.status}>
          {word(pod.status)}
        </Status>
      ),
    },
    {
      key: "ready",
      title: t("workload.col.ready"),
      align: "right",
      render: (pod) => (
        <span className="numeric nowrap">
          {pod.ready} / {pod.containers.filter((container) => !container.init).length}
        </span>
      ),
    },
    { key: "restarts", title: t("workload.col.restarts"), align: "right", render: (pod) => <span className="numeric">{pod.restarts}</span> },
    { key: "ip", title: "IP", render: (pod) => (pod.ip ? <code>{pod.ip}</code> : "—") },
    { key: "node", title: t("workload.col.node"), render: (pod) => pod.node ?? "—" },
    { key: "created", title: t("clusters.col.created"), render: (pod) => (pod.created_at ? <Ago time={pod.created_at} /> : "—") },
    {
      key: "logs",
      title: t("cluster.actions"),
      render: (pod) => (
        <Link to="/clusters/$id/pods/$namespace/$pod/logs" params={{ id, namespace: pod.namespace, pod: pod.name }} aria-label={t("workload.logsOf", { pod: pod.name })}>
          {t("workload.logs")}
        </Link>
      ),
    },
  ];
  return <DataTable name={t("workload.pods")} columns={columns} rows={pods} rowKey={(pod) => `${pod.namespace}/${pod.name}`} {...rest} />;
}
