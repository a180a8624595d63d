// What went wrong and what to do: our words by code, the cloud's own beside them, and the ids a support person asks for.
import { Button } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../api/client";
import type { Problem as ProblemBody } from "../api/types";
import { CopyButton } from "./Copy";
import { StatusIcon } from "./Status";

export interface Explained {
  code: string;
  title: string;
  remedy: string;
}

/** Title and remedy of a code in the reader's language; a code the console does not know keeps the server's English. */
export function useExplain() {
  const { t, i18n } = useTranslation();
  return (code: string, fallback: { title?: string; remedy?: string; params?: Record<string, unknown> } = {}): Explained => {
    const known = i18n.exists(`error.${code}.title`);
    return {
      code,
      title: known ? t(`error.${code}.title`) : fallback.title || t("error.unknown.title"),
      remedy: known ? t(`error.${code}.remedy`) : fallback.remedy || t("error.unknown.remedy"),
    };
  };
}

/** One line for an error of any kind. */
export function useErrorText() {
  const explain = useExplain();
  return (error: unknown): string => {
    if (!isApiError(error)) return explain("unknown").title;
    const { title, remedy } = explain(error.code, error.problem);
    return `${title} — ${remedy}`;
  };
}

export interface FaultWords {
  code: string;
  title?: string;
  remedy?: string;
  /** The cloud's or the node's own words. */
  message?: string | null;
  /** This occurrence, in the server's English. */
  detail?: string | null;
  object?: string | null;
  requestId?: string | null;
  cloudRequestId?: string | null;
}

export function faultOfProblem(problem: ProblemBody): FaultWords {
  return {
    code: problem.code,
    title: problem.title,
    remedy: problem.remedy,
    message: problem.cloud_message,
    detail: problem.detail !== problem.title ? problem.detail : null,
    requestId: problem.request_id,
    cloudRequestId: problem.cloud_request_id,
  };
}

/** Of an error of any kind. */
export function faultOf(error: unknown): FaultWords {
  return isApiError(error) ? faultOfProblem(error.problem) : { code: "unknown", detail: error instanceof Error ? error.message : null };
}

interface FaultProps {
  fault: FaultWords;
  tone?: "bad" | "warn";
  actions?: ReactNode;
  /** Announce it when it appears. */
  alert?: boolean;
}

export function Fault({ fault, tone = "bad", actions, alert }: FaultProps) {
  const { t } = useTranslation();
  const explain = useExplain();
  const { title, remedy } = explain(fault.code, { title: fault.title, remedy: fault.remedy });
  const ids = [
    fault.requestId ? { label: t("error.requestId"), value: fault.requestId } : null,
    fault.cloudRequestId ? { label: t("error.cloudRequestId"), value: fault.cloudRequestId } : null,
  ].filter((entry) => entry !== null);
  return (
    <div className={`fault fault-${tone}`} role={alert ? "alert" : undefined}>
      <StatusIcon tone={tone} />
      <div className="fault-body">
        <p className="fault-title">
          {title} <code className="fault-code">{fault.code}</code>
        </p>
        <p className="fault-remedy">{remedy}</p>
        {fault.object && (
          <p className="fault-detail">
            {t("error.object")} <code>{fault.object}</code>
          </p>
        )}
        {fault.message && (
          <figure className="fault-words">
            <figcaption>{t("error.ownWords")}</figcaption>
            <pre tabIndex={0}>{fault.message}</pre>
          </figure>
        )}
        {!fault.message && fault.detail && <p className="fault-detail">{fault.detail}</p>}
        {ids.length > 0 && (
          <dl className="fault-ids">
            {ids.map((entry) => (
              <div key={entry.label}>
                <dt>{entry.label}</dt>
                <dd>
                  <code>{entry.value}</code>
                  <CopyButton text={entry.value} what={entry.label} />
                </dd>
              </div>
            ))}
          </dl>
        )}
        {actions && <div className="fault-actions">{actions}</div>}
      </div>
    </div>
  );
}

/** An error in place of what could not be loaded. */
export function LoadProblem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  return (
    <Fault
      alert
      fault={faultOf(error)}
      actions={
        onRetry && (
          <Button size="small" onClick={onRetry}>
            {t("common.tryAgain")}
          </Button>
        )
      }
    />
  );
}
