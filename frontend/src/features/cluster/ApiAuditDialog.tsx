// Choosing what a cluster's own API writes down, and what that takes.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeApiAudit } from "../../api/clusters";
import type { ApiAuditLevel, Cluster } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useOperationStarted } from "./useOperationStarted";
import { WayChoices } from "./WayChoices";

const LEVELS = ["none", "metadata", "request"] as const satisfies readonly ApiAuditLevel[];

export default function ApiAuditDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const now = cluster.spec.audit?.level ?? "none";
  const [level, setLevel] = useState<ApiAuditLevel>(now);
  const started = useOperationStarted(cluster.id, onClose);
  const change = useMutation({ mutationFn: () => changeApiAudit(cluster.id, level), onSuccess: started });
  // What was asked for and did not come about can be asked for again.
  const idle = level === now && cluster.observed_generation === cluster.generation;
  return (
    <Dialog
      title={t("create.apiAudit")}
      okText={t("cluster.apiAudit.change")}
      cancelText={t("cluster.close")}
      okButtonProps={{ disabled: idle, loading: change.isPending }}
      onOk={() => change.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <WayChoices
          name="audit"
          legend={<legend className="sr-only">{t("create.apiAudit")}</legend>}
          ways={LEVELS}
          now={now}
          chosen={level}
          label={(way) => t(`create.apiAuditOf.${way}`)}
          hint={(way) => t(`create.apiAuditHint.${way}`)}
          onChoose={(way) => {
            setLevel(way);
            change.reset();
          }}
        />
        <div className="fault fault-warn">
          <p className="fault-body">{t("cluster.apiAudit.rounds")}</p>
        </div>
        {change.error && <Fault alert fault={faultOf(change.error)} />}
      </div>
    </Dialog>
  );
}
