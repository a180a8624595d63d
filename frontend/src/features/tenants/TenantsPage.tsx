// Tenants and what they may have, and what they ask for: seen and set by operators.
import { Link, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useSession } from "../../api/session";
import { Forbidden } from "../../app/FallbackPages";
import { Card, Page } from "../../components/Page";
import { RequestsTab } from "./RequestsTab";
import { TenantsTab } from "./TenantsTab";
import "../quota/quota.css";
import "./tenants.css";

export function TenantsPage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const { tab = "tenants" } = useSearch({ from: "/app/operator/admin/tenants" });
  if (!operator) {
    return (
      <Page title={t("admin.tenants.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page title={t("admin.tenants.title")} windowTitle={t(`admin.tenants.tab.${tab}`)} description={t("admin.tenants.description")} crumbs={[]}>
      <nav className="tabs" aria-label={t("admin.tenants.title")}>
        {(["tenants", "requests"] as const).map((key) => (
          <Link key={key} to="/admin/tenants" search={key === "requests" ? { tab: key } : {}} className={`tab ${tab === key ? "tab-on" : ""}`} aria-current={tab === key ? "page" : undefined}>
            {t(`admin.tenants.tab.${key}`)}
          </Link>
        ))}
      </nav>
      {tab === "requests" ? <RequestsTab /> : <TenantsTab />}
    </Page>
  );
}
