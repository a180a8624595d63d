// The people of the project: what Keystone says of each, what an owner gave them here, and changing that.
import { TeamOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useClusters } from "../../api/clusters";
import { useMembers, useRoles } from "../../api/members";
import { useGuest, useMay } from "../../api/permissions";
import type { Member } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { MenuButton } from "../../components/MenuButton";
import { Card, Empty } from "../../components/Page";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useRoleWord } from "../../components/words";
import { NothingFound } from "../clusters/ClusterList";
import { SearchBox } from "../clusters/ListFilters";
import { Places } from "./Places";
import { useGivenRoleWord } from "./roles";

const MemberDialog = lazy(() => import("./MemberDialog"));
const ResetMemberDialog = lazy(() => import("./ResetMemberDialog"));
const RevokeKubeconfigsDialog = lazy(() => import("./RevokeKubeconfigsDialog"));

/** What is asked about. */
type Asking = { give: Member } | { reset: Member } | { revoke: Member };

export function MembersTab() {
  const { t } = useTranslation();
  const { search } = useSearch({ from: "/app/members" });
  const navigate = useNavigate({ from: "/members" });
  const members = useMembers();
  const [asking, setAsking] = useState<Asking | null>(null);
  const columns = useColumns(setAsking);
  const onSearch = useCallback((text: string) => void navigate({ search: { search: text || undefined }, replace: true }), [navigate]);
  const items = members.data?.items;
  const wanted = search?.toLowerCase() ?? "";
  return (
    <Card flush>
      <div className="toolbar">
        <SearchBox value={search ?? ""} onChange={onSearch} label={t("member.search")} />
        {items && <WhoMayChange members={items} />}
      </div>
      <DataTable
        name={t("member.tab.members")}
        columns={columns}
        rows={items?.filter((member) => member.name.toLowerCase().includes(wanted) || member.id === wanted)}
        rowKey={(member) => member.id}
        error={members.error}
        onRetry={() => void members.refetch()}
        empty={search ? <NothingFound onClear={() => void navigate({ search: {} })} /> : <Empty icon={<TeamOutlined />} title={t("member.none")} text={t("member.noneText")} />}
      />
      <Suspense fallback={null}>
        {asking && "give" in asking && <MemberDialog member={asking.give} onClose={() => setAsking(null)} />}
        {asking && "reset" in asking && <ResetMemberDialog member={asking.reset} onClose={() => setAsking(null)} />}
        {asking && "revoke" in asking && <RevokeKubeconfigsDialog member={asking.revoke} onClose={() => setAsking(null)} />}
      </Suspense>
    </Card>
  );
}

/** Why there is nothing to change for the person, and whom to ask. */
function WhoMayChange({ members }: { members: Member[] }) {
  const { t } = useTranslation();
  const mayManage = useMay("members_manage");
  const guest = useGuest();
  if (mayManage) return null;
  const owners = members.filter((member) => member.keystone && (member.role ?? member.keystone) === "owner").map((member) => member.name);
  const text = guest ? t("member.ownOnly") : owners.length > 0 ? t("member.askOwners", { owners: owners.join(t("create.comma")) }) : t("member.noOwner");
  return <span className="muted small">{text}</span>;
}

function useColumns(ask: (what: Asking) => void): Column<Member>[] {
  const { t } = useTranslation();
  const mayManage = useMay("members_manage");
  const roles = useRoles().data?.items ?? [];
  const clusters = useClusters({ limit: 200 });
  const named = useMemo(() => new Map(clusters.data?.items.map((cluster) => [cluster.id, cluster.name])), [clusters.data]);
  const builtInWord = useRoleWord();
  const word = useGivenRoleWord(roles);
  const columns: Column<Member>[] = [
    { key: "person", title: t("member.col.person"), main: true, render: (member) => <Person member={member} /> },
    {
      key: "keystone",
      title: t("member.col.keystone"),
      render: (member) => (member.keystone ? <span className={member.role ? "muted" : undefined}>{builtInWord(member.keystone)}</span> : <span className="muted">—</span>),
    },
    {
      key: "role",
      title: t("member.col.role"),
      render: (member) => (member.role ? <span className="break">{word(member.role)}</span> : <span className="muted nowrap">{t("member.keystoneCounts")}</span>),
    },
    { key: "places", title: t("member.col.places"), width: "30%", render: (member) => <Places places={member.places} named={named} word={word} /> },
    {
      key: "changed",
      title: t("member.col.changed"),
      render: (member) =>
        member.changed_at ? (
          <div className="name-cell">
            <Ago time={member.changed_at} />
            <span className="small muted break">{member.changed_by}</span>
          </div>
        ) : (
          <span className="muted">—</span>
        ),
    },
  ];
  if (mayManage) columns.push({ key: "act", title: t("cluster.actions"), render: (member) => <Actions member={member} ask={ask} /> });
  return columns;
}

function Person({ member }: { member: Member }) {
  const { t } = useTranslation();
  return (
    <div className="name-cell">
      <span className="break">
        {member.name}
        {member.me && <span className="muted"> {t("kubeconfig.mine")}</span>}
      </span>
      <code className="id break">{member.id}</code>
      {!member.keystone && <Status tone="warn">{t("member.gone")}</Status>}
    </div>
  );
}

function Actions({ member, ask }: { member: Member; ask: (what: Asking) => void }) {
  const { t } = useTranslation();
  if (member.me) return <span className="muted small">{t("member.self")}</span>;
  return (
    <MenuButton
      floating
      className="menu-outlined menu-small"
      label={t("cluster.actions")}
      name={t("member.actionsOf", { name: member.name })}
      items={[
        { key: "give", label: t("member.change"), unavailable: member.keystone ? undefined : t("member.goneWhy"), onSelect: () => ask({ give: member }) },
        { key: "reset", label: t("member.reset"), danger: true, unavailable: member.role ? undefined : t("member.nothingGiven"), onSelect: () => ask({ reset: member }) },
        { key: "revoke", label: t("member.revokeKubeconfigs"), danger: true, onSelect: () => ask({ revoke: member }) },
      ]}
    />
  );
}
