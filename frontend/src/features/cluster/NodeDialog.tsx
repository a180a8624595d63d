// A node as Kubernetes sees it: what its kubelet says of it, what it has room for, and the pods on it.
import { EditOutlined } from "@ant-design/icons";
import { Link } from "@tanstack/react-router";
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { usePods } from "../../api/kubernetes";
import type { KubernetesNode, Pod } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Dialog } from "../../components/Dialog";
import { Definitions, Empty } from "../../components/Page";
import { Status, type Tone } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";
import { podTone } from "./WorkloadsTab";

type Condition = KubernetesNode["conditions"][number];

/** Ready is to be; of all else a node is to be free. */
function tone({ type, status }: Condition): Tone {
  if (status === "Unknown") return "unknown";
  return (status === "True") === (type === "Ready") ? "ok" : "bad";
}

/** A quantity as kubelets write memory, `8148740Ki`, in the units of the rest of the console; others are shown as they are. */
function useMemory() {
  const { memory } = useFormat();
  return (quantity: string) => {
    const kib = /^(\d+)Ki$/.exec(quantity)?.[1];
    return kib ? memory(Math.round(Number(kib) / 1024)) : quantity;
  };
}

const tags = (words: string[]) => (words.length > 0 ? <span className="tags">{words.map((word) => <span key={word} className="tag">{word}</span>)}</span> : <span className="muted">—</span>);

interface Props {
  clusterId: string;
  node: KubernetesNode;
  /** Leads to where labels and taints are changed; absent for whoever may not. */
  onMark?: () => void;
  onClose: () => void;
}

export default function NodeDialog({ clusterId, node, onMark, onClose }: Props) {
  const { t } = useTranslation();
  const memory = useMemory();
  const pods = usePods(clusterId, { node: node.name, limit: 500 }, true);
  const conditions: Column<Condition>[] = [
    { key: "type", title: t("cluster.node.condition"), main: true, render: (condition) => condition.type },
    { key: "status", title: t("clusters.col.status"), render: (condition) => <Status tone={tone(condition)}>{condition.status}</Status> },
    { key: "message", title: t("cluster.node.message"), render: (condition) => <span className="break">{condition.message || condition.reason || "—"}</span> },
    { key: "since", title: t("cluster.node.since"), render: (condition) => (condition.since ? <Ago time={condition.since} /> : "—") },
  ];
  const columns: Column<Pod>[] = [
    { key: "name", title: t("workload.col.name"), main: true, render: (pod) => <span className="break">{pod.name}</span> },
    { key: "namespace", title: t("workload.namespace"), render: (pod) => pod.namespace },
    { key: "status", title: t("clusters.col.status"), render: (pod) => <Status tone={podTone(pod.status)}>{pod.status}</Status> },
    { key: "restarts", title: t("workload.col.restarts"), align: "right", render: (pod) => <span className="numeric">{pod.restarts}</span> },
    {
      key: "logs",
      title: t("cluster.actions"),
      render: (pod) => (
        <Link to="/clusters/$id/pods/$namespace/$pod/logs" params={{ id: clusterId, namespace: pod.namespace, pod: pod.name }} aria-label={t("workload.logsOf", { pod: pod.name })}>
          {t("workload.logs")}
        </Link>
      ),
    },
  ];
  const room = (all: string, usable: string) => <span className="numeric">{t("cluster.node.room", { all, usable })}</span>;
  return (
    <Dialog width={900} title={t("cluster.node.title", { node: node.name })} footer={null} onCancel={onClose}>
      <div className="stack">
        <Definitions
          items={[
            { label: "CPU", value: room(node.cpu, node.allocatable_cpu) },
            { label: t("cluster.node.memory"), value: room(memory(node.memory), memory(node.allocatable_memory)) },
            { label: t("workload.pods"), value: pods.data ? <span className="numeric">{t("cluster.node.pods", { count: pods.data.items.length, limit: node.pods })}</span> : <span className="muted">—</span> },
            { label: t("cluster.node.system"), value: [node.operating_system, node.container_runtime, node.version].filter(Boolean).join(" · ") || "—" },
            { label: t("create.taints"), value: tags(node.taints) },
            { label: t("create.labels"), value: tags(Object.entries(node.labels).map(([key, value]) => (value ? `${key}=${value}` : key))) },
          ]}
        />
        {onMark && (
          <div>
            <Button size="small" icon={<EditOutlined aria-hidden="true" />} onClick={onMark}>
              {t("cluster.marks.edit")}
            </Button>
          </div>
        )}
        <section className="stack-small">
          <h3>{t("cluster.node.conditions")}</h3>
          <DataTable name={t("cluster.node.conditions")} columns={conditions} rows={node.conditions} rowKey={(condition) => condition.type} empty={<Empty title={t("cluster.healthNone")} />} />
        </section>
        <section className="stack-small">
          <h3>{t("workload.pods")}</h3>
          <DataTable name={t("workload.pods")} columns={columns} rows={pods.data?.items} rowKey={(pod) => `${pod.namespace}/${pod.name}`} error={pods.error} onRetry={() => void pods.refetch()} empty={<Empty title={t("workload.noPods")} />} />
        </section>
      </div>
    </Dialog>
  );
}
