// What was set before, by whom and why, with the way back to it.
import { HistoryOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { useInstallationHistory } from "../../api/installation";
import type { SettingsRevision } from "../../api/types";
import { DataTable, Pager, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";
import { Differences } from "./Differences";

export function History({ onUse }: { onUse: (revision: SettingsRevision) => void }) {
  const { t } = useTranslation();
  const { cursor } = useSearch({ from: "/app/operator/admin/settings" });
  const navigate = useNavigate({ from: "/admin/settings" });
  const history = useInstallationHistory(cursor, true);
  const columns = useColumns(onUse);
  const items = history.data?.items;
  const go = (next?: string) => void navigate({ search: { cursor: next }, resetScroll: false });
  return (
    <Card flush title={t("admin.settings.history.title")}>
      <DataTable
        name={t("admin.settings.history.title")}
        columns={columns}
        rows={items}
        rowKey={(one) => String(one.revision)}
        error={history.error}
        onRetry={() => void history.refetch()}
        stale={history.isPlaceholderData}
        empty={<Empty icon={<HistoryOutlined />} title={t("admin.settings.history.none")} text={t("admin.settings.history.noneText")} />}
      />
      {items && items.length > 0 && <Pager shown={items.length} total={history.data?.total} hasPrevious={Boolean(cursor)} nextCursor={history.data?.next_cursor} onPrevious={() => go()} onNext={go} />}
    </Card>
  );
}

function useColumns(onUse: (revision: SettingsRevision) => void): Column<SettingsRevision>[] {
  const { t } = useTranslation();
  const { amount } = useFormat();
  return [
    { key: "revision", title: t("admin.settings.history.revision"), main: true, render: (one) => <span className="numeric">{amount(one.revision)}</span> },
    {
      key: "by",
      title: t("admin.settings.history.by"),
      render: (one) => (
        <div className="name-cell">
          <span className="break">{one.changed_by}</span>
          {one.changed_at && (
            <span className="small muted">
              <Ago time={one.changed_at} />
            </span>
          )}
        </div>
      ),
    },
    {
      key: "changes",
      title: t("admin.settings.history.changes"),
      width: "52%",
      render: (one) => (
        <div className="name-cell">
          <Differences differences={one.differences} />
          {one.comment && <span className="small muted break">{one.comment}</span>}
        </div>
      ),
    },
    {
      key: "act",
      title: t("cluster.actions"),
      render: (one) => (
        <Button size="small" aria-label={t("admin.settings.history.useOf", { revision: one.revision })} onClick={() => onUse(one)}>
          {t("admin.settings.history.use")}
        </Button>
      ),
    },
  ];
}
