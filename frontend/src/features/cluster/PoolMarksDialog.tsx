// Giving a node pool other labels and taints: its nodes have them at once, and those that come from the start.
import { useTranslation } from "react-i18next";
import { markPool } from "../../api/clusters";
import type { NodePool } from "../../api/types";
import { poolMarks } from "./marks";
import { MarksDialog } from "./MarksDialog";

export default function PoolMarksDialog({ clusterId, pool, onClose }: { clusterId: string; pool: NodePool; onClose: () => void }) {
  const { t } = useTranslation();
  const now = { labels: Object.entries(pool.labels).map(([key, value]) => ({ key, value })), taints: pool.taints };
  return (
    <MarksDialog
      name={pool.name}
      text={t("cluster.marks.poolText")}
      now={now}
      save={(_, draft) => markPool(clusterId, pool.name, poolMarks(draft))}
      stale={[["cluster", clusterId], ["kubernetes", clusterId, "nodes"]]}
      onClose={onClose}
    />
  );
}
