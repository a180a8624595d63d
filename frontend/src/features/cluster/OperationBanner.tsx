// At the top of a cluster's pages: the operation under way, or the one that failed.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ended, useOperation } from "../../api/operations";
import type { Cluster, OperationBrief } from "../../api/types";
import { Bar } from "../../components/Bar";
import { useExplain } from "../../components/Problem";
import { OperationStatus } from "../../components/words";

export function OperationBanner({ cluster }: { cluster: Cluster }) {
  const { operation } = cluster;
  if (!operation || operation.state === "succeeded" || operation.state === "cancelled") return null;
  return <Banner key={operation.id} brief={operation} name={cluster.name} />;
}

function Banner({ brief, name }: { brief: OperationBrief; name: string }) {
  const { t } = useTranslation();
  const explain = useExplain();
  const { operation: whole } = useOperation(brief.id);
  const state = whole?.state ?? brief.state;
  const progress = whole?.progress ?? brief.progress;
  const step = whole ? whole.steps.find((candidate) => candidate.state === "running")?.key : brief.step;
  if (state === "succeeded" || state === "cancelled") return null;
  const fault = whole?.fault;
  return (
    <section className={`operation-banner banner-${state}`} aria-label={t("cluster.operation")}>
      <div className="row">
        <strong>{t(`operation.kind.${brief.kind}`)}</strong>
        <OperationStatus state={state} />
        {fault ? (
          <span>
            {explain(fault.code, fault).title} <code className="muted">{fault.code}</code>
          </span>
        ) : (
          step && <span className="muted">{t(`operation.step.${step}`)}</span>
        )}
        <span className="banner-end">
          <span className="numeric">{progress}%</span>
          <Link to="/operations/$id" params={{ id: brief.id }}>
            {t("cluster.seeSteps")}
          </Link>
        </span>
      </div>
      {!ended(state) && <Bar value={progress} name={t("operation.progressOf", { name })} tone={state === "blocked" ? "warn" : "busy"} />}
    </section>
  );
}
