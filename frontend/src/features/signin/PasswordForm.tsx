// User name and password, as they are in the cloud; and, where the cloud wants it, the passcode of an authenticator as a second step.
import { Button, Input, type InputRef } from "antd";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { signIn } from "../../api/session";
import { Field } from "../../components/Field";
import { Fault } from "../../components/Problem";
import { PasscodeStep } from "./PasscodeStep";
import { useSignIn } from "./useSignIn";

const PASSCODE_WANTED = "KCS-AUTH-012";

export function PasswordForm({ next }: { next?: string }) {
  const { t } = useTranslation();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [domain, setDomain] = useState("");
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState(false);
  const userInput = useRef<InputRef>(null);
  const passwordInput = useRef<InputRef>(null);
  const { busy, fault, attempt, forget } = useSignIn(next);
  useEffect(() => {
    if (!asked) userInput.current?.focus();
  }, [asked]);

  const credentials = { username: user.trim(), password, domain: domain.trim() || undefined };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    forget();
    if (!user.trim()) return userInput.current?.focus();
    if (!password) return passwordInput.current?.focus();
    return void attempt(
      () => signIn(credentials),
      (code) => {
        setTried(false);
        if (code === PASSCODE_WANTED) {
          setAsked(true);
          return true;
        }
        setPassword("");
        passwordInput.current?.focus();
        return false;
      },
    );
  };
  const leave = () => {
    setAsked(false);
    setPassword("");
  };

  if (asked) return <PasscodeStep credentials={credentials} next={next} onBack={leave} />;
  return (
    <form onSubmit={submit} noValidate className="signin-form">
      {fault && <Fault fault={fault} alert />}
      <Field label={t("shell.signIn.user")} error={tried && !user.trim() ? t("common.required") : undefined}>
        {(field) => <Input {...field} ref={userInput} size="large" autoComplete="username" value={user} onChange={(event) => setUser(event.target.value)} />}
      </Field>
      <Field label={t("shell.signIn.password")} error={tried && !password ? t("common.required") : undefined}>
        {(field) => (
          <Input {...field} ref={passwordInput} size="large" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        )}
      </Field>
      <details className="signin-more">
        <summary>{t("shell.signIn.advanced")}</summary>
        <Field label={t("shell.signIn.domain")} hint={t("shell.signIn.domainHint")}>
          {(field) => <Input {...field} autoComplete="organization" placeholder="Default" value={domain} onChange={(event) => setDomain(event.target.value)} />}
        </Field>
      </details>
      <Button type="primary" htmlType="submit" size="large" block loading={busy}>
        {t("shell.signIn.submit")}
      </Button>
    </form>
  );
}
