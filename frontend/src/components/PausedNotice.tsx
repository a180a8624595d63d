// Says that operators hold the engine back, and why.
import { useTranslation } from "react-i18next";
import type { Pause } from "../api/types";
import { StatusIcon } from "./Status";
import { Ago } from "./Time";

export function PausedNotice({ pause }: { pause: Pause }) {
  const { t } = useTranslation();
  return (
    <div className="fault fault-warn" role="status">
      <StatusIcon tone="stopped" />
      <div className="fault-body">
        <p className="fault-title">{t(pause.everything ? "common.paused.everything" : "common.paused.cluster")}</p>
        <p className="break">{pause.reason}</p>
        <p className="muted small">
          {t("common.paused.text")} {pause.by} · <Ago time={pause.since} />
        </p>
      </div>
    </div>
  );
}
