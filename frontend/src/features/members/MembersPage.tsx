// Who may do what in the project: its members, and the roles that it composed itself.
import { PlusOutlined } from "@ant-design/icons";
import { Link, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../../api/permissions";
import { Page } from "../../components/Page";
import { MembersTab } from "./MembersTab";
import { RolesTab } from "./RolesTab";
import "./members.css";

const RoleDialog = lazy(() => import("./RoleDialog"));

export function MembersPage() {
  const { t } = useTranslation();
  const { tab = "members" } = useSearch({ from: "/app/members" });
  const mayManage = useMay("members_manage");
  const [creating, setCreating] = useState(false);
  const create = mayManage && tab === "roles" && (
    <Button type="primary" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setCreating(true)}>
      {t("member.role.create")}
    </Button>
  );
  return (
    <Page title={t("member.title")} windowTitle={t(`member.tab.${tab}`)} description={t("member.description")} actions={create}>
      <nav className="tabs" aria-label={t("member.title")}>
        {(["members", "roles"] as const).map((key) => (
          <Link key={key} to="/members" search={key === "roles" ? { tab: key } : {}} className={`tab ${tab === key ? "tab-on" : ""}`} aria-current={tab === key ? "page" : undefined}>
            {t(`member.tab.${key}`)}
          </Link>
        ))}
      </nav>
      {tab === "roles" ? <RolesTab /> : <MembersTab />}
      <Suspense fallback={null}>{creating && <RoleDialog onClose={() => setCreating(false)} />}</Suspense>
    </Page>
  );
}
