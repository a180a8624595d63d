// Who is signed in or holds tokens or kubeconfigs, in all tenants: seen by operators, who can end one thing of it, or all.
import { TeamOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { MOST_PEOPLE, usePeople } from "../../api/people";
import { useSession } from "../../api/session";
import type { Holder } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";
import { NothingFound } from "../clusters/ClusterList";
import { SearchBox } from "../clusters/ListFilters";

const AccessDialog = lazy(() => import("./AccessDialog"));
const CutOffDialog = lazy(() => import("./CutOffDialog"));

export function PeoplePage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const { search } = useSearch({ from: "/app/operator/admin/people" });
  const navigate = useNavigate({ from: "/admin/people" });
  const people = usePeople(search, operator);
  const [asking, setAsking] = useState<Holder | null>(null);
  const [opened, setOpened] = useState<Holder | null>(null);
  const columns = useColumns(setOpened, setAsking);
  const onSearch = useCallback((text: string) => void navigate({ search: { search: text || undefined }, replace: true }), [navigate]);
  if (!operator || (isApiError(people.error) && people.error.status === 403)) {
    return (
      <Page title={t("admin.people.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  const items = people.data?.items;
  return (
    <Page title={t("admin.people.title")} description={t("admin.people.description")} crumbs={[]}>
      <Card flush>
        <div className="toolbar">
          <SearchBox value={search ?? ""} onChange={onSearch} label={t("admin.people.search")} />
          {items && items.length >= MOST_PEOPLE && <span className="muted small">{t("admin.people.first", { most: MOST_PEOPLE })}</span>}
        </div>
        <DataTable
          name={t("admin.people.title")}
          columns={columns}
          rows={items}
          rowKey={(person) => person.id}
          error={people.error}
          onRetry={() => void people.refetch()}
          stale={people.isPlaceholderData}
          empty={search ? <NothingFound onClear={() => void navigate({ search: {} })} /> : <Empty icon={<TeamOutlined />} title={t("admin.people.none")} text={t("admin.people.noneText")} />}
        />
      </Card>
      <Suspense fallback={null}>
        {opened && <AccessDialog person={opened} onClose={() => setOpened(null)} />}
        {asking && <CutOffDialog person={asking} onClose={() => setAsking(null)} />}
      </Suspense>
    </Page>
  );
}

function useColumns(onOpen: (person: Holder) => void, onCutOff: (person: Holder) => void): Column<Holder>[] {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const { user } = useSession();
  return [
    {
      key: "person",
      title: t("admin.people.col.person"),
      main: true,
      width: "34%",
      render: (person) => (
        <div className="name-cell">
          <span className="break">{person.name}</span>
          <code className="id break">{person.id}</code>
          <span className="small muted break">{t("admin.people.domain", { domain: person.domain })}</span>
        </div>
      ),
    },
    ...(["sessions", "tokens", "kubeconfigs"] as const).map((kind): Column<Holder> => ({ key: kind, title: t(`admin.people.col.${kind}`), align: "right", render: (person) => <span className="numeric">{amount(person[kind])}</span> })),
    { key: "seen", title: t("admin.people.col.seen"), render: (person) => (person.last_seen_at ? <Ago time={person.last_seen_at} /> : <span className="muted">{t("kubeconfig.never")}</span>) },
    {
      key: "act",
      title: t("cluster.actions"),
      render: (person) => (
        <span className="tags">
          <Button size="small" aria-label={t("admin.people.openOf", { name: person.name })} onClick={() => onOpen(person)}>
            {t("admin.people.open")}
          </Button>
          {person.id === user.id ? (
            <span className="muted small">{t("admin.people.self")}</span>
          ) : (
            <Button size="small" danger aria-label={t("admin.people.cutOffOf", { name: person.name })} onClick={() => onCutOff(person)}>
              {t("admin.people.cutOff")}
            </Button>
          )}
        </span>
      ),
    },
  ];
}
