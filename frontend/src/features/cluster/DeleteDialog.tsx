// Deleting a cluster: what goes, what is kept, what stands against it, and the name typed.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { deleteCluster, useDeletePlan } from "../../api/clusters";
import { may } from "../../api/permissions";
import type { Cluster, DeletePlan } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Loading } from "../../components/Page";
import { Fault, faultOfProblem, LoadProblem } from "../../components/Problem";
import { ResourceStatus } from "../../components/words";
import { CheckList } from "../create/PlanPanel";
import { useProtect } from "./Protection";
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
  /** Ids of the volumes to be erased; the others are kept. */
  const [erased, setErased] = useState<ReadonlySet<string>>(new Set());
  const remove = useMutation({
    mutationFn: () => deleteCluster(cluster.id, typed, Object.fromEntries((plan.data?.volumes ?? []).map((volume) => [volume.id, erased.has(volume.id) ? "erase" : "keep"]))),
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
          {blocked && <Obstacles cluster={cluster} plan={plan.data} />}
          {!plan.data.api_reachable && (
            <div className="fault fault-warn" role="status">
              <div className="fault-body">
                <p>{t("cluster.del.unreachable")}</p>
              </div>
            </div>
          )}
          <PlanObjects plan={plan.data} />
          <Services plan={plan.data} />
          <Volumes plan={plan.data} erased={erased} onChange={setErased} />
          <Field label={t("cluster.del.type", { name: cluster.name })} error={typed !== "" && !cluster.name.startsWith(typed) ? t("cluster.del.mismatch") : undefined}>
            {(field) => <Input {...field} autoComplete="off" spellCheck={false} value={typed} disabled={blocked} onChange={(event) => setTyped(event.target.value)} onPressEnter={() => matches && !blocked && !remove.isPending && remove.mutate()} />}
          </Field>
          {remove.error && <Fault alert fault={problem ? faultOfProblem(problem) : { code: "unknown" }} />}
        </div>
      )}
    </Dialog>
  );
}

/** What stands against it, and the way to lift a protection. */
function Obstacles({ cluster, plan }: { cluster: Cluster; plan: DeletePlan }) {
  const { t } = useTranslation();
  const protect = useProtect(cluster);
  return (
    <div className="fault fault-warn">
      <div className="fault-body">
        <CheckList checks={plan.blocked} />
        {may(cluster, "cluster_update") && plan.blocked.some((check) => check.key === "deletion_protection") && (
          <div className="fault-actions">
            <Button size="small" loading={protect.isPending} onClick={() => protect.mutate({ deletion_protection: false })}>
              {t("cluster.protection.off")}
            </Button>
          </div>
        )}
      </div>
    </div>
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

/** What Services in the cluster made: it goes with the cluster. */
function Services({ plan }: { plan: DeletePlan }) {
  const { t } = useTranslation();
  if (!plan.services?.length) return null;
  return (
    <section className="stack-small">
      <h3>{t("cluster.del.services")}</h3>
      <ul className="step-objects">
        {plan.services.map((object) => (
          <li key={object.id}>
            <span className="step-object-kind">{t(`operation.kindOf.${object.kind}`)}</span>
            <span className="break">
              {object.name} <code className="id">{object.id}</code>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Volumes({ plan, erased, onChange }: { plan: DeletePlan; erased: ReadonlySet<string>; onChange: (erased: ReadonlySet<string>) => void }) {
  const { t } = useTranslation();
  const all = plan.volumes.map((volume) => volume.id);
  const toggle = (id: string) => {
    const next = new Set(erased);
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  if (plan.volumes.length === 0) {
    return (
      <section className="stack-small">
        <h3>{t("cluster.del.volumes")}</h3>
        <p className="small muted">{t("cluster.del.noVolumes")}</p>
      </section>
    );
  }
  return (
    <fieldset className="choices">
      <legend className="choices-title">{t("cluster.del.volumes")}</legend>
      <ul className="step-objects">
        {plan.volumes.map((volume) => (
          <li key={volume.id}>
            <span className="step-object-kind numeric">{volume.size_gib} GiB</span>
            <div className="state-cell-narrow break">
              <span>
                {volume.claim ?? volume.name} <code className="id">{volume.id}</code>
              </span>
              {volume.reclaim_policy && <span className="small muted">{t(`cluster.del.reclaimOf.${volume.reclaim_policy}`)}</span>}
              {!!volume.snapshots?.length && <span className="small muted">{t("cluster.del.snapshots", { names: volume.snapshots.join(t("create.comma")) })}</span>}
            </div>
            <label className="check">
              <input type="checkbox" aria-label={`${t("cluster.del.eraseOne")} ${volume.claim ?? volume.name}`} checked={erased.has(volume.id)} onChange={() => toggle(volume.id)} />
              <span>{t("cluster.del.eraseOne")}</span>
            </label>
          </li>
        ))}
      </ul>
      {(["keep", "erase"] as const).map((choice) => (
        <label key={choice} className="check">
          <input type="radio" name="volumes" checked={choice === "keep" ? erased.size === 0 : erased.size === all.length} onChange={() => onChange(new Set(choice === "keep" ? [] : all))} />
          <span>{t(`cluster.del.${choice}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}
