// Who may connect to a cluster's API, from which ranges, and the way to let others.
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { unchangeable } from "../../api/clusters";
import { may } from "../../api/permissions";
import type { Cluster } from "../../api/types";

const ApiAccessDialog = lazy(() => import("./ApiAccessDialog"));

export function ApiAccess({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const [changing, setChanging] = useState(false);
  const exposure = cluster.spec.api?.exposure ?? "public";
  const ranges = exposure === "restricted" ? (cluster.spec.api?.allowed_cidrs ?? []) : [];
  return (
    <>
      {t(`create.exposureOf.${exposure}`)}
      {/* A private API has no address outside, and a cluster that is there gets none. */}
      {exposure !== "private" && may(cluster, "cluster_update") && !unchangeable(cluster) && (
        <button type="button" className="text-button" onClick={() => setChanging(true)}>
          {t("cluster.apiAccess.change")}
        </button>
      )}
      {ranges.length > 0 && <div className="field-hint break">{ranges.join(t("create.comma"))}</div>}
      <Suspense fallback={null}>{changing && <ApiAccessDialog cluster={cluster} onClose={() => setChanging(false)} />}</Suspense>
    </>
  );
}
