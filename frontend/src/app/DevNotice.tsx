// In a development environment, what is real and what is simulated, said plainly at the top of every page.
import { InfoCircleOutlined } from "@ant-design/icons";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAbout } from "../api/session";

const KEY = "kcs.devNoticeClosed";

export function DevNotice() {
  const { t } = useTranslation();
  const about = useAbout();
  const [closed, setClosed] = useState(() => sessionStorage.getItem(KEY) === "yes");
  if (about.data?.environment !== "dev" || closed) return null;
  return (
    <aside className="dev-notice" aria-label={t("shell.dev.name")}>
      <InfoCircleOutlined aria-hidden="true" />
      <p>
        <strong>{t("shell.dev.name")}</strong> {t("shell.dev.text")}
      </p>
      <button
        type="button"
        className="text-button"
        onClick={() => {
          sessionStorage.setItem(KEY, "yes");
          setClosed(true);
        }}
      >
        {t("shell.dev.close")}
      </button>
    </aside>
  );
}
