// Changing labels and taints of one node. What others change of it meanwhile is left alone.
import { useTranslation } from "react-i18next";
import { markNode } from "../../api/clusters";
import type { KubernetesNode } from "../../api/types";
import { changeOf, marksOf } from "./marks";
import { MarksDialog } from "./MarksDialog";

interface Props {
  clusterId: string;
  nodeId: string;
  node: KubernetesNode;
  onClose: () => void;
}

export default function NodeMarksDialog({ clusterId, nodeId, node, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <MarksDialog
      name={node.name}
      text={t("cluster.marks.text")}
      now={marksOf(node)}
      save={(before, draft) => markNode(clusterId, nodeId, changeOf(before, draft) ?? {})}
      stale={[["kubernetes", clusterId, "nodes"]]}
      onClose={onClose}
    />
  );
}
