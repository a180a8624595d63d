// The last lines of a node's console, as the cloud keeps them.

import { useTranslation } from "react-i18next";
import { useConsoleLog } from "../../api/clusters";
import type { ClusterNode } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Loading } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";

export default function ConsoleDialog({ clusterId, node, onClose }: { clusterId: string; node: ClusterNode; onClose: () => void }) {
  const { t } = useTranslation();
  const log = useConsoleLog(clusterId, node.id);
  return (
    <Dialog width={900} title={t("cluster.console.of", { node: node.name })} footer={null} onCancel={onClose}>
      {log.data ? (
        <pre className="console" tabIndex={0} aria-label={t("cluster.console.open")}>
          {log.data.text || t("cluster.console.empty")}
        </pre>
      ) : log.error ? (
        <LoadProblem error={log.error} onRetry={() => void log.refetch()} />
      ) : (
        <Loading rows={6} />
      )}
    </Dialog>
  );
}
