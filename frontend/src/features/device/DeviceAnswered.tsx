// What came of the answer, and where the access can be taken back.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { DeviceSignIn } from "../../api/types";
import { Card } from "../../components/Page";
import { Status } from "../../components/Status";

export type Answered = "allowed" | "denied";

export function DeviceAnswered({ answered, asked }: { answered: Answered; asked: DeviceSignIn }) {
  const { t } = useTranslation();
  const text = useRef<HTMLDivElement>(null);
  // The button that was pressed is gone: the focus goes to what came of it.
  useEffect(() => text.current?.focus(), []);
  return (
    <Card>
      <div className="stack" ref={text} tabIndex={-1} role="status">
        <p>
          <Status tone={answered === "allowed" ? "ok" : "off"}>{t(`device.answered.${answered}`, { host: asked.host_name })}</Status>
        </p>
        <p>{t(`device.then.${answered}`)}</p>
        {answered === "allowed" && (
          <p>
            <Link to="/tokens">{t("device.toTokens")}</Link>
          </p>
        )}
      </div>
    </Card>
  );
}
