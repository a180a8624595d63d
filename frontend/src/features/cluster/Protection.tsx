// Whether a cluster is protected against deletion, and switching it: on at once, off after a question.
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { may } from "../../api/permissions";
import type { Cluster } from "../../api/types";
import { Switch } from "../../components/Switch";
import { useSetting } from "./useSetting";

const Dialog = lazy(() => import("../../components/Dialog").then((part) => ({ default: part.Dialog })));

/** Switches the protection. */
export function useProtect(cluster: Cluster, onDone?: () => void) {
  const { t } = useTranslation();
  return useSetting(cluster, (settings) => t(settings.deletion_protection ? "cluster.protection.switchedOn" : "cluster.protection.switchedOff"), onDone);
}

export function Protection({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const on = cluster.spec.deletion_protection;
  const protect = useProtect(cluster, () => setAsking(false));
  const word = on ? t("cluster.on") : t("cluster.off");
  if (!may(cluster, "cluster_update") || cluster.status.phase === "Deleting") return word;
  return (
    <>
      <Switch
        on={on}
        busy={protect.isPending}
        label={t("create.protection")}
        word={word}
        hint={t("create.protectionHint")}
        onChange={(wanted) => {
          if (wanted) protect.mutate({ deletion_protection: true });
          else setAsking(true);
        }}
      />
      <Suspense fallback={null}>
        {asking && (
          <Dialog
            title={t("cluster.protection.offTitle", { name: cluster.name })}
            okText={t("cluster.protection.off")}
            cancelText={t("cluster.close")}
            okButtonProps={{ danger: true, type: "primary", loading: protect.isPending }}
            onOk={() => protect.mutate({ deletion_protection: false })}
            onCancel={() => setAsking(false)}
          >
            <p>{t("cluster.protection.offText")}</p>
          </Dialog>
        )}
      </Suspense>
    </>
  );
}
