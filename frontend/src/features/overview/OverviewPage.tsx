// The first page: clusters by state, what runs now, what is left of the quota, and the way in for whoever has no cluster yet.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useVersions } from "../../api/catalogue";
import { planCluster, useClusters } from "../../api/clusters";
import { useCosts } from "../../api/costs";
import { running, useOperations } from "../../api/operations";
import { useGuest, useMay } from "../../api/permissions";
import { useSession } from "../../api/session";
import { useTemplates } from "../../api/templates";
import type { Cluster, Operation, Phase } from "../../api/types";
import { Bar } from "../../components/Bar";
import { Card, Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Status, StatusIcon } from "../../components/Status";
import { Elapsed } from "../../components/Time";
import { OperationStatus, phaseTone } from "../../components/words";
import { useFormat } from "../../i18n/format";
import { CreateLink, NoClusters } from "../clusters/ClusterListPage";
import { CostFigures } from "../costs/Cost";
import { QuotaBars } from "../create/PlanPanel";
import { standInName } from "../create/draft";
import "./overview.css";

export function OverviewPage() {
  const { t } = useTranslation();
  const session = useSession();
  const mayCreate = useMay("cluster_create");
  const guest = useGuest();
  const clusters = useClusters({ limit: 200 });
  const operations = useOperations({ limit: 50 });
  const items = clusters.data?.items;
  return (
    <Page title={t("overview.title")} description={t(guest ? "overview.guestDescription" : "overview.description", { project: session.project.name })} actions={mayCreate && <CreateLink />}>
      {!items ? (
        <Card>{clusters.error ? <LoadProblem error={clusters.error} onRetry={() => void clusters.refetch()} /> : <Loading />}</Card>
      ) : items.length === 0 ? (
        mayCreate ? (
        <FirstSteps />
      ) : (
        <Card>
          <NoClusters />
        </Card>
      )
      ) : (
        <PhaseCounts clusters={items} more={Boolean(clusters.data?.next_cursor)} />
      )}
      <div className="overview-columns">
        <Card title={t("overview.running")} extra={<Link to="/operations">{t("overview.allOperations")}</Link>}>
          <RunningList operations={operations.data?.items.filter((operation) => running(operation.state))} error={operations.error} />
        </Card>
        <div className="stack">
          <CostCard />
          {mayCreate && <QuotaCard />}
          {mayCreate && <ImagesCard />}
        </div>
      </div>
    </Page>
  );
}

const PHASES: Phase[] = ["Running", "Provisioning", "Updating", "Degraded", "Failed", "Deleting"];

function PhaseCounts({ clusters, more }: { clusters: Cluster[]; more: boolean }) {
  const { t } = useTranslation();
  return (
    <Card title={t("overview.clusters")} extra={<Link to="/clusters">{t("overview.allClusters")}</Link>}>
      <ul className="phase-counts">
        <li>
          <Link to="/clusters" search={{}}>
            <span className="phase-count numeric">
              {clusters.length}
              {more ? "+" : ""}
            </span>
            <span className="muted">{t("overview.total")}</span>
          </Link>
        </li>
        {PHASES.map((phase) => {
          const count = clusters.filter((cluster) => cluster.status.phase === phase).length;
          return (
            <li key={phase}>
              <Link to="/clusters" search={{ phase }}>
                <span className="phase-count numeric">{count}</span>
                {count > 0 ? (
                  <Status tone={phaseTone[phase]}>{t(`status.phase.${phase}`)}</Status>
                ) : (
                  <span className="muted">{t(`status.phase.${phase}`)}</span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function RunningList({ operations, error }: { operations: Operation[] | undefined; error: unknown }) {
  const { t } = useTranslation();
  if (!operations) return error ? <LoadProblem error={error} /> : <Loading rows={2} />;
  if (operations.length === 0) return <p className="muted">{t("overview.nothingRuns")}</p>;
  return (
    <ul className="running-list">
      {operations.map((operation) => {
        const step = operation.steps.find((candidate) => candidate.state === "running");
        return (
          <li key={operation.id}>
            <div className="row">
              <Link to="/operations/$id" params={{ id: operation.id }}>
                {t(`operation.kind.${operation.kind}`)} · {operation.cluster.name}
              </Link>
              <OperationStatus state={operation.state} />
              <span className="small muted running-time">
                <span className="numeric">{operation.progress}%</span>
                {operation.started_at && (
                  <>
                    {" · "}
                    <Elapsed from={operation.started_at} />
                  </>
                )}
              </span>
            </div>
            <Bar value={operation.progress} name={t("operation.progressOf", { name: operation.cluster.name })} tone={operation.state === "blocked" ? "warn" : "busy"} />
            {step && <span className="small muted">{t(`operation.step.${step.key}`)}</span>}
          </li>
        );
      })}
    </ul>
  );
}

/** Use and limits of the project, with what the first template would add. */
function QuotaCard() {
  const { t } = useTranslation();
  const templates = useTemplates();
  const template = templates.data?.items[0];
  const plan = useQuery({
    queryKey: ["quota", template?.id],
    queryFn: () => planCluster({ name: standInName(), template: template?.id }),
    enabled: template !== undefined,
    staleTime: 20_000,
    refetchInterval: 60_000,
  });
  const error = plan.error ?? templates.error;
  return (
    <Card title={t("overview.quota")} extra={<Link to="/quota">{t("quota.title")}</Link>}>
      {plan.data ? <QuotaBars quota={plan.data.quota} withNeed={false} /> : error ? <LoadProblem error={error} onRetry={() => void plan.refetch()} /> : <Loading rows={4} />}
    </Card>
  );
}

/** What all clusters cost together, and which of them most; nothing where there is no price list. */
function CostCard() {
  const { t } = useTranslation();
  const { money } = useFormat();
  const guest = useGuest();
  const { data, error, refetch } = useCosts();
  const title = t(guest ? "cost.title" : "cost.ofProject");
  if (error && !data) return <Card title={title}>{<LoadProblem error={error} onRetry={() => void refetch()} />}</Card>;
  if (!data?.currency || typeof data.per_hour !== "number") return null;
  // Nothing is told of clusters of which only namespaces are seen.
  if (guest && data.clusters.length === 0) return null;
  const { currency } = data;
  const most = data.clusters.toSorted((a, b) => b.per_hour - a.per_hour).slice(0, 3);
  return (
    <Card title={title}>
      <div className="cost">
        <CostFigures perHour={data.per_hour} currency={currency} unpriced={[...new Set(data.clusters.flatMap((cluster) => cluster.unpriced))]} />
        {data.clusters.length > 1 && (
          <>
            <h3>{t("cost.most")}</h3>
            <ul className="cost-lines cost-clusters">
              {most.map((cluster) => (
                <li key={cluster.id}>
                  <Link to="/clusters/$id" params={{ id: cluster.id }} className="break">
                    {cluster.name}
                  </Link>
                  <span className="numeric">{money(cluster.per_hour, currency, 4)}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Card>
  );
}

/** Node images that are not ready yet: nothing can be created from them until they are. */
function ImagesCard() {
  const { t } = useTranslation();
  const versions = useVersions();
  const waiting = versions.data?.items.filter((version) => version.image_status !== "active") ?? [];
  if (waiting.length === 0) return null;
  return (
    <Card title={t("overview.images")}>
      <ul className="running-list">
        {waiting.map((version) => (
          <li key={version.version}>
            <div className="row">
              <span>{version.version}</span>
              <Status tone={version.image_status === "missing" ? "warn" : "busy"}>{version.image_status === "missing" ? t("create.image.missing") : t("create.image.preparing")}</Status>
              {typeof version.image_progress === "number" && <span className="small muted numeric running-time">{version.image_progress}%</span>}
            </div>
            {typeof version.image_progress === "number" && <Bar value={version.image_progress} name={t("overview.imageOf", { version: version.version })} />}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** For whoever may create clusters. */
function FirstSteps() {
  const { t } = useTranslation();
  const templates = useTemplates();
  const template = templates.data?.items[0];
  const plan = useQuery({
    queryKey: ["quota", template?.id],
    queryFn: () => planCluster({ name: standInName(), template: template?.id }),
    enabled: template !== undefined,
    staleTime: 20_000,
  });
  const enough = plan.data ? !plan.data.blocked : null;
  return (
    <Card title={t("overview.first.title")}>
      <ol className="first-steps">
        <li>
          <span className="first-number numeric" aria-hidden="true">
            1
          </span>
          <div>
            <h3>{t("overview.first.quota")}</h3>
            <p className="muted">{t("overview.first.quotaText")}</p>
            {enough !== null && (
              <p className={`first-result tone-${enough ? "ok" : "warn"}`}>
                <StatusIcon tone={enough ? "ok" : "warn"} /> {enough ? t("overview.first.quotaOk") : t("overview.first.quotaShort")}
              </p>
            )}
          </div>
        </li>
        <li>
          <span className="first-number numeric" aria-hidden="true">
            2
          </span>
          <div>
            <h3>{t("overview.first.template")}</h3>
            <p className="muted">{t("overview.first.templateText", { count: templates.data?.items.length ?? 0 })}</p>
          </div>
        </li>
        <li>
          <span className="first-number numeric" aria-hidden="true">
            3
          </span>
          <div>
            <h3>{t("overview.first.create")}</h3>
            <p className="muted">{t("overview.first.createText")}</p>
          </div>
        </li>
      </ol>
      <div className="first-action">
        <CreateLink />
      </div>
    </Card>
  );
}
