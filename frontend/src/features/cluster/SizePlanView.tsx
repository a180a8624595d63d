// What a change of a cluster's size comes to: nodes that leave, what stands against it, quota, what the cluster will cost.
import { useTranslation } from "react-i18next";
import { Loading } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { CostBreakdown } from "../costs/Cost";
import { CheckList, QuotaBars } from "../create/PlanPanel";
import type { SizePlanning } from "./useSizePlan";

interface Props {
  planning: SizePlanning;
  /** What becomes of nodes that leave. */
  leaving?: string;
  /** All that is wrong with the request is said at the form's fields already. */
  said: boolean;
}

export function SizePlanView({ planning: { asked, plan, error, stale, retry }, leaving, said }: Props) {
  const { t } = useTranslation();
  if (!asked || (error && said)) return null;
  if (error) return <LoadProblem error={error} onRetry={retry} />;
  if (!plan) return <Loading rows={3} />;
  return (
    <div className="stack plan" aria-busy={stale}>
      {plan.removed.length > 0 && (
        <div className="fault fault-warn">
          <div className="fault-body">
            <p className="fault-title">{t("cluster.pools.removes", { count: plan.removed.length })}</p>
            <ul className="tags">
              {plan.removed.map((node) => (
                <li key={node} className="tag">
                  {node}
                </li>
              ))}
            </ul>
            {leaving && <p>{leaving}</p>}
          </div>
        </div>
      )}
      {plan.checks.some((check) => check.level !== "ok") && <CheckList checks={plan.checks} />}
      {plan.to > plan.from && plan.limits.length > 0 && (
        <section>
          <h3>{t("quota.limits")}</h3>
          <QuotaBars quota={plan.limits} withNeed />
        </section>
      )}
      {plan.to > plan.from && plan.quota.length > 0 && (
        <section>
          <h3>{t("create.quotaPreview")}</h3>
          <QuotaBars quota={plan.quota} withNeed />
        </section>
      )}
      {plan.cost && (
        <section>
          <h3>{t("cost.after")}</h3>
          <CostBreakdown cost={plan.cost} />
        </section>
      )}
    </div>
  );
}
