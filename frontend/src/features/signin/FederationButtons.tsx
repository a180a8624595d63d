// The identity providers that the cloud trusts, a button each: the browser leaves the console and comes back signed in.
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { beginFederation, useFederation } from "../../api/session";
import { useSettings } from "../../app/settings";
import { Fault, faultOfProblem, type FaultWords } from "../../components/Problem";

export function FederationButtons({ next }: { next?: string }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const providers = useFederation();
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<FaultWords | null>(null);
  const leave = async (provider: string) => {
    setBusy(provider);
    setFault(null);
    try {
      // It stays busy: the page is on its way out.
      window.location.assign(await beginFederation(provider, next));
    } catch (error) {
      setFault(isApiError(error) ? faultOfProblem(error.problem) : { code: "unknown" });
      setBusy(null);
    }
  };
  return (
    <>
      {fault && <Fault fault={fault} alert />}
      {providers.map(({ id, label, label_zh }) => (
        <Button key={id} block loading={busy === id} disabled={busy !== null && busy !== id} onClick={() => void leave(id)}>
          {t("shell.signIn.with", { provider: language === "zh-CN" ? label_zh : label })}
        </Button>
      ))}
    </>
  );
}
