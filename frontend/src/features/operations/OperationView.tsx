// One operation as it goes: progress, steps, cause and remedy when it stands still, retry and cancel, and the receipt of a delete.
import { ReloadOutlined, StopOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { cancelOperation, ended, retryOperation, type Feed } from "../../api/operations";
import { useMayWith } from "../../api/permissions";
import type { Operation } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Bar } from "../../components/Bar";
import { Card, Definitions } from "../../components/Page";
import { PausedNotice } from "../../components/PausedNotice";
import { Fault, useErrorText } from "../../components/Problem";
import { Ago, Elapsed } from "../../components/Time";
import { useToast } from "../../components/Toast";
import { OperationStatus } from "../../components/words";
import { useFormat, useNow } from "../../i18n/format";
import { ReceiptCard } from "./Receipt";
import { Timeline } from "./Timeline";
import { usualRest } from "./timeline";
import "./operations.css";

export function OperationView({ operation, feed }: { operation: Operation; feed: Feed }) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <Announcer operation={operation} />
      {operation.paused && <PausedNotice pause={operation.paused} />}
      <ProgressCard operation={operation} feed={feed} />
      {operation.fault && operation.state !== "succeeded" && <FaultCard operation={operation} />}
      {operation.kind === "cluster_delete" && operation.state === "succeeded" && <ReceiptCard operation={operation} />}
      <Card title={t("operation.steps")}>
        <Timeline operation={operation} />
      </Card>
    </div>
  );
}

function ProgressCard({ operation, feed }: { operation: Operation; feed: Feed }) {
  const { t } = useTranslation();
  const { span } = useFormat();
  const now = useNow(1000, !ended(operation.state));
  const rest = usualRest(operation, now);
  const tone = operation.state === "succeeded" ? "ok" : operation.state === "failed" ? "bad" : operation.state === "blocked" ? "warn" : "busy";
  return (
    <Card>
      <div className="progress-head">
        <OperationStatus state={operation.state} />
        <span className="progress-percent numeric">{operation.progress}%</span>
        {rest !== null && <span className="small muted">{rest > 0 ? t("operation.rest", { span: span(rest) }) : t("operation.restSoon")}</span>}
        <span className="progress-feed small muted">{feed === "done" ? null : t(`operation.feed.${feed}`)}</span>
        <Actions operation={operation} />
      </div>
      <Bar value={operation.progress} tone={tone} name={t("operation.progressOf", { name: operation.cluster.name })} />
      <div className="progress-facts">
        <Definitions
          items={[
            { label: t("operation.by"), value: operation.created_by },
            { label: t("operation.asked"), value: <Ago time={operation.created_at} /> },
            {
              label: t("operation.took"),
              value: operation.started_at ? <Elapsed from={operation.started_at} to={ended(operation.state) ? (operation.finished_at ?? operation.started_at) : null} /> : t("operation.notStarted"),
            },
            ...(operation.retries > 0 ? [{ label: t("operation.retries"), value: <span className="numeric">{operation.retries}</span> }] : []),
            { label: t("operation.id"), value: <code>{operation.id}</code> },
          ]}
        />
      </div>
    </Card>
  );
}

function Actions({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const options = {
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ["operation", operation.id] }),
    onError: (error: unknown) => notify(errorText(error), "bad"),
  };
  const retry = useMutation({ mutationFn: () => retryOperation(operation.id), ...options });
  const cancel = useMutation({ mutationFn: () => cancelOperation(operation.id), ...options, onSettled: () => setAsking(false) });
  const stuck = operation.state === "failed" || operation.state === "blocked";
  const mayRetry = useMayWith(operation.cluster.id, "operation_retry", stuck) && stuck;
  // A creation is stopped by deleting the cluster, and a delete that was begun is finished: half a cluster is no use to anybody. Nor are two keys.
  const finishing = operation.kind === "encryption_key_rotate" && Boolean(operation.started_at);
  const stoppable = !ended(operation.state) && operation.kind !== "cluster_create" && operation.kind !== "cluster_delete" && !finishing;
  const mayCancel = useMayWith(operation.cluster.id, "operation_cancel", stoppable) && stoppable;
  if (!mayRetry && !mayCancel) return null;
  return (
    <div className="progress-actions">
      {mayRetry && (
        <Button type="primary" icon={<ReloadOutlined aria-hidden="true" />} loading={retry.isPending} onClick={() => retry.mutate()}>
          {t("operation.retry")}
        </Button>
      )}
      {mayCancel && (
        <Button icon={<StopOutlined aria-hidden="true" />} onClick={() => setAsking(true)}>
          {t("operation.cancel")}
        </Button>
      )}
      {asking && (
        <Dialog
          title={t("operation.cancelTitle")}
          okText={t("operation.cancel")}
          okButtonProps={{ danger: true, loading: cancel.isPending }}
          cancelText={t("operation.keepGoing")}
          onOk={() => cancel.mutate()}
          onCancel={() => setAsking(false)}
        >
          <p>{t("operation.cancelText")}</p>
        </Dialog>
      )}
    </div>
  );
}

function FaultCard({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const { fault } = operation;
  const now = useNow(1000, operation.state === "blocked");
  const { span } = useFormat();
  if (!fault) return null;
  const again = operation.next_attempt_at ? Math.max(0, (new Date(operation.next_attempt_at).getTime() - now) / 1000) : null;
  return (
    <div className="stack">
      <Fault
        alert
        tone={operation.state === "blocked" ? "warn" : "bad"}
        fault={{ code: fault.code, title: fault.title, remedy: fault.remedy, message: fault.message, object: fault.object, cloudRequestId: fault.cloud_request_id }}
        actions={again !== null && <span className="small muted numeric">{t("operation.looksAgain", { span: span(again) })}</span>}
      />
    </div>
  );
}

/** Reads out a change of step or outcome, nothing else. */
function Announcer({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const step = operation.steps.find((candidate) => candidate.state === "running");
  const words = ended(operation.state) || operation.state === "blocked" || !step ? t(`status.operation.${operation.state}`) : t(`operation.step.${step.key}`);
  const first = useRef(words);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (words !== first.current) setSaid(words);
  }, [words]);
  return (
    <p className="sr-only" role="status" aria-live="polite">
      {said}
    </p>
  );
}
