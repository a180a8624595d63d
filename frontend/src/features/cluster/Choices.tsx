// What was chosen for a cluster and its pools beyond the usual; what was left as it is takes no line.
import { useTranslation } from "react-i18next";
import { useProjectNetworks } from "../../api/catalogue";
import type { Cluster, ClusterSpec, NodePool } from "../../api/types";
import { IDLE_SECONDS } from "../create/idle";

const seconds = (idle: number | undefined) => (idle === undefined || idle === IDLE_SECONDS ? "" : `${idle} s`);

/** Lines of the specification. */
export function useChoices(spec: ClusterSpec): { label: string; value: string }[] {
  const { t } = useTranslation();
  const { network, api, proxy } = spec;
  const place = network.existing;
  // By name where it is still there to be seen.
  const known = useProjectNetworks(Boolean(place)).data?.items.find((item) => item.id === place?.network_id);
  const subnet = known?.subnets.find((item) => item.id === place?.subnet_id);
  const comma = t("create.comma");
  const authorities = spec.ca_certificates?.length ?? 0;
  const lines: [string, string | null | undefined][] = [
    [t("create.network"), known?.name || place?.network_id],
    [t("create.subnet"), subnet?.name || place?.subnet_id],
    [t("create.dnsServers"), network.dns_servers.join(comma)],
    [t("create.provider"), api?.provider],
    [t("create.clientTimeout"), seconds(api?.client_timeout_seconds)],
    [t("create.memberTimeout"), seconds(api?.member_timeout_seconds)],
    [t("create.ntpServers"), spec.ntp_servers?.join(comma)],
    [t("create.httpProxy"), proxy?.http],
    [t("create.httpsProxy"), proxy?.https],
    [t("create.noProxy"), proxy?.no_proxy?.join(comma)],
    [t("create.registryMirror"), spec.registry_mirror],
    [t("create.caCertificates"), authorities > 0 ? t("cluster.authorities", { count: authorities }) : ""],
    [t("create.addon.isolate_namespaces"), spec.addons?.isolate_namespaces ? t("cluster.on") : ""],
  ];
  return lines.flatMap(([label, value]) => (value ? [{ label, value }] : []));
}

interface PoolProps {
  cluster: Cluster;
  pool: NodePool;
}

/** What the specification says of a pool; of the control plane where it is that. */
function workers({ cluster, pool }: PoolProps) {
  return pool.role === "master" ? undefined : cluster.spec.node_pools.find((known) => known.name === pool.name);
}

/** A pool's flavor, and what is particular about its servers. */
export function PoolMachines({ cluster, pool }: PoolProps) {
  const { t } = useTranslation();
  const own = workers({ cluster, pool });
  const said = pool.role === "master" ? cluster.spec.control_plane : own;
  return (
    <div className="state-cell-narrow">
      <span>{pool.flavor}</span>
      {said?.image && (
        <span className="small muted">
          {t("create.nodeImage")} {said.image}
        </span>
      )}
      {said?.key_pair && (
        <span className="small muted">
          {t("create.keyPair")} {said.key_pair}
        </span>
      )}
      {own?.anti_affinity === false && <span className="small muted">{t("cluster.pools.sharedHosts")}</span>}
    </div>
  );
}

/** The disks of a pool's nodes: where the system is, and what comes besides. */
export function PoolDisks({ cluster, pool }: PoolProps) {
  const { t } = useTranslation();
  const volumes = workers({ cluster, pool })?.data_volumes ?? [];
  return (
    <div className="state-cell-narrow">
      <span className="numeric">{pool.root_volume_gib === 0 ? t("cluster.pools.localDisk") : [`${pool.root_volume_gib} GiB`, pool.volume_type].filter(Boolean).join(" · ")}</span>
      {volumes.map((volume) => (
        <span key={volume.name} className="small muted numeric">
          {[volume.name, `${volume.size_gib} GiB`, volume.type, volume.mount_path].filter(Boolean).join(" · ")}
        </span>
      ))}
    </div>
  );
}
