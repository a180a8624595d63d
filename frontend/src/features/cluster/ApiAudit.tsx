// What a cluster's own API writes down of its calls, where that lies, and the way to another level.
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { unchangeable } from "../../api/clusters";
import { may } from "../../api/permissions";
import type { Cluster } from "../../api/types";

const ApiAuditDialog = lazy(() => import("./ApiAuditDialog"));

export function ApiAudit({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const [changing, setChanging] = useState(false);
  const level = cluster.spec.audit?.level ?? "none";
  return (
    <>
      {t(`create.apiAuditOf.${level}`)}
      {may(cluster, "cluster_repair") && !unchangeable(cluster) && (
        <button type="button" className="text-button" onClick={() => setChanging(true)}>
          {t("cluster.apiAudit.change")}
        </button>
      )}
      {level !== "none" && (
        <div className="field-hint">
          {t("cluster.apiAuditPlace")} <code>/var/log/kubernetes/audit</code>
        </div>
      )}
      <Suspense fallback={null}>{changing && <ApiAuditDialog cluster={cluster} onClose={() => setChanging(false)} />}</Suspense>
    </>
  );
}
