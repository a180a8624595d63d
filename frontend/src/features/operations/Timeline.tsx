// The steps of an operation: each with state, time taken against the usual, parts done, what it waits for, and the cloud objects behind it.
import { RightOutlined } from "@ant-design/icons";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Operation, Step } from "../../api/types";
import { Fault } from "../../components/Problem";
import { Status, StatusIcon, type Tone } from "../../components/Status";
import { Elapsed } from "../../components/Time";
import { useFormat, useNow } from "../../i18n/format";
import { isSlow, lookTone, opensItself, stepLook } from "./timeline";

export function Timeline({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const now = useNow(1000, operation.state === "running");
  return (
    <ol className="timeline" aria-label={t("operation.steps")}>
      {operation.steps.map((step) => (
        <TimelineStep key={step.key} step={step} operation={operation} now={now} />
      ))}
    </ol>
  );
}

function TimelineStep({ step, operation, now }: { step: Step; operation: Operation; now: number }) {
  const { t, i18n } = useTranslation();
  const { span } = useFormat();
  const look = stepLook(step, operation);
  const resources = step.resources ?? [];
  // The fault that stops the whole operation stands above the steps already.
  const fault = step.fault && !(step.fault.code === operation.fault?.code && step.fault.message === operation.fault.message) ? step.fault : null;
  const [chosen, setChosen] = useState<boolean | null>(null);
  const hasMore = resources.length > 0 || Boolean(fault);
  const open = hasMore && (chosen ?? opensItself(look));
  const slow = isSlow(step, now);
  const waitingKey = step.waiting_for ? `operation.waiting.${step.waiting_for}` : "";
  const sentence = waitingKey ? (i18n.exists(waitingKey) ? t(waitingKey) : step.waiting_for) : null;
  const name = t(`operation.step.${step.key}`);
  return (
    <li className={`timeline-step look-${look}`} aria-current={look === "running" ? "step" : undefined}>
      <div className="timeline-mark">
        <StatusIcon tone={lookTone[look]} />
      </div>
      <div className="timeline-body">
        <div className="timeline-line">
          <h3>{name}</h3>
          <span className={`tone-${lookTone[look]} small`}>{t(`status.step.${look}`)}</span>
          {slow && <span className="tag tag-warn">{t("operation.slow")}</span>}
          {step.total > 1 && (
            <span className="small muted numeric">
              {t("operation.parts", { done: step.done, total: step.total })}
            </span>
          )}
          <span className="timeline-time small muted numeric">
            {step.started_at && look !== "pending" && (
              <>
                <Elapsed from={step.started_at} to={look === "running" || look === "blocked" ? null : (step.finished_at ?? operation.finished_at ?? step.started_at)} />
                <span aria-hidden="true"> · </span>
              </>
            )}
            {t("operation.usual", { span: span(step.usual_seconds) })}
          </span>
        </div>
        {sentence && look === "running" && <p className="small muted">{sentence}</p>}
        {hasMore && (
          <button type="button" className={`disclosure ${open ? "open" : ""}`} aria-expanded={open} onClick={() => setChosen(!open)}>
            <RightOutlined aria-hidden="true" />
            {resources.length > 0 ? t("operation.objects", { count: resources.length }) : t("operation.details")}
            <span className="sr-only">{name}</span>
          </button>
        )}
        {open && (
          <div className="timeline-more">
            {fault && (look === "running" || look === "failed" || look === "blocked") && (
              <Fault tone={look === "failed" ? "bad" : "warn"} fault={{ code: fault.code, message: fault.message, object: fault.object, cloudRequestId: fault.cloud_request_id }} />
            )}
            {resources.length > 0 && (
              <ul className="step-objects">
                {resources.map((resource) => (
                  <li key={`${resource.kind}/${resource.name}`}>
                    <span className="step-object-kind">{t(`operation.kindOf.${resource.kind}`)}</span>
                    <span className="break">
                      {resource.name}
                      {resource.cloud_id && <code className="id"> {resource.cloud_id}</code>}
                    </span>
                    <ObjectState state={resource.state} />
                  </li>
                ))}
              </ul>
            )}
          </div>
        )}
      </div>
    </li>
  );
}

const objectTone: Record<string, Tone> = {
  pending: "busy",
  failed: "bad",
  off: "warn",
  ready: "ok",
  drifted: "warn",
  intended: "wait",
  unknown: "unknown",
  known: "ok",
  deleting: "busy",
  gone: "off",
  ambiguous: "bad",
};

function ObjectState({ state }: { state: string }) {
  const { t, i18n } = useTranslation();
  const key = [`status.object.${state}`, `status.resource.${state}`].find((candidate) => i18n.exists(candidate));
  return <Status tone={objectTone[state] ?? "unknown"}>{key ? t(key) : state}</Status>;
}
