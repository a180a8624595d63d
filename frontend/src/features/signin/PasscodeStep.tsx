// The second step: what the authenticator shows, sent together with the password, which is kept nowhere but on this page until then.
import { Button, Input, type InputRef } from "antd";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { signIn, type Credentials } from "../../api/session";
import { Field } from "../../components/Field";
import { Fault } from "../../components/Problem";
import { useSignIn } from "./useSignIn";

const REFUSED = "KCS-AUTH-003";

export function PasscodeStep({ credentials, next, onBack }: { credentials: Credentials; next?: string; onBack: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<"shell.signIn.passcodeForm" | "shell.signIn.passcodeRefused" | null>(null);
  const input = useRef<InputRef>(null);
  const { busy, fault, attempt, forget } = useSignIn(next);
  useEffect(() => input.current?.focus(), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    forget();
    // As authenticators show it: 123 456.
    const passcode = text.replaceAll(/\s/g, "");
    if (!/^\d{6,10}$/.test(passcode)) {
      setWrong("shell.signIn.passcodeForm");
      return input.current?.focus();
    }
    setWrong(null);
    return void attempt(
      () => signIn({ ...credentials, passcode }),
      (code) => {
        setText("");
        input.current?.focus();
        if (code === REFUSED) setWrong("shell.signIn.passcodeRefused");
        return code === REFUSED;
      },
    );
  };

  return (
    <form onSubmit={submit} noValidate className="signin-form">
      <p>{t("shell.signIn.passcodeOf", { user: credentials.username })}</p>
      {fault && <Fault fault={fault} alert />}
      <Field label={t("shell.signIn.passcode")} hint={t("shell.signIn.passcodeHint")} error={wrong ? t(wrong) : undefined}>
        {(field) => (
          <Input {...field} ref={input} size="large" inputMode="numeric" autoComplete="one-time-code" maxLength={12} value={text} onChange={(event) => setText(event.target.value)} />
        )}
      </Field>
      <Button type="primary" htmlType="submit" size="large" block loading={busy}>
        {t("shell.signIn.submit")}
      </Button>
      <Button type="link" block onClick={onBack}>
        {t("shell.signIn.back")}
      </Button>
    </form>
  );
}
