// The menu: what a tenant has and the person has a use for, and the admin view for operators only.
import { ApiOutlined, AppstoreOutlined, AuditOutlined, BankOutlined, ClusterOutlined, DashboardOutlined, DisconnectOutlined, FileSearchOutlined, FileTextOutlined, GlobalOutlined, HistoryOutlined, IdcardOutlined, LockOutlined, NotificationOutlined, OrderedListOutlined, ReadOutlined, TeamOutlined } from "@ant-design/icons";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useGuest } from "../api/permissions";
import { useAbout, useSession } from "../api/session";

export function SideMenu() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const guest = useGuest();
  const about = useAbout();
  return (
    <nav aria-label={t("shell.menu")} className="side-menu">
      <p className="side-title">{t("shell.product")}</p>
      <ul>
        <li>
          <Link to="/" activeOptions={{ exact: true }} className="side-link">
            <AppstoreOutlined aria-hidden="true" />
            {t("shell.nav.overview")}
          </Link>
        </li>
        <li>
          <Link to="/clusters" activeOptions={{ includeSearch: false }} className="side-link">
            <ClusterOutlined aria-hidden="true" />
            {t("shell.nav.clusters")}
          </Link>
        </li>
        {!guest && (
          <li>
            <Link to="/templates" activeOptions={{ includeSearch: false }} className="side-link">
              <FileTextOutlined aria-hidden="true" />
              {t("shell.nav.templates")}
            </Link>
          </li>
        )}
        <li>
          <Link to="/operations" activeOptions={{ includeSearch: false }} className="side-link">
            <HistoryOutlined aria-hidden="true" />
            {t("shell.nav.operations")}
          </Link>
        </li>
        <li>
          <Link to="/audit" activeOptions={{ includeSearch: false }} className="side-link">
            <AuditOutlined aria-hidden="true" />
            {t("shell.nav.audit")}
          </Link>
        </li>
        <li>
          <Link to="/tokens" activeOptions={{ includeSearch: false }} className="side-link">
            <ApiOutlined aria-hidden="true" />
            {t("shell.nav.tokens")}
          </Link>
        </li>
        <li>
          <Link to="/members" activeOptions={{ includeSearch: false }} className="side-link">
            <IdcardOutlined aria-hidden="true" />
            {t("shell.nav.members")}
          </Link>
        </li>
        {!guest && (
          <li>
            <Link to="/quota" className="side-link">
              <DashboardOutlined aria-hidden="true" />
              {t("shell.nav.quota")}
            </Link>
          </li>
        )}
      </ul>
      {operator && (
        <>
          <p className="side-group">{t("shell.nav.admin")}</p>
          <ul>
            <li>
              <Link to="/admin/clusters" activeOptions={{ includeSearch: false }} className="side-link">
                <GlobalOutlined aria-hidden="true" />
                {t("shell.nav.adminClusters")}
              </Link>
            </li>
            <li>
              <Link to="/admin/tenants" activeOptions={{ includeSearch: false }} className="side-link">
                <BankOutlined aria-hidden="true" />
                {t("shell.nav.adminTenants")}
              </Link>
            </li>
            <li>
              <Link to="/admin/operations" activeOptions={{ includeSearch: false }} className="side-link">
                <OrderedListOutlined aria-hidden="true" />
                {t("shell.nav.adminOperations")}
              </Link>
            </li>
            <li>
              <Link to="/admin/catalogue" className="side-link">
                <ReadOutlined aria-hidden="true" />
                {t("shell.nav.adminCatalogue")}
              </Link>
            </li>
            <li>
              <Link to="/admin/announcements" className="side-link">
                <NotificationOutlined aria-hidden="true" />
                {t("shell.nav.adminAnnouncements")}
              </Link>
            </li>
            <li>
              <Link to="/admin/orphans" className="side-link">
                <DisconnectOutlined aria-hidden="true" />
                {t("shell.nav.adminOrphans")}
              </Link>
            </li>
            <li>
              <Link to="/admin/keys" className="side-link">
                <LockOutlined aria-hidden="true" />
                {t("shell.nav.adminKeys")}
              </Link>
            </li>
            <li>
              <Link to="/admin/people" activeOptions={{ includeSearch: false }} className="side-link">
                <TeamOutlined aria-hidden="true" />
                {t("shell.nav.adminPeople")}
              </Link>
            </li>
            <li>
              <Link to="/admin/audit" activeOptions={{ includeSearch: false }} className="side-link">
                <FileSearchOutlined aria-hidden="true" />
                {t("shell.nav.adminAudit")}
              </Link>
            </li>
          </ul>
        </>
      )}
      <p className="side-foot">
        <a href="/api/docs">{t("shell.apiDocs")}</a>
        {about.data && <span className="muted">{about.data.version}</span>}
      </p>
    </nav>
  );
}
