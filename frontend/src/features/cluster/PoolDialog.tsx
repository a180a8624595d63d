// Adding a node pool to a cluster that is there.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { createPool } from "../../api/clusters";
import type { Cluster } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { nextPool, poolNameError, poolRequest } from "../create/draft";
import { focusField } from "../create/ErrorSummary";
import { PoolForm } from "../create/PoolForm";
import { useServerErrors } from "../create/usePlan";
import { useOperationStarted } from "./useOperationStarted";
import "../create/create.css";

/** Where the form's fields stand; the server names them without it. */
const PATH = "pool";

export default function PoolDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const there = cluster.spec.node_pools;
  const [pool, setPool] = useState(() => nextPool(there.map((known) => ({ name: known.name, flavor: known.flavor, rootVolumeGib: known.root_volume_gib ?? 20, volumeType: known.volume_type ?? "" }))));
  const create = useMutation({ mutationFn: () => createPool(cluster.id, poolRequest(pool)), onSuccess: useOperationStarted(cluster.id, onClose) });
  const said = useServerErrors(undefined, create.error);
  const errors = Object.fromEntries(Object.entries(said).map(([field, text]) => [`${PATH}.${field}`, text]));
  const wrong = poolNameError(pool.name, new Set(there.map((known) => known.name)));
  if (wrong) errors[`${PATH}.name`] = t(wrong);
  const submit = () => {
    if (wrong) focusField(`${PATH}.name`);
    else create.mutate();
  };
  return (
    <Dialog width={760} title={t("cluster.pools.addTo", { name: cluster.name })} okText={t("create.addPool")} cancelText={t("cluster.close")} okButtonProps={{ loading: create.isPending }} onOk={submit} onCancel={onClose}>
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
        {create.error && <Fault alert fault={faultOf(create.error)} />}
      </div>
    </Dialog>
  );
}
