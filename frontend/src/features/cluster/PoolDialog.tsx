// Adding a node pool to a cluster that is there.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { createPool, planPool } from "../../api/clusters";
import type { Check, Cluster } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { nextPool, poolNameError, poolRequest } from "../create/draft";
import { PoolForm } from "../create/PoolForm";
import { useServerErrors } from "../create/usePlan";
import { SizePlanView } from "./SizePlanView";
import { useOperationStarted } from "./useOperationStarted";
import { useSizePlan } from "./useSizePlan";
import "../create/create.css";

/** Where the form's fields stand; the server names them without it. */
const PATH = "pool";

/** A check names a field by its place in a specification whose one pool is this. */
const ofPool = (check: Check): Check => ({ ...check, field: check.field?.replace("spec.node_pools[0].", "") });

export default function PoolDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const there = cluster.spec.node_pools;
  const [pool, setPool] = useState(() => nextPool(there.map((known) => ({ name: known.name, flavor: known.flavor, rootVolumeGib: known.root_volume_gib ?? 20, volumeType: known.volume_type ?? "" }))));
  const create = useMutation({ mutationFn: () => createPool(cluster.id, poolRequest(pool)), onSuccess: useOperationStarted(cluster.id, onClose) });
  const wrong = poolNameError(pool.name, new Set(there.map((known) => known.name)));
  const planning = useSizePlan([cluster.id, "node-pools"], wrong || !pool.flavor ? null : poolRequest(pool), (wish) => planPool(cluster.id, wish));
  const said = useServerErrors(planning.plan?.checks.map(ofPool), create.error ?? planning.error);
  const errors = Object.fromEntries(Object.entries(said).map(([field, text]) => [`${PATH}.${field}`, text]));
  if (wrong) errors[`${PATH}.name`] = t(wrong);
  const fields = Object.keys(said);
  return (
    <Dialog
      width={760}
      title={t("cluster.pools.addTo", { name: cluster.name })}
      okText={t("create.addPool")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: !planning.ready, loading: create.isPending }}
      onOk={() => create.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t("cluster.pools.addText")}</p>
        <PoolForm
          pool={pool}
          version={cluster.spec.version}
          path={PATH}
          errors={errors}
          keyPairs={(cluster.spec.key_pairs ?? []).map((pair) => pair.name)}
          onChange={(part) => {
            setPool({ ...pool, ...part });
            create.reset();
          }}
        />
        {planning.asked ? <SizePlanView planning={planning} said={fields.length > 0 && !fields.some((field) => field.startsWith("spec."))} /> : <p className="muted">{t("cluster.pools.planWaits")}</p>}
        {create.error && <Fault alert fault={faultOf(create.error)} />}
      </div>
    </Dialog>
  );
}
