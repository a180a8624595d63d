// How much work the engine has, and whether operators hold it back.
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { resume, useQueue } from "../../api/queue";
import type { Queue } from "../../api/types";
import { Card, Definitions, Loading } from "../../components/Page";
import { PausedNotice } from "../../components/PausedNotice";
import { LoadProblem, useErrorText } from "../../components/Problem";
import { Status } from "../../components/Status";
import { useToast } from "../../components/Toast";
import { useFormat } from "../../i18n/format";
import { useQueueDeed } from "./useQueueDeed";

const PauseDialog = lazy(() => import("./PauseDialog"));

export function QueueCard() {
  const { t } = useTranslation();
  const queue = useQueue(true);
  if (!queue.data) return <Card title={t("admin.queue.engine")}>{queue.error ? <LoadProblem error={queue.error} onRetry={() => void queue.refetch()} /> : <Loading rows={2} />}</Card>;
  return <Loaded queue={queue.data} />;
}

const FIGURES = ["pending", "running", "blocked", "in_work", "due", "paused_clusters"] as const;

function Loaded({ queue }: { queue: Queue }) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const notify = useToast();
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const deed = useQueueDeed(t("admin.queue.resumed"), undefined, (error) => notify(errorText(error), "bad"));
  const button = queue.paused ? (
    <Button type="primary" loading={deed.isPending} onClick={() => deed.mutate(() => resume(undefined))}>
      {t("admin.queue.resume")}
    </Button>
  ) : (
    <Button danger onClick={() => setAsking(true)}>
      {t("admin.queue.pauseAll")}
    </Button>
  );
  return (
    <Card title={t("admin.queue.engine")} extra={button}>
      <div className="stack">
        {queue.paused ? <PausedNotice pause={queue.paused} /> : <Status tone="ok">{t("admin.queue.working")}</Status>}
        <Definitions items={FIGURES.map((key) => ({ label: t(`admin.queue.figure.${key}`), value: <span className="numeric">{amount(queue[key])}</span> }))} />
      </div>
      <Suspense fallback={null}>{asking && <PauseDialog onClose={() => setAsking(false)} />}</Suspense>
    </Card>
  );
}
