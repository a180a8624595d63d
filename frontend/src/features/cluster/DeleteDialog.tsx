// Deleting a cluster: what goes, what is kept, what stands against it, and the name typed.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { deleteCluster, useDeletePlan } from "../../api/clusters";
import type { Cluster, DeletePlan } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Loading } from "../../components/Page";
import { Fault, faultOfProblem, LoadProblem } from "../../components/Problem";
import { ResourceStatus } from "../../components/words";
import { CheckList } from "../create/PlanPanel";
import "../operations/operations.css";

interface Props {
  cluster: Cluster;
  onClose: () => void;
  onAccepted: (operationId: string) => void;
}

export default function DeleteDialog({ cluster, onClose, onAccepted }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const plan = useDeletePlan(cluster.id, true);
  const [typed, setTyped] = useState("");
  const [volumes, setVolumes] = useState<"keep" | "erase">("keep");
  const remove = useMutation({
    mutationFn: () => deleteCluster(cluster.id, typed, volumes),
    onSuccess: (answer) => {
      void queryClient.invalidateQueries({ queryKey: ["clusters"] });
      void queryClient.invalidateQueries({ queryKey: ["cluster", cluster.id] });
      onAccepted(answer.operation.id);
    },
  });
  const problem = isApiError(remove.error) ? remove.error.problem : null;
  const blocked = (plan.data?.blocked.length ?? 0) > 0;
  const matches = typed === cluster.name;
  return (
    <Dialog
      width={720}
      title={t("cluster.del.title", { name: cluster.name })}
      okText={t("cluster.del.submit")}
      cancelText={t("cluster.close")}
      okButtonProps={{ danger: true, type: "primary", disabled: !matches || !plan.data || blocked, loading: remove.isPending }}
      onOk={() => remove.mutate()}
      onCancel={onClose}
    >
      {!plan.data ? (
        plan.error ? (
          <LoadProblem error={plan.error} onRetry={() => void plan.refetch()} />
        ) : (
          <Loading rows={6} />
        )
      ) : (
        <div className="stack">
          <p>{t("cluster.del.text")}</p>
          {blocked && <CheckList checks={plan.data.blocked} />}
          <PlanObjects plan={plan.data} />
          <Volumes plan={plan.data} value={volumes} onChange={setVolumes} />
          <Field label={t("cluster.del.type", { name: cluster.name })} error={typed !== "" && !cluster.name.startsWith(typed) ? t("cluster.del.mismatch") : undefined}>
            {(field) => <Input {...field} autoComplete="off" spellCheck={false} value={typed} disabled={blocked} onChange={(event) => setTyped(event.target.value)} onPressEnter={() => matches && !blocked && remove.mutate()} />}
          </Field>
          {remove.error && <Fault alert fault={problem ? faultOfProblem(problem) : { code: "unknown" }} />}
        </div>
      )}
    </Dialog>
  );
}

function PlanObjects({ plan }: { plan: DeletePlan }) {
  const { t } = useTranslation();
  return (
    <section className="stack-small">
      <h3>{t("cluster.del.objects", { count: plan.objects.length })}</h3>
      {plan.objects.length === 0 ? (
        <p className="small muted">{t("cluster.del.noObjects")}</p>
      ) : (
        <ul className="step-objects plan-objects" tabIndex={0} aria-label={t("cluster.del.objects", { count: plan.objects.length })}>
          {plan.objects.map((object) => (
            <li key={`${object.kind}/${object.name}/${object.cloud_id ?? ""}`}>
              <span className="step-object-kind">{t(`operation.kindOf.${object.kind}`)}</span>
              <span className="break">
                {object.name}
                {object.cloud_id && <code className="id"> {object.cloud_id}</code>}
              </span>
              <ResourceStatus resource={object} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Volumes({ plan, value, onChange }: { plan: DeletePlan; value: "keep" | "erase"; onChange: (value: "keep" | "erase") => void }) {
  const { t } = useTranslation();
  if (plan.volumes.length === 0) {
    return (
      <section className="stack-small">
        <h3>{t("cluster.del.volumes")}</h3>
        <p className="small muted">{plan.api_reachable ? t("cluster.del.noVolumes") : t("cluster.del.volumesUnknown")}</p>
      </section>
    );
  }
  return (
    <fieldset className="volume-choice">
      <legend>{t("cluster.del.volumes")}</legend>
      <ul className="step-objects">
        {plan.volumes.map((volume) => (
          <li key={volume.id}>
            <span className="step-object-kind numeric">{volume.size_gib} GiB</span>
            <span className="break">
              {volume.claim ?? volume.name} <code className="id">{volume.id}</code>
            </span>
          </li>
        ))}
      </ul>
      {(["keep", "erase"] as const).map((choice) => (
        <label key={choice} className="check">
          <input type="radio" name="volumes" checked={value === choice} onChange={() => onChange(choice)} />
          <span>{t(`cluster.del.${choice}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}
