// Holds the engine back from a cluster, or lets it go on with it.
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { resume } from "../../api/queue";
import type { Cluster } from "../../api/types";
import { useErrorText } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { useQueueDeed } from "./useQueueDeed";

const PauseDialog = lazy(() => import("./PauseDialog"));

export function PauseButton({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const notify = useToast();
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const deed = useQueueDeed(t("admin.queue.resumed"), undefined, (error) => notify(errorText(error), "bad"));
  const paused = cluster.paused?.everything === false;
  return (
    <>
      <Button
        size="small"
        loading={deed.isPending}
        aria-label={`${t(paused ? "admin.queue.resume" : "admin.queue.pause")} ${cluster.name}`}
        onClick={() => (paused ? deed.mutate(() => resume(cluster.id)) : setAsking(true))}
      >
        {t(paused ? "admin.queue.resume" : "admin.queue.pause")}
      </Button>
      <Suspense fallback={null}>{asking && <PauseDialog cluster={cluster} onClose={() => setAsking(false)} />}</Suspense>
    </>
  );
}
