// A form of labels and taints; those of Kubernetes and of KCS itself are not in it.
import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { LabelRows, TaintRows } from "../create/LabelRows";
import { useServerErrors } from "../create/usePlan";
import { changeOf, type MarksDraft } from "./marks";
import "../create/create.css";

interface Props {
  /** Whose they are. */
  name: string;
  text: string;
  /** As they are when the dialog opens: what is behind it is read again and again. */
  now: MarksDraft;
  /** `before`: what the form began with. */
  save: (before: MarksDraft, draft: MarksDraft) => Promise<unknown>;
  /** What is read anew afterwards. */
  stale: QueryKey[];
  onClose: () => void;
}

export function MarksDialog({ name, text, now, save, stale, onClose }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const [before] = useState(now);
  const [draft, setDraft] = useState(before);
  const act = useMutation({
    mutationFn: () => save(before, draft),
    onSuccess: () => {
      notify(t("cluster.marks.saved", { name }));
      onClose();
    },
    onSettled: () => {
      for (const queryKey of stale) void queryClient.invalidateQueries({ queryKey });
    },
  });
  const errors = Object.entries(useServerErrors(undefined, act.error));
  const wrong = (...fields: string[]) => errors.find(([at]) => fields.some((field) => at === field || at.startsWith(`${field}.`) || at.startsWith(`${field}[`)))?.[1];
  const edit = (part: Partial<MarksDraft>) => {
    setDraft({ ...draft, ...part });
    act.reset();
  };
  return (
    <Dialog
      width={760}
      title={t("cluster.marks.title", { name })}
      okText={t("cluster.marks.save")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: !changeOf(before, draft), loading: act.isPending }}
      onOk={() => act.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{text}</p>
        <LabelRows labels={draft.labels} error={wrong("labels")} onChange={(labels) => edit({ labels })} pool={name} />
        <TaintRows taints={draft.taints} error={wrong("taints", "remove_taints")} onChange={(taints) => edit({ taints })} pool={name} />
        {draft.taints.some((taint) => taint.effect === "NoExecute") && (
          <div className="fault fault-warn">
            <p className="fault-body">{t("cluster.marks.evicts")}</p>
          </div>
        )}
        {act.error && <Fault alert fault={faultOf(act.error)} />}
      </div>
    </Dialog>
  );
}
