// The roles that the project composed itself: what each allows, and how many people have it.
import { IdcardOutlined } from "@ant-design/icons";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useRoles } from "../../api/members";
import { useMay } from "../../api/permissions";
import type { CustomRole } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { MenuButton } from "../../components/MenuButton";
import { Card, Empty } from "../../components/Page";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";
import { areasOf } from "../access/permissions";
import { BETWEEN } from "./roles";

const RoleDialog = lazy(() => import("./RoleDialog"));
const DeleteRoleDialog = lazy(() => import("./DeleteRoleDialog"));

/** What is asked about. */
type Asking = { edit: CustomRole } | { remove: CustomRole };

export function RolesTab() {
  const { t } = useTranslation();
  const roles = useRoles();
  const mayManage = useMay("members_manage");
  const [asking, setAsking] = useState<Asking | null>(null);
  const columns = useColumns(setAsking);
  const close = () => setAsking(null);
  return (
    <Card flush>
      <div className="toolbar">
        <span className="muted small">{t(mayManage ? "member.role.hint" : "member.role.readOnly")}</span>
      </div>
      <DataTable
        name={t("member.tab.roles")}
        columns={columns}
        rows={roles.data?.items}
        rowKey={(role) => role.id}
        error={roles.error}
        onRetry={() => void roles.refetch()}
        empty={<Empty icon={<IdcardOutlined />} title={t("member.role.none")} text={t("member.role.noneText")} />}
      />
      <Suspense fallback={null}>
        {asking && "edit" in asking && <RoleDialog role={asking.edit} onClose={close} />}
        {asking && "remove" in asking && <DeleteRoleDialog role={asking.remove} onClose={close} />}
      </Suspense>
    </Card>
  );
}

function useColumns(ask: (what: Asking) => void): Column<CustomRole>[] {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const mayManage = useMay("members_manage");
  const columns: Column<CustomRole>[] = [
    { key: "name", title: t("member.role.name"), main: true, width: "22%", render: (role) => <span className="break">{role.name}</span> },
    { key: "permissions", title: t("token.col.may"), width: "44%", render: (role) => <Allows role={role} /> },
    { key: "people", title: t("member.role.people"), align: "right", render: (role) => <span className="numeric">{amount(role.people)}</span> },
    {
      key: "changed",
      title: t("member.col.changed"),
      render: (role) => (
        <div className="name-cell">
          <Ago time={role.changed_at} />
          <span className="small muted break">{role.changed_by}</span>
        </div>
      ),
    },
  ];
  if (mayManage) {
    columns.push({
      key: "act",
      title: t("cluster.actions"),
      render: (role) => (
        <MenuButton
          floating
          className="menu-outlined menu-small"
          label={t("cluster.actions")}
          name={t("member.actionsOf", { name: role.name })}
          items={[
            { key: "edit", label: t("member.role.edit"), onSelect: () => ask({ edit: role }) },
            { key: "delete", label: t("cluster.delete"), danger: true, onSelect: () => ask({ remove: role }) },
          ]}
        />
      ),
    });
  }
  return columns;
}

function Allows({ role }: { role: CustomRole }) {
  const { t } = useTranslation();
  const areas = areasOf((permission) => role.permissions.includes(permission));
  if (areas.length === 0) return <span>{t("member.looksOnly")}</span>;
  return (
    <ul className="allows">
      {areas.map(({ area, permissions }) => (
        <li key={area}>
          <span className="small muted">{t(`permission.area.${area}`)}</span>
          <span>{permissions.map((permission) => t(`permission.of.${permission}`)).join(BETWEEN)}</span>
        </li>
      ))}
    </ul>
  );
}
