// What a create or resize would take and what stands against it: checks with their remedies, quota, objects.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Check, Cost, PlannedObject, QuotaNeed } from "../../api/types";
import { Bar } from "../../components/Bar";
import { Card, Loading } from "../../components/Page";
import { LoadProblem, useExplain } from "../../components/Problem";
import { StatusIcon, type Tone } from "../../components/Status";
import { useFormat } from "../../i18n/format";
import { CostBreakdown } from "../costs/Cost";
import { useCheckText } from "./usePlan";
import "./plan.css";

interface Plan {
  checks: Check[];
  /** The project's in KCS. */
  limits: QuotaNeed[];
  /** The project's in the cloud. */
  quota: QuotaNeed[];
  objects: PlannedObject[];
  /** Absent where the operator keeps no price list. */
  cost?: Cost | null;
  blocked: boolean;
}

interface Props {
  plan: Plan | undefined;
  error: unknown;
  /** Nothing can be planned before fields are corrected. */
  waits?: boolean;
  /** What is typed is newer than the plan shown. */
  stale: boolean;
  /** Checks of this field are left out: it has not been filled in yet. */
  without?: string;
  onRetry: () => void;
}

export function PlanPanel({ plan, error, waits, stale, without, onRetry }: Props) {
  const { t } = useTranslation();
  if (error && !plan) return <Card title={t("create.plan")}>{<LoadProblem error={error} onRetry={onRetry} />}</Card>;
  if (!plan)
    return (
      <Card title={t("create.plan")}>
        {waits ? <p className="muted">{t("create.planWaits")}</p> : <Loading rows={5} />}
      </Card>
    );
  const checks = plan.checks.filter((check) => !without || check.field !== without);
  return (
    <div className={`stack plan ${stale ? "plan-stale" : ""}`} aria-busy={stale}>
      <Card title={t("create.preflight")} extra={<Verdict checks={checks} />}>
        <CheckList checks={checks} />
      </Card>
      {plan.cost && (
        <Card title={t("cost.title")}>
          <CostBreakdown cost={plan.cost} />
        </Card>
      )}
      {plan.limits.length > 0 && (
        <Card title={t("quota.limits")}>
          <QuotaBars quota={plan.limits} withNeed />
        </Card>
      )}
      <Card title={t("create.quotaPreview")}>
        <QuotaBars quota={plan.quota} withNeed />
      </Card>
      <Card title={t("create.objects")}>
        <Objects objects={plan.objects} />
      </Card>
    </div>
  );
}

/** What stands against it is the project's in KCS, and can be asked for. */
const OF_LIMITS: ReadonlySet<string> = new Set(["KCS-QUOTA-002", "KCS-QUOTA-005", "KCS-QUOTA-006"]);

const levelTone: Record<Check["level"], Tone> = { ok: "ok", warning: "warn", blocked: "bad" };

function Verdict({ checks }: { checks: Check[] }) {
  const { t } = useTranslation();
  const blocked = checks.filter((check) => check.level === "blocked").length;
  return <span className={`small tone-${blocked ? "bad" : "ok"}`}>{blocked ? t("create.blocked", { count: blocked }) : t("create.passed")}</span>;
}

/** What is wrong first and in full; what is well in one line. */
export function CheckList({ checks }: { checks: Check[] }) {
  const { t, i18n } = useTranslation();
  const explain = useExplain();
  const checkText = useCheckText();
  const name = (check: Check) => (i18n.exists(`create.check.${check.key}`) ? t(`create.check.${check.key}`) : check.key);
  const wrong = checks.filter((check) => check.level !== "ok");
  const well = checks.filter((check) => check.level === "ok");
  return (
    <ul className="checks">
      {wrong.map((check, index) => (
        <li key={`${check.key}-${index}`}>
          <StatusIcon tone={levelTone[check.level]} />
          <div>
            <p>
              <strong>{name(check)}</strong> <span className={`small tone-${levelTone[check.level]}`}>{t(`create.level.${check.level}`)}</span>
            </p>
            <p>{checkText(check)}</p>
            {check.code && (
              <p className="small muted">
                {explain(check.code).remedy} <code>{check.code}</code>
                {OF_LIMITS.has(check.code) && (
                  <>
                    {" "}
                    <Link to="/quota">
                      {t("quota.toPage")}
                    </Link>
                  </>
                )}
              </p>
            )}
          </div>
        </li>
      ))}
      {well.length > 0 && (
        <li>
          <StatusIcon tone="ok" />
          <p>
            <span className="sr-only">{t("create.level.ok")}: </span>
            {well.map(name).join(t("create.comma"))}
          </p>
        </li>
      )}
    </ul>
  );
}

/** What people look at first, in this order; the rest follows as the server sends it. */
const MAIN = ["clusters", "nodes", "instances", "vcpus", "memory_gib", "ram_mib", "volumes", "volume_gib", "gigabytes", "floating_ips", "load_balancers"];

function rank(entry: QuotaNeed): number {
  const place = MAIN.indexOf(entry.resource);
  return place < 0 ? MAIN.length : place;
}

function share(entry: QuotaNeed, amount: number): number {
  return entry.limit === null || entry.limit === undefined || entry.limit === 0 ? 0 : (amount / entry.limit) * 100;
}

/** With what other operations under way will still take of it. */
const taken = (entry: QuotaNeed) => entry.used + entry.promised;

export function QuotaBars({ quota, withNeed }: { quota: QuotaNeed[]; withNeed: boolean }) {
  const { t, i18n } = useTranslation();
  const { amount, memory } = useFormat();
  const [all, setAll] = useState(false);
  const exceeds = (entry: QuotaNeed) => withNeed && typeof entry.limit === "number" && taken(entry) + entry.need > entry.limit;
  const shown = quota.filter((entry) => all || MAIN.includes(entry.resource) || exceeds(entry)).toSorted((a, b) => rank(a) - rank(b));
  const format = (entry: QuotaNeed, value: number) => (entry.resource === "ram_mib" ? memory(value) : amount(value));
  return (
    <>
      <ul className="quota">
        {shown.map((entry) => {
          const name = i18n.exists(`create.quota.${entry.resource}`) ? t(`create.quota.${entry.resource}`) : entry.resource;
          const over = exceeds(entry);
          const limit = entry.limit === null ? t("create.noLimit") : format(entry, entry.limit);
          return (
            <li key={entry.resource}>
              <div className="quota-line">
                <span>{name}</span>
                <span className="numeric">
                  {format(entry, entry.used)}
                  {withNeed && <strong className={over ? "tone-bad" : "tone-busy"}> + {format(entry, entry.need)}</strong>}
                  <span className="muted"> / {limit}</span>
                </span>
              </div>
              {typeof entry.limit === "number" && (
                <Bar name={name} value={share(entry, taken(entry))} extra={withNeed ? share(entry, entry.need) : 0} tone={over ? "bad" : share(entry, taken(entry)) > 90 ? "warn" : "busy"} />
              )}
              {entry.promised > 0 && <p className="small muted">{t("create.promised", { amount: format(entry, entry.promised) })}</p>}
              {over && typeof entry.limit === "number" && (
                <p className="small tone-bad">
                  <StatusIcon tone="bad" /> {t("create.over", { by: format(entry, taken(entry) + entry.need - entry.limit) })}
                </p>
              )}
            </li>
          );
        })}
      </ul>
      {quota.length > shown.length || all ? (
        <button type="button" className="text-button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t("create.fewerQuotas") : t("create.allQuotas", { count: quota.length })}
        </button>
      ) : null}
    </>
  );
}

function Objects({ objects }: { objects: PlannedObject[] }) {
  const { t } = useTranslation();
  const totals = new Map<string, number>();
  for (const object of objects) totals.set(object.kind, (totals.get(object.kind) ?? 0) + object.count);
  return (
    <ul className="object-counts">
      {[...totals].map(([kind, count]) => (
        <li key={kind}>
          <span>{t(`operation.kindOf.${kind}`)}</span>
          <span className="numeric">{count}</span>
        </li>
      ))}
    </ul>
  );
}
