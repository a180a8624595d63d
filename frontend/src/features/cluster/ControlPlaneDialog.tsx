// Resizing the control plane: 1, 3 or 5 nodes, and what that means for the cluster's API.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { planControlPlane, resizeControlPlane } from "../../api/clusters";
import type { Cluster } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useServerErrors } from "../create/usePlan";
import { SizePlanView } from "./SizePlanView";
import { useOperationStarted } from "./useOperationStarted";
import { useSizePlan } from "./useSizePlan";
import { WayChoices } from "./WayChoices";

const SIZES = [1, 3, 5] as const;

export default function ControlPlaneDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const now = cluster.masters_desired;
  const [count, setCount] = useState(now);
  const started = useOperationStarted(cluster.id, onClose);
  const resize = useMutation({ mutationFn: () => resizeControlPlane(cluster.id, count), onSuccess: started });
  const planning = useSizePlan([cluster.id, "control-plane"], count === now ? null : count, (size) => planControlPlane(cluster.id, size));
  const errors = useServerErrors(planning.plan?.checks, resize.error ?? planning.error);
  return (
    <Dialog
      width={560}
      title={t("cluster.controlPlane.title", { name: cluster.name })}
      okText={t("cluster.pools.resize")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: !planning.ready, loading: resize.isPending }}
      onOk={() => resize.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t("cluster.controlPlane.text")}</p>
        <WayChoices
          name="masters"
          legend={<legend className="field-label">{t("create.masters")}</legend>}
          ways={SIZES}
          now={now}
          chosen={count}
          label={(size) => t("create.mastersOption", { count: size })}
          hint={(size) => t(`cluster.controlPlane.meaning.${size}`)}
          onChoose={(size) => {
            setCount(size);
            resize.reset();
          }}
        >
          {errors.count && <p className="field-error">{errors.count}</p>}
        </WayChoices>
        <SizePlanView planning={planning} leaving={t("cluster.controlPlane.leaving")} said={errors.count !== undefined} />
        {resize.error && !errors.count && <Fault alert fault={faultOf(resize.error)} />}
      </div>
    </Dialog>
  );
}
