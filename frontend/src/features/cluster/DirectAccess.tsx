// Whether certificates lead past the gate to a cluster, and switching that: off at once, on after a question.
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { may } from "../../api/permissions";
import type { Cluster } from "../../api/types";
import { Switch } from "../../components/Switch";
import { useSetting } from "./useSetting";

const Dialog = lazy(() => import("../../components/Dialog").then((part) => ({ default: part.Dialog })));

export function DirectAccess({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const on = cluster.spec.direct_access === true;
  const setting = useSetting(cluster, (settings) => t(settings.direct_access ? "cluster.direct.switchedOn" : "cluster.direct.switchedOff"), () => setAsking(false));
  const word = on ? t("cluster.on") : t("cluster.off");
  if (!may(cluster, "cluster_update") || cluster.status.phase === "Deleting") return word;
  return (
    <>
      <Switch
        on={on}
        busy={setting.isPending}
        label={t("cluster.direct.label")}
        word={word}
        hint={t("cluster.direct.hint")}
        onChange={(wanted) => {
          if (wanted) setAsking(true);
          else setting.mutate({ direct_access: false });
        }}
      />
      <Suspense fallback={null}>
        {asking && (
          <Dialog
            title={t("cluster.direct.onTitle", { name: cluster.name })}
            okText={t("cluster.direct.on")}
            cancelText={t("cluster.close")}
            okButtonProps={{ danger: true, type: "primary", loading: setting.isPending }}
            onOk={() => setting.mutate({ direct_access: true })}
            onCancel={() => setAsking(false)}
          >
            <p>{t("cluster.direct.onText")}</p>
          </Dialog>
        )}
      </Suspense>
    </>
  );
}
