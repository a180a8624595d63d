// Changing labels and taints of one node; those of Kubernetes and of KCS itself are left out.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { markNode } from "../../api/clusters";
import type { KubernetesNode, NodeMarks } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { LabelRows, TaintRows } from "../create/LabelRows";
import { useServerErrors } from "../create/usePlan";
import { changeOf, marksOf, type MarksDraft } from "./marks";
import "../create/create.css";

interface Props {
  clusterId: string;
  nodeId: string;
  node: KubernetesNode;
  onClose: () => void;
}

export default function MarksDialog({ clusterId, nodeId, node, onClose }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  /** As it was when the dialog opened: the node itself is read again and again. */
  const [before] = useState(() => marksOf(node));
  const [draft, setDraft] = useState(before);
  const change = changeOf(before, draft);
  const save = useMutation({
    mutationFn: (wish: NodeMarks) => markNode(clusterId, nodeId, wish),
    onSuccess: () => {
      notify(t("cluster.marks.saved", { node: node.name }));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ["kubernetes", clusterId, "nodes"] }),
  });
  const errors = Object.entries(useServerErrors(undefined, save.error));
  const wrong = (...fields: string[]) => errors.find(([at]) => fields.some((field) => at === field || at.startsWith(`${field}.`) || at.startsWith(`${field}[`)))?.[1];
  const edit = (part: Partial<MarksDraft>) => {
    setDraft({ ...draft, ...part });
    save.reset();
  };
  return (
    <Dialog
      width={760}
      title={t("cluster.marks.title", { node: node.name })}
      okText={t("cluster.marks.save")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: !change, loading: save.isPending }}
      onOk={() => change && save.mutate(change)}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t("cluster.marks.text")}</p>
        <LabelRows labels={draft.labels} error={wrong("labels")} onChange={(labels) => edit({ labels })} pool={node.name} />
        <TaintRows taints={draft.taints} error={wrong("taints", "remove_taints")} onChange={(taints) => edit({ taints })} pool={node.name} />
        {draft.taints.some((taint) => taint.effect === "NoExecute") && (
          <div className="fault fault-warn">
            <p className="fault-body">{t("cluster.marks.evicts")}</p>
          </div>
        )}
        {save.error && <Fault alert fault={faultOf(save.error)} />}
      </div>
    </Dialog>
  );
}
