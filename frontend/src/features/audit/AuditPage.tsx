// The project's audit log: who did what, from where, and how it ended.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useAudit } from "../../api/audit";
import { isApiError } from "../../api/client";
import { useClusters } from "../../api/clusters";
import { useGuest } from "../../api/permissions";
import { Forbidden } from "../../app/FallbackPages";
import { Card, Page } from "../../components/Page";
import { AuditLog, ExportLink } from "./AuditLog";
import { filterOf, type AuditChoice } from "./filter";

export function AuditPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const filter = useMemo(() => filterOf(search), [search]);
  const guest = useGuest();
  const audit = useAudit("project", filter);
  const clusters = useClusters({ limit: 200 });
  const change = useCallback((part: AuditChoice, replace = false) => void navigate({ search: (old) => ({ ...old, ...part }), replace }), [navigate]);
  if (isApiError(audit.error) && audit.error.status === 403) {
    return (
      <Page title={t("audit.title")}>
        <Card>
          <Forbidden text={t("audit.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("audit.title")} description={t(guest ? "audit.ownOnly" : "audit.description")} actions={<ExportLink of="project" filter={filter} />}>
      <AuditLog audit={audit} search={search} clusters={clusters.data?.items} change={change} clear={() => void navigate({ search: {} })} />
    </Page>
  );
}
