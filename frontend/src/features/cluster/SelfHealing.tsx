// Who repairs a cluster: it does by itself, or people do; either can be chosen at any time.
import { useTranslation } from "react-i18next";
import { may } from "../../api/permissions";
import type { Cluster } from "../../api/types";
import { Switch } from "../../components/Switch";
import { useSetting } from "./useSetting";

export function SelfHealing({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const repair = cluster.spec.repair ?? "automatic";
  const setting = useSetting(cluster, (settings) => t(settings.repair === "manual" ? "cluster.selfHealing.switchedOff" : "cluster.selfHealing.switchedOn"));
  const word = t(`create.repairOf.${repair}`);
  if (!may(cluster, "cluster_update") || cluster.status.phase === "Deleting") return word;
  return (
    <Switch
      on={repair === "automatic"}
      busy={setting.isPending}
      label={t("create.repair")}
      word={word}
      hint={t("create.repairHint")}
      onChange={(on) => setting.mutate({ repair: on ? "automatic" : "manual" })}
    />
  );
}
