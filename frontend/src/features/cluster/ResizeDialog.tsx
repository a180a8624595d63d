// Resizing a pool: the new count, what it makes or takes away, what quota it needs.
import { useMutation, useQuery, keepPreviousData } from "@tanstack/react-query";
import { InputNumber } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { planResize, resizePool } from "../../api/clusters";
import type { ClusterNode, NodePool } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Loading } from "../../components/Page";
import { Fault, faultOf, LoadProblem } from "../../components/Problem";
import { NodeStatus } from "../../components/words";
import { CheckList, QuotaBars } from "../create/PlanPanel";
import { useDebounced, useServerErrors } from "../create/usePlan";
import { useOperationStarted } from "./useOperationStarted";

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
  const settled = useDebounced(count, 300);
  const changed = settled !== pool.desired;
  const plan = useQuery({
    queryKey: ["resize-plan", clusterId, pool.name, settled, remove],
    queryFn: () => planResize(clusterId, pool.name, settled, remove.slice(0, Math.max(0, pool.desired - settled))),
    enabled: changed,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const resize = useMutation({
    mutationFn: () => resizePool(clusterId, pool.name, count, remove),
    onSuccess: useOperationStarted(clusterId, onClose),
  });
  const errors = useServerErrors(plan.data?.checks, resize.error ?? plan.error);
  const planned = changed && !plan.error ? plan.data : undefined;
  return (
    <Dialog
      width={620}
      title={t("cluster.pools.resizeOf", { pool: pool.name })}
      okText={t("cluster.pools.resize")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: count === pool.desired || settled !== count || plan.isFetching || Boolean(plan.error) || planned?.blocked, loading: resize.isPending }}
      onOk={() => resize.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <Field label={t("create.count")} hint={t("cluster.pools.now", { count: pool.desired })} error={errors.count}>
          {(field) => <InputNumber {...field} min={0} max={100} precision={0} value={count} onChange={(next) => setCount(next ?? 0)} />}
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
        {changed && !plan.data && !plan.error && <Loading rows={3} />}
        {changed && plan.error && !errors.count && <LoadProblem error={plan.error} onRetry={() => void plan.refetch()} />}
        {planned && (
          <>
            {planned.removed.length > 0 && (
              <div className="fault fault-warn">
                <div className="fault-body">
                  <p className="fault-title">{t("cluster.pools.removes", { count: planned.removed.length })}</p>
                  <ul className="tags">
                    {planned.removed.map((node) => (
                      <li key={node} className="tag">
                        {node}
                      </li>
                    ))}
                  </ul>
                  <p>{t("cluster.pools.drains")}</p>
                </div>
              </div>
            )}
            {planned.checks.some((check) => check.level !== "ok") && <CheckList checks={planned.checks} />}
            {planned.to > planned.from && planned.quota.length > 0 && (
              <section>
                <h3>{t("create.quotaPreview")}</h3>
                <QuotaBars quota={planned.quota} withNeed />
              </section>
            )}
          </>
        )}
        {resize.error && <Fault alert fault={faultOf(resize.error)} />}
      </div>
    </Dialog>
  );
}
