// The menu: what a tenant has and the person has a use for, and the admin view for operators only.
import { ApiOutlined, AppstoreOutlined, AuditOutlined, BankOutlined, ClusterOutlined, DashboardOutlined, DisconnectOutlined, FileSearchOutlined, FileTextOutlined, GlobalOutlined, HeartOutlined, HistoryOutlined, IdcardOutlined, LockOutlined, NotificationOutlined, OrderedListOutlined, ReadOutlined, SettingOutlined, TeamOutlined } from "@ant-design/icons";
import { Link } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { useGuest } from "../api/permissions";
import { useAbout, useSession } from "../api/session";

interface Item {
  to: string;
  icon: ComponentType<{ "aria-hidden": "true" }>;
  text: string;
  /** Of no use to whoever sees some namespaces only. */
  members?: boolean;
}

const TENANT: readonly Item[] = [
  { to: "/", icon: AppstoreOutlined, text: "overview" },
  { to: "/clusters", icon: ClusterOutlined, text: "clusters" },
  { to: "/templates", icon: FileTextOutlined, text: "templates", members: true },
  { to: "/operations", icon: HistoryOutlined, text: "operations" },
  { to: "/audit", icon: AuditOutlined, text: "audit" },
  { to: "/tokens", icon: ApiOutlined, text: "tokens" },
  { to: "/members", icon: IdcardOutlined, text: "members" },
  { to: "/quota", icon: DashboardOutlined, text: "quota", members: true },
];

const ADMIN: readonly Item[] = [
  { to: "/admin/clusters", icon: GlobalOutlined, text: "adminClusters" },
  { to: "/admin/tenants", icon: BankOutlined, text: "adminTenants" },
  { to: "/admin/operations", icon: OrderedListOutlined, text: "adminOperations" },
  { to: "/admin/catalogue", icon: ReadOutlined, text: "adminCatalogue" },
  { to: "/admin/announcements", icon: NotificationOutlined, text: "adminAnnouncements" },
  { to: "/admin/settings", icon: SettingOutlined, text: "adminSettings" },
  { to: "/admin/orphans", icon: DisconnectOutlined, text: "adminOrphans" },
  { to: "/admin/keys", icon: LockOutlined, text: "adminKeys" },
  { to: "/admin/health", icon: HeartOutlined, text: "adminHealth" },
  { to: "/admin/people", icon: TeamOutlined, text: "adminPeople" },
  { to: "/admin/audit", icon: FileSearchOutlined, text: "adminAudit" },
];

function Items({ items }: { items: readonly Item[] }) {
  const { t } = useTranslation();
  return (
    <ul>
      {items.map(({ to, icon: Icon, text }) => (
        <li key={to}>
          <Link to={to} activeOptions={{ exact: to === "/", includeSearch: false }} className="side-link">
            <Icon aria-hidden="true" />
            {t(`shell.nav.${text}`)}
          </Link>
        </li>
      ))}
    </ul>
  );
}

export function SideMenu() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const guest = useGuest();
  const about = useAbout();
  return (
    <nav aria-label={t("shell.menu")} className="side-menu">
      <p className="side-title">{t("shell.product")}</p>
      <Items items={TENANT.filter((item) => !(guest && item.members))} />
      {operator && (
        <>
          <p className="side-group">{t("shell.nav.admin")}</p>
          <Items items={ADMIN} />
        </>
      )}
      <p className="side-foot">
        <a href="/api/docs">{t("shell.apiDocs")}</a>
        {about.data && <span className="muted">{about.data.version}</span>}
      </p>
    </nav>
  );
}
