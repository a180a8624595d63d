// Volumes of workloads: each with its claim and persistent volume in the cluster, and with its disk in the cloud.
import { HddOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { useVolumes } from "../../api/storage";
import type { ClusterVolume } from "../../api/types";
import { CopyButton } from "../../components/Copy";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Status, type Tone } from "../../components/Status";
import { useStorageWord } from "./StorageClasses";

/** Kubernetes' words for a volume. */
const phaseTone: Record<string, Tone> = { Available: "ok", Bound: "ok", Pending: "busy", Released: "warn", Failed: "bad" };
/** Cinder's words for a disk. */
const diskTone = (status: string): Tone => (status === "in-use" || status === "available" ? "ok" : status.startsWith("error") ? "bad" : "busy");

export function Volumes({ clusterId }: { clusterId: string }) {
  const { t } = useTranslation();
  const word = useStorageWord();
  const volumes = useVolumes(clusterId);
  const { data } = volumes;
  const nothing = <span className="muted">—</span>;
  const columns: Column<ClusterVolume>[] = [
    {
      key: "claim",
      title: t("storage.claim"),
      main: true,
      render: ({ persistent_volume: inside, disk }) => (
        <div className="name-cell">
          <span className="break">{inside?.claim ?? disk?.claim ?? t("storage.noClaim")}</span>
          <span className="small muted break">{inside?.name ?? disk?.name}</span>
        </div>
      ),
    },
    {
      key: "phase",
      title: t("clusters.col.status"),
      render: ({ persistent_volume: inside }) => {
        if (inside) return <Status tone={phaseTone[inside.phase] ?? "unknown"}>{inside.phase}</Status>;
        return data?.api_reachable ? <Status tone="warn">{t("storage.notInCluster")}</Status> : nothing;
      },
    },
    { key: "size", title: t("storage.size"), align: "right", render: ({ persistent_volume: inside, disk }) => <span className="numeric nowrap">{disk ? `${disk.size_gib} GiB` : inside?.capacity}</span> },
    { key: "class", title: t("storage.class"), render: ({ persistent_volume: inside }) => (inside?.storage_class ? <span className="break">{inside.storage_class}</span> : nothing) },
    { key: "reclaim", title: t("storage.reclaim"), render: ({ persistent_volume: inside }) => (inside?.reclaim_policy ? word("reclaimOf", inside.reclaim_policy) : nothing) },
    {
      key: "disk",
      title: t("storage.disk"),
      render: ({ persistent_volume: inside, disk }) => {
        const id = disk?.id ?? inside?.handle;
        if (!id) return nothing;
        return (
          <div className="state-cell-narrow">
            {disk ? <Status tone={diskTone(disk.status)}>{disk.status}</Status> : <span className="small muted break">{inside?.driver}</span>}
            <span className="copyable">
              <code className="id">{id}</code>
              <CopyButton text={id} what={t("storage.diskOf", { name: inside?.name ?? disk?.name })} />
            </span>
          </div>
        );
      },
    },
  ];
  return (
    <>
      {data && !data.api_reachable && <Silent text={t("storage.apiSilent")} />}
      {data && !data.cloud_reachable && <Silent text={t("storage.cloudSilent")} />}
      <Card flush title={t("storage.volumes")}>
        <div className="toolbar">
          <p className="muted">{t("storage.volumesText")}</p>
        </div>
        <DataTable
          name={t("storage.volumes")}
          columns={columns}
          rows={data?.items}
          rowKey={({ persistent_volume: inside, disk }) => inside?.name ?? disk?.id ?? ""}
          error={volumes.error}
          onRetry={() => void volumes.refetch()}
          empty={<Empty icon={<HddOutlined />} title={t("storage.noVolumes")} text={t("storage.noVolumesText")} />}
        />
      </Card>
    </>
  );
}

/** Who of the two says nothing now. */
function Silent({ text }: { text: string }) {
  return (
    <div className="fault fault-warn">
      <p className="fault-body">{text}</p>
    </div>
  );
}
