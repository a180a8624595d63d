// Signing in a program (kcs login): the person checks what asks and by which code, and allows or denies it.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button, Input, type InputRef } from "antd";
import { useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useDeviceSignIn } from "../../api/device";
import { Forbidden } from "../../app/FallbackPages";
import { Field } from "../../components/Field";
import { Card, Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { StatusIcon } from "../../components/Status";
import { DeviceAnswered, type Answered } from "./DeviceAnswered";
import { DeviceQuestion } from "./DeviceQuestion";
import { codeOf } from "./userCode";
import "./device.css";

export function DevicePage() {
  const { t } = useTranslation();
  const { code: given } = useSearch({ from: "/app/device" });
  const code = given === undefined ? null : codeOf(given);
  return (
    <Page title={t("device.title")} description={t("device.description")}>
      <div className="device">
        {code ? <Asked key={code} code={code} /> : <CodeForm wrong={given !== undefined} />}
      </div>
    </Page>
  );
}

/** What stands behind a code that has the form of one. */
function Asked({ code }: { code: string }) {
  const { t } = useTranslation();
  const asked = useDeviceSignIn(code);
  const [answered, setAnswered] = useState<Answered | null>(null);
  if (answered && asked.data) return <DeviceAnswered answered={answered} asked={asked.data} />;
  if (asked.data) return <DeviceQuestion code={code} asked={asked.data} onAnswered={setAnswered} />;
  if (isApiError(asked.error) && asked.error.status === 404) return <CodeForm wrong />;
  return (
    <Card>
      {isApiError(asked.error) && asked.error.status === 403 ? (
        <Forbidden text={t("device.forbidden")} />
      ) : asked.error ? (
        <LoadProblem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Loading rows={4} />
      )}
    </Card>
  );
}

/** Typing the code. `wrong`: the one that was given is none, or no longer. */
function CodeForm({ wrong = false }: { wrong?: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate({ from: "/device" });
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const input = useRef<InputRef>(null);
  const code = codeOf(typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (code) void navigate({ search: { code } });
    else input.current?.focus();
  };
  return (
    <Card>
      <form className="stack" onSubmit={submit} noValidate>
        {wrong && !tried && (
          <div className="fault fault-warn" role="alert">
            <StatusIcon tone="warn" />
            <div className="fault-body">
              <p className="fault-title">{t("device.unknown")}</p>
              <p>{t("device.unknownText")}</p>
            </div>
          </div>
        )}
        <Field label={t("device.code")} hint={t("device.codeHint")} error={tried && !code ? t("device.codeForm") : undefined}>
          {(field) => (
            <Input {...field} ref={input} size="large" className="device-code" autoComplete="off" autoCapitalize="characters" spellCheck={false} maxLength={20} placeholder="XXXX-XXXX" value={typed} onChange={(event) => setTyped(event.target.value)} />
          )}
        </Field>
        <div className="row">
          <Button type="primary" htmlType="submit">
            {t("device.continue")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
