// What operators tell everybody: the list, and the ways to say something new, otherwise, or no more.
import { NotificationOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { announcementsKey, endAnnouncement, useAllAnnouncements } from "../../api/announcements";
import { isApiError } from "../../api/client";
import { useSession } from "../../api/session";
import type { AdminAnnouncement } from "../../api/types";
import { Forbidden } from "../../app/FallbackPages";
import { useSettings } from "../../app/settings";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty, Page } from "../../components/Page";
import { Status, type Tone } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";

const AnnouncementDialog = lazy(() => import("./AnnouncementDialog"));

type Asking = { what: "say"; announcement?: AdminAnnouncement } | { what: "end"; announcement: AdminAnnouncement };

const stateTone: Record<AdminAnnouncement["state"], Tone> = { upcoming: "wait", current: "ok", ended: "off" };
const severityTone: Record<AdminAnnouncement["severity"], Tone> = { info: "off", warning: "warn", critical: "bad" };

export function AnnouncementsPage() {
  const { t } = useTranslation();
  const { operator } = useSession();
  const announcements = useAllAnnouncements(operator);
  const [asking, setAsking] = useState<Asking | null>(null);
  const columns = useColumns(setAsking);
  const close = () => setAsking(null);
  if (!operator || (isApiError(announcements.error) && announcements.error.status === 403)) {
    return (
      <Page title={t("admin.announcements.title")}>
        <Card>
          <Forbidden text={t("admin.forbidden")} />
        </Card>
      </Page>
    );
  }
  return (
    <Page
      title={t("admin.announcements.title")}
      description={t("admin.announcements.description")}
      crumbs={[]}
      actions={
        <Button type="primary" icon={<PlusOutlined aria-hidden="true" />} onClick={() => setAsking({ what: "say" })}>
          {t("admin.announcements.new")}
        </Button>
      }
    >
      <Card flush>
        <DataTable
          name={t("admin.announcements.title")}
          columns={columns}
          rows={announcements.data?.items}
          rowKey={(one) => one.id}
          error={announcements.error}
          onRetry={() => void announcements.refetch()}
          empty={<Empty icon={<NotificationOutlined />} title={t("admin.announcements.none")} text={t("admin.announcements.noneText")} />}
        />
      </Card>
      <Suspense fallback={null}>{asking?.what === "say" && <AnnouncementDialog announcement={asking.announcement} onClose={close} />}</Suspense>
      {asking?.what === "end" && (
        <ConfirmDialog title={t("admin.announcements.endTitle")} submit={t("admin.announcements.end")} act={() => endAnnouncement(asking.announcement.id)} done={() => t("admin.announcements.ended")} stale={[announcementsKey]} onClose={close}>
          <blockquote className="break">{asking.announcement.zh}</blockquote>
          <blockquote className="break">{asking.announcement.en}</blockquote>
        </ConfirmDialog>
      )}
    </Page>
  );
}

function useColumns(onAsk: (asking: Asking) => void): Column<AdminAnnouncement>[] {
  const { t } = useTranslation();
  const { language } = useSettings();
  const { absolute } = useFormat();
  return [
    {
      key: "text",
      title: t("admin.announcements.col.text"),
      main: true,
      width: "36%",
      render: (one) => (
        <div className="name-cell">
          <span className="break">{language === "zh-CN" ? one.zh : one.en}</span>
          <span className="small muted">{t(`shell.announcementKind.${one.kind}`)}</span>
        </div>
      ),
    },
    { key: "severity", title: t("admin.announcements.severity"), render: (one) => <Status tone={severityTone[one.severity]}>{t(`admin.announcements.severityOf.${one.severity}`)}</Status> },
    {
      key: "state",
      title: t("operation.col.state"),
      render: (one) => (
        <div className="name-cell">
          <Status tone={stateTone[one.state]}>{t(`admin.announcements.state.${one.state}`)}</Status>
          {one.ended_by && <span className="small muted break">{one.ended_by}</span>}
        </div>
      ),
    },
    {
      key: "times",
      title: t("admin.announcements.col.times"),
      render: (one) => (
        <span className="small">
          {absolute(one.from)} – {one.until ? absolute(one.until) : t("admin.announcements.open")}
        </span>
      ),
    },
    {
      key: "by",
      title: t("clusters.col.createdBy"),
      render: (one) => (
        <div className="name-cell">
          <span className="break">{one.created_by}</span>
          <span className="small muted">
            <Ago time={one.created_at} />
          </span>
        </div>
      ),
    },
    { key: "act", title: t("cluster.actions"), render: (one) => <Actions announcement={one} onAsk={onAsk} /> },
  ];
}

function Actions({ announcement, onAsk }: { announcement: AdminAnnouncement; onAsk: (asking: Asking) => void }) {
  const { t } = useTranslation();
  const words = announcement.en.slice(0, 40);
  if (announcement.state === "ended") return null;
  return (
    <span className="row">
      <Button size="small" aria-label={`${t("admin.announcements.change")}: ${words}`} onClick={() => onAsk({ what: "say", announcement })}>
        {t("admin.announcements.change")}
      </Button>
      <Button size="small" danger aria-label={`${t("admin.announcements.end")}: ${words}`} onClick={() => onAsk({ what: "end", announcement })}>
        {t("admin.announcements.end")}
      </Button>
    </span>
  );
}
