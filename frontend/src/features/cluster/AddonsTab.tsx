// Add-ons: what runs in the cluster for it to be of use, which version, and how each is.
import { AppstoreOutlined } from "@ant-design/icons";
import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useAddons, useCluster } from "../../api/clusters";
import type { Addon, AddonState } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Status, type Tone } from "../../components/Status";

const stateTone: Record<AddonState, Tone> = { pending: "wait", progressing: "busy", ready: "ok", unknown: "unknown" };

export function AddonsTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const addons = useAddons(id);
  const phase = useCluster(id).data?.status.phase;
  // What was well once and is not any more has failed; while a cluster is made or changed nothing is red.
  const toneOf = (addon: Addon): Tone => (addon.state === "progressing" && (phase === "Running" || phase === "Degraded") ? "warn" : stateTone[addon.state]);
  const columns: Column<Addon>[] = [
    {
      key: "name",
      title: t("cluster.addons.name"),
      main: true,
      render: (addon) => (
        <div className="name-cell">
          <span>
            {t(`cluster.addons.nameOf.${addon.name}`)} {addon.essential && <span className="tag">{t("cluster.addons.essential")}</span>}
          </span>
          <span className="small muted">{t(`cluster.addons.textOf.${addon.name}`)}</span>
        </div>
      ),
    },
    { key: "state", title: t("clusters.col.status"), render: (addon) => <Status tone={toneOf(addon)}>{t(`status.addon.${addon.state}`)}</Status> },
    { key: "version", title: t("clusters.col.version"), render: (addon) => (addon.version ? <span className="numeric">{addon.version}</span> : <span className="muted">{t("cluster.addons.kubernetes")}</span>) },
    {
      key: "ready",
      title: t("cluster.addons.pods"),
      align: "right",
      render: (addon) =>
        addon.desired > 0 ? (
          <span className="numeric nowrap">
            {addon.ready} / {addon.desired}
          </span>
        ) : (
          <span className="muted">—</span>
        ),
    },
  ];
  return (
    <Card flush title={t("cluster.tab.addons")}>
      <div className="toolbar">
        <p className="muted">{t("cluster.addons.text")}</p>
      </div>
      <DataTable
        name={t("cluster.tab.addons")}
        columns={columns}
        rows={addons.data?.items}
        rowKey={(addon) => addon.name}
        error={addons.error}
        onRetry={() => void addons.refetch()}
        empty={<Empty icon={<AppstoreOutlined />} title={t("cluster.addons.none")} text={phase === "Provisioning" ? t("cluster.addons.noneYet") : t("cluster.addons.noneText")} />}
        detail={(addon) =>
          addon.state !== "ready" && addon.message ? (
            <figure className="fault-words">
              <figcaption>{t("cluster.addons.words")}</figcaption>
              <pre tabIndex={0}>{addon.message}</pre>
            </figure>
          ) : null
        }
      />
    </Card>
  );
}
