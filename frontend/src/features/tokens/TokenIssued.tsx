// A new token's secret, which is nowhere but on this screen, and how it is used.
import { CopyOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { ApiTokenIssued } from "../../api/types";
import { CopyButton, useCopy } from "../../components/Copy";
import { Status } from "../../components/Status";
import { useFormat } from "../../i18n/format";

/** The secret is asked for, so that it stays out of the shell's history. */
const ASK = "read -rs KCS_TOKEN && export KCS_TOKEN";

export function TokenIssued({ issued }: { issued: ApiTokenIssued }) {
  const { t } = useTranslation();
  const { absolute } = useFormat();
  const { copy } = useCopy();
  const first = useRef<HTMLButtonElement>(null);
  // The button that was pressed is gone with the form: the focus goes to what is to be done now.
  useEffect(() => first.current?.focus(), []);
  const call = `curl -H "Authorization: Bearer $KCS_TOKEN" ${window.location.origin}/api/v1/clusters`;
  return (
    <div className="stack">
      <p>
        <Status tone="ok">{t("token.issuedFor", { name: issued.name, time: absolute(issued.expires_at) })}</Status>
      </p>
      <div className="field">
        <span className="field-label">{t("token.secret")}</span>
        <code className="token-secret" data-testid="token">
          {issued.secret}
        </code>
        <p className="field-hint">{t("token.once")}</p>
      </div>
      <div className="row">
        <Button type="primary" ref={first} icon={<CopyOutlined aria-hidden="true" />} onClick={() => copy(issued.secret)}>
          {t("token.copy")}
        </Button>
      </div>
      <Command name={t("token.ask")} text={ASK} />
      <Command name={t("token.call")} text={call} />
    </div>
  );
}

function Command({ name, text }: { name: string; text: string }) {
  return (
    <div className="field">
      <span className="field-label">{name}</span>
      <span className="copyable command">
        <code>{text}</code>
        <CopyButton text={text} what={name} />
      </span>
    </div>
  );
}
