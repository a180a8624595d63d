// The operators' audit log: of all tenants, and of what operators and KCS itself did.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useAudit } from "../../api/audit";
import { isApiError } from "../../api/client";
import { useAdminClusters } from "../../api/clusters";
import { useSession } from "../../api/session";
import { Forbidden } from "../../app/FallbackPages";
import { Card, Page } from "../../components/Page";
import { AuditLog, ExportLink } from "../audit/AuditLog";
import { filterOf, type AuditChoice } from "../audit/filter";

export function AdminAuditPage() {
  const { t } = useTranslation();
  const { operator, projects } = useSession();
  const search = useSearch({ from: "/app/operator/admin/audit" });
  const navigate = useNavigate({ from: "/admin/audit" });
  const filter = useMemo(() => filterOf(search), [search]);
  const audit = useAudit("all", filter, operator);
  const clusters = useAdminClusters({ limit: 200 }, operator);
  const change = useCallback((part: AuditChoice, replace = false) => void navigate({ search: (old) => ({ ...old, ...part }), replace }), [navigate]);
  if (!operator || (isApiError(audit.error) && audit.error.status === 403)) {
    return (
      <Page title={t("admin.audit.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("admin.audit.title")} description={t("admin.audit.description")} crumbs={[]} actions={<ExportLink of="all" filter={filter} />}>
      <AuditLog audit={audit} search={search} clusters={clusters.data?.items} change={change} clear={() => void navigate({ search: {} })} projects={projects} />
    </Page>
  );
}
