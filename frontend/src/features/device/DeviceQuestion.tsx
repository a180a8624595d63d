// What asks to be signed in, for which project and how long, and the person's answer.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { answerDevice } from "../../api/device";
import { useSession } from "../../api/session";
import type { DeviceSignIn } from "../../api/types";
import { Card, Definitions } from "../../components/Page";
import { Fault, faultOf } from "../../components/Problem";
import { StatusIcon } from "../../components/Status";
import { Ago } from "../../components/Time";
import type { Answered } from "./DeviceAnswered";

/** Seconds that the token will be good for. */
const LIFETIMES = { hours: 8 * 3600, day: 24 * 3600, month: 30 * 24 * 3600 } as const;

type Lifetime = keyof typeof LIFETIMES;

interface Props {
  code: string;
  asked: DeviceSignIn;
  onAnswered: (answered: Answered) => void;
}

export function DeviceQuestion({ code, asked, onAnswered }: Props) {
  const { t } = useTranslation();
  const session = useSession();
  const queryClient = useQueryClient();
  const [lifetime, setLifetime] = useState<Lifetime>("hours");
  const answer = useMutation({
    mutationFn: (allow: boolean) => answerDevice(code, { allow, expires_in: LIFETIMES[lifetime] }),
    onSuccess: (_, allow) => {
      void queryClient.invalidateQueries({ queryKey: ["tokens"] });
      onAnswered(allow ? "allowed" : "denied");
    },
  });
  const over = isApiError(answer.error) && answer.error.status === 404;
  return (
    <Card title={t("device.question", { client: asked.client_name, host: asked.host_name })}>
      <div className="stack">
        <div className="fault fault-warn">
          <StatusIcon tone="warn" />
          <div className="fault-body">
            <p className="fault-title">{t("device.compare")}</p>
            <p className="device-code" data-testid="code">
              {code}
            </p>
            <p>{t("device.phishing")}</p>
          </div>
        </div>
        <Definitions
          items={[
            { label: t("device.client"), value: asked.client_name },
            { label: t("device.host"), value: asked.host_name },
            { label: t("device.source"), value: <code>{asked.source}</code> },
            { label: t("device.askedAt"), value: <Ago time={asked.created_at} /> },
            { label: t("device.speaksFor"), value: session.user.name },
            { label: t("device.project"), value: session.project.name },
          ]}
        />
        {session.projects.length > 1 && <p className="field-hint">{t("device.otherProject")}</p>}
        <fieldset className="choices">
          <legend className="field-label">{t("device.lifetime")}</legend>
          <div className="row">
            {(Object.keys(LIFETIMES) as Lifetime[]).map((choice) => (
              <label key={choice} className="check">
                <input type="radio" name="device-lifetime" checked={lifetime === choice} onChange={() => setLifetime(choice)} />
                <span>{t(`device.lifetimeOf.${choice}`)}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <p>{t("device.may")}</p>
        {answer.error && !over && <Fault alert fault={faultOf(answer.error)} />}
        {over && (
          <p role="alert" className="field-error">
            {t("device.over")}
          </p>
        )}
        <div className="row">
          <Button type="primary" disabled={over} loading={answer.isPending && answer.variables} onClick={() => answer.mutate(true)}>
            {t("device.allow")}
          </Button>
          <Button danger disabled={over} loading={answer.isPending && !answer.variables} onClick={() => answer.mutate(false)}>
            {t("device.deny")}
          </Button>
        </div>
      </div>
    </Card>
  );
}
