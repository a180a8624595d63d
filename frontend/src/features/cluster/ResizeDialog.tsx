// Resizing a pool: the new count, what it makes or takes away, what quota it needs.
import { useMutation } from "@tanstack/react-query";
import { InputNumber } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { planResize, resizePool } from "../../api/clusters";
import type { ClusterNode, NodePool } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { NodeStatus } from "../../components/words";
import { useServerErrors } from "../create/usePlan";
import { SizePlanView } from "./SizePlanView";
import { useOperationStarted } from "./useOperationStarted";
import { useSizePlan } from "./useSizePlan";

interface Props {
  clusterId: string;
  pool: NodePool;
  /** Of the pool. */
  nodes: ClusterNode[];
  onClose: () => void;
}

export default function ResizeDialog({ clusterId, pool, nodes, onClose }: Props) {
  const { t } = useTranslation();
  const [count, setCount] = useState(pool.desired);
  /** Ids of nodes that shall leave first. */
  const [chosen, setChosen] = useState<string[]>([]);
  const fewer = Math.max(0, pool.desired - count);
  const remove = chosen.slice(0, fewer);
  const change = count === pool.desired ? null : { count, remove };
  const planning = useSizePlan([clusterId, "node-pools", pool.name], change, (wish) => planResize(clusterId, pool.name, wish.count, wish.remove));
  const resize = useMutation({
    mutationFn: () => resizePool(clusterId, pool.name, count, remove),
    onSuccess: useOperationStarted(clusterId, onClose),
  });
  const errors = useServerErrors(planning.plan?.checks, resize.error ?? planning.error);
  return (
    <Dialog
      width={620}
      title={t("cluster.pools.resizeOf", { pool: pool.name })}
      okText={t("cluster.pools.resize")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: !planning.ready, loading: resize.isPending }}
      onOk={() => resize.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <Field label={t("create.count")} hint={t("cluster.pools.now", { count: pool.desired })} error={errors.count}>
          {(field) => (
            <InputNumber
              {...field}
              min={0}
              precision={0}
              value={count}
              onChange={(next) => {
                setCount(next ?? 0);
                resize.reset();
              }}
            />
          )}
        </Field>
        {fewer > 0 && nodes.length > 0 && (
          <fieldset className="choices">
            <legend className="field-label">{t("cluster.pools.leaveFirst")}</legend>
            {nodes.map((node) => (
              <label key={node.id} className="check">
                <input
                  type="checkbox"
                  checked={remove.includes(node.id)}
                  disabled={!remove.includes(node.id) && remove.length >= fewer}
                  onChange={(event) => setChosen(event.target.checked ? [...remove, node.id] : remove.filter((id) => id !== node.id))}
                />
                <span className="row">
                  {node.name} <NodeStatus node={node} />
                </span>
              </label>
            ))}
            <p className="field-hint">{t("cluster.pools.leaveFirstHint", { count: fewer })}</p>
          </fieldset>
        )}
        <SizePlanView planning={planning} leaving={t("cluster.pools.drains")} said={errors.count !== undefined} />
        {resize.error && <Fault alert fault={faultOf(resize.error)} />}
      </div>
    </Dialog>
  );
}
