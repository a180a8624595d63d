// What operators have to say, at the top of every page. What is not critical can be put away until the browser's session ends, or it is said otherwise.
import { NotificationOutlined, ToolOutlined, WarningOutlined } from "@ant-design/icons";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAnnouncements } from "../api/announcements";
import type { Announcement } from "../api/types";
import { useFormat } from "../i18n/format";
import { useSettings } from "./settings";

const KEY = "kcs.announcementsClosed";

/** What was put away, in the words that it had. */
const keyOf = (announcement: Announcement) => `${announcement.id} ${announcement.changed_at}`;

function putAway(): string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return [];
  }
}

export function Announcements() {
  const announcements = useAnnouncements();
  const [closed, setClosed] = useState(putAway);
  const close = (announcement: Announcement) => {
    const next = [...closed, keyOf(announcement)].slice(-100);
    setClosed(next);
    try {
      sessionStorage.setItem(KEY, JSON.stringify(next));
    } catch {
      // Storage may be forbidden: it is then put away as long as the page lasts.
    }
  };
  const shown = announcements.data?.items.filter((one) => one.severity === "critical" || !closed.includes(keyOf(one))) ?? [];
  return shown.map((one) => <Banner key={keyOf(one)} announcement={one} onClose={() => close(one)} />);
}

function Banner({ announcement, onClose }: { announcement: Announcement; onClose: () => void }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const { absolute } = useFormat();
  const { kind, severity, from, until } = announcement;
  const Icon = severity === "critical" ? WarningOutlined : kind === "maintenance" ? ToolOutlined : NotificationOutlined;
  const name = t(`shell.announcementKind.${kind}`);
  return (
    <aside className={`dev-notice notice-${severity}`} aria-label={name}>
      <Icon aria-hidden="true" />
      <p className="break">
        <strong>{kind === "maintenance" && until ? `${name} ${absolute(from)} – ${absolute(until)}` : name}</strong> {language === "zh-CN" ? announcement.zh : announcement.en}
      </p>
      {severity !== "critical" && (
        <button type="button" className="text-button" onClick={onClose}>
          {t("shell.dev.close")}
        </button>
      )}
    </aside>
  );
}
