// Resizing a pool: the new count, what it makes or takes away, what quota it needs.
import { useMutation, useQueryClient, useQuery, keepPreviousData } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { InputNumber } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { planResize, resizePool } from "../../api/clusters";
import type { NodePool } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Loading } from "../../components/Page";
import { Fault, faultOfProblem, LoadProblem } from "../../components/Problem";
import { CheckList, QuotaBars } from "../create/PlanPanel";
import { useDebounced, useServerErrors } from "../create/usePlan";

export default function ResizeDialog({ clusterId, pool, onClose }: { clusterId: string; pool: NodePool; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [count, setCount] = useState(pool.desired);
  const settled = useDebounced(count, 300);
  const changed = settled !== pool.desired;
  const plan = useQuery({
    queryKey: ["resize-plan", clusterId, pool.name, settled],
    queryFn: () => planResize(clusterId, pool.name, settled),
    enabled: changed,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const resize = useMutation({
    mutationFn: () => resizePool(clusterId, pool.name, count),
    onSuccess: (answer) => {
      void queryClient.invalidateQueries({ queryKey: ["cluster", clusterId] });
      onClose();
      void navigate({ to: "/operations/$id", params: { id: answer.operation.id } });
    },
  });
  const errors = useServerErrors(plan.data?.checks, resize.error ?? plan.error);
  const problem = isApiError(resize.error) ? resize.error.problem : null;
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
        {resize.error && <Fault alert fault={problem ? faultOfProblem(problem) : { code: "unknown" }} />}
      </div>
    </Dialog>
  );
}
