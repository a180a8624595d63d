// Signing in with the cloud's own accounts, in one of the ways there are.
import { useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAbout } from "../../api/session";
import { Language, ThemeMenu } from "../../app/HeaderMenus";
import { Logo } from "../../app/Logo";
import { useWindowTitle } from "../../components/Page";
import { Fault } from "../../components/Problem";
import { StatusIcon } from "../../components/Status";
import { CredentialForm } from "./CredentialForm";
import { FederationButtons } from "./FederationButtons";
import { PasswordForm } from "./PasswordForm";

const WAYS = ["password", "credential"] as const;
type Way = (typeof WAYS)[number];

export function SignInPage() {
  const { t } = useTranslation();
  const { next, reason, refused } = useSearch({ from: "/sign-in" });
  const about = useAbout();
  const [way, setWay] = useState<Way>("password");
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
        {refused && <Fault fault={{ code: refused }} alert />}
        {way === "password" ? <PasswordForm next={next} /> : <CredentialForm next={next} />}
        <section className="signin-ways" aria-labelledby="signin-ways">
          <h2 id="signin-ways">{t("shell.signIn.otherWays")}</h2>
          <FederationButtons next={next} />
          {WAYS.filter((other) => other !== way).map((other) => (
            <Button key={other} block onClick={() => setWay(other)}>
              {t(`shell.signIn.way.${other}`)}
            </Button>
          ))}
        </section>
      </main>
      {about.data?.environment === "dev" && <p className="signin-note muted">{t("shell.dev.text")}</p>}
    </div>
  );
}
