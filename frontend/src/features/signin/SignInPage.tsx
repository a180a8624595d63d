// Signing in with the cloud's own accounts.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { Button, Input, type InputRef } from "antd";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { forgetData, sessionKey, signIn, useAbout } from "../../api/session";
import { Language, ThemeMenu } from "../../app/HeaderMenus";
import { Logo } from "../../app/Logo";
import { Field } from "../../components/Field";
import { useWindowTitle } from "../../components/Page";
import { Fault, faultOfProblem, type FaultWords } from "../../components/Problem";
import { StatusIcon } from "../../components/Status";

export function SignInPage() {
  const { t } = useTranslation();
  const { next, reason } = useSearch({ from: "/sign-in" });
  const about = useAbout();
  useWindowTitle(t("shell.signIn.title"));
  return (
    <div className="signin">
      <div className="signin-tools">
        <Language />
        <ThemeMenu />
      </div>
      <main className="signin-card card">
        <div className="signin-brand">
          <Logo />
          <div>
            <h1>{t("shell.product")}</h1>
            <p className="muted">{t("shell.signIn.subtitle")}</p>
          </div>
        </div>
        {reason === "expired" && (
          <div className="fault fault-warn" role="status">
            <StatusIcon tone="warn" />
            <p className="fault-body">{t("shell.signIn.expired")}</p>
          </div>
        )}
        <SignInForm next={next} />
      </main>
      {about.data?.environment === "dev" && <p className="signin-note muted">{t("shell.dev.text")}</p>}
    </div>
  );
}

function SignInForm({ next }: { next?: string }) {
  const { t } = useTranslation();
  const router = useRouter();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [domain, setDomain] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<FaultWords | null>(null);
  const userInput = useRef<InputRef>(null);
  const passwordInput = useRef<InputRef>(null);
  useEffect(() => userInput.current?.focus(), []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    setFault(null);
    if (!user.trim()) return userInput.current?.focus();
    if (!password) return passwordInput.current?.focus();
    setBusy(true);
    try {
      const session = await signIn({ username: user.trim(), password, domain: domain.trim() || undefined });
      forgetData(queryClient);
      queryClient.setQueryData(sessionKey, session);
      // Only an address of our own: the parameter comes from the address bar.
      if (next?.startsWith("/") && !next.startsWith("//")) router.history.push(next);
      else await navigate({ to: "/" });
    } catch (error) {
      setFault(isApiError(error) ? faultOfProblem(error.problem) : { code: "unknown" });
      setPassword("");
      passwordInput.current?.focus();
    } finally {
      setBusy(false);
    }
    return undefined;
  };

  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="signin-form">
      {fault && <Fault fault={fault} alert />}
      <Field label={t("shell.signIn.user")} error={tried && !user.trim() ? t("common.required") : undefined}>
        {(field) => <Input {...field} ref={userInput} size="large" autoComplete="username" value={user} onChange={(event) => setUser(event.target.value)} />}
      </Field>
      <Field label={t("shell.signIn.password")} error={tried && !password && !fault ? t("common.required") : undefined}>
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
