// The menu: what a tenant has, and the admin view for operators only.
import { AppstoreOutlined, ClusterOutlined, DisconnectOutlined, FileTextOutlined, GlobalOutlined, HistoryOutlined } from "@ant-design/icons";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useAbout, useSession } from "../api/session";

export function SideMenu() {
  const { t } = useTranslation();
  const { operator } = useSession();
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
        <li>
          <Link to="/templates" activeOptions={{ includeSearch: false }} className="side-link">
            <FileTextOutlined aria-hidden="true" />
            {t("shell.nav.templates")}
          </Link>
        </li>
        <li>
          <Link to="/operations" activeOptions={{ includeSearch: false }} className="side-link">
            <HistoryOutlined aria-hidden="true" />
            {t("shell.nav.operations")}
          </Link>
        </li>
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
              <Link to="/admin/orphans" className="side-link">
                <DisconnectOutlined aria-hidden="true" />
                {t("shell.nav.adminOrphans")}
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
