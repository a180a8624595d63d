// Asks before all kubeconfigs of a cluster are revoked, or all of one person in it.
import { useTranslation } from "react-i18next";
import { revokeAllKubeconfigs } from "../../api/clusters";
import type { Cluster, Kubeconfig } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";

export interface Person {
  id: string;
  name: string;
}

interface Props {
  cluster: Cluster;
  /** Whose; none: everybody's. */
  person?: Person;
  /** Those that are good now and will not be. */
  kubeconfigs: Kubeconfig[];
  onClose: () => void;
}

/** How many each of the owners has. */
function owners(kubeconfigs: Kubeconfig[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { created_by: owner } of kubeconfigs) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return [...counts];
}

export default function RevokeAllDialog({ cluster, person, kubeconfigs, onClose }: Props) {
  const { t } = useTranslation();
  const concerned = person === undefined ? owners(kubeconfigs).map(([owner, count]) => ({ key: owner, label: t("kubeconfig.ownerHas", { owner, count }) })) : kubeconfigs.map(({ id, name }) => ({ key: id, label: name || id }));
  return (
    <ConfirmDialog
      title={t("kubeconfig.revokeAllTitle", { of: person?.name ?? cluster.name })}
      submit={t("kubeconfig.revokeAll")}
      act={() => revokeAllKubeconfigs(cluster.id, person?.id)}
      done={({ count }) => t("kubeconfig.revokedAll", { count })}
      stale={[["cluster", cluster.id, "kubeconfigs"]]}
      onClose={onClose}
    >
      <div className="fault fault-warn">
        <div className="fault-body">
          <p className="fault-title">{t("kubeconfig.revokesAll", { count: kubeconfigs.length })}</p>
          <ul className="tags">
            {concerned.map(({ key, label }) => (
              <li key={key} className="tag">
                {label}
              </li>
            ))}
          </ul>
        </div>
      </div>
      <p>{t("kubeconfig.revokeAllText")}</p>
    </ConfirmDialog>
  );
}
