// An application credential, by its id or by its name and whose it is. The browser is not to remember its secret as somebody's password.
import { Button, Input, type InputRef } from "antd";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { signInByCredential } from "../../api/session";
import type { CredentialSignIn } from "../../api/types";
import { Choices } from "../../components/Choices";
import { Field } from "../../components/Field";
import { Fault } from "../../components/Problem";
import { useSignIn } from "./useSignIn";

type Given = "id" | "name" | "user" | "domain" | "secret";
type By = "id" | "name";

const FIELDS: Record<By, readonly Given[]> = { id: ["id", "secret"], name: ["name", "user", "domain", "secret"] };

function request(by: By, given: Record<Given, string>): CredentialSignIn {
  const named = by === "id" ? { id: given.id.trim() } : { name: given.name.trim(), username: given.user.trim(), domain: given.domain.trim() || undefined };
  return { ...named, secret: given.secret };
}

export function CredentialForm({ next }: { next?: string }) {
  const { t } = useTranslation();
  const [by, setBy] = useState<By>("id");
  const [given, setGiven] = useState<Record<Given, string>>({ id: "", name: "", user: "", domain: "", secret: "" });
  const [tried, setTried] = useState(false);
  const inputs = useRef<Partial<Record<Given, InputRef | null>>>({});
  const { busy, fault, attempt, forget } = useSignIn(next);
  useEffect(() => inputs.current.id?.focus(), []);

  const fields = FIELDS[by];
  const missing = fields.filter((name) => name !== "domain" && !given[name].trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    forget();
    if (missing[0]) return inputs.current[missing[0]]?.focus();
    return void attempt(
      () => signInByCredential(request(by, given)),
      () => {
        setGiven({ ...given, secret: "" });
        inputs.current.secret?.focus();
        return false;
      },
    );
  };

  const field = (name: Given) => (
    <Field
      key={name}
      label={t(`shell.signIn.credential.${name}`)}
      hint={name === "domain" ? t("shell.signIn.domainHint") : undefined}
      error={tried && missing.includes(name) && !(name === "secret" && fault) ? t("common.required") : undefined}
    >
      {(control) => (
        <Input
          {...control}
          ref={(input) => {
            inputs.current[name] = input;
          }}
          size="large"
          type={name === "secret" ? "password" : "text"}
          autoComplete="off"
          spellCheck={false}
          placeholder={name === "domain" ? "Default" : undefined}
          value={given[name]}
          onChange={(event) => setGiven({ ...given, [name]: event.target.value })}
        />
      )}
    </Field>
  );

  return (
    <form onSubmit={submit} noValidate className="signin-form">
      <p className="muted small">{t("shell.signIn.credential.about")}</p>
      {fault && <Fault fault={fault} alert />}
      <Choices id="signin-by" legend={t("shell.signIn.credential.by")}>
        {(["id", "name"] as const).map((one) => (
          <label key={one} className="check">
            <input type="radio" name="signin-by" checked={by === one} onChange={() => setBy(one)} />
            {t(`shell.signIn.credential.by${one === "id" ? "Id" : "Name"}`)}
          </label>
        ))}
      </Choices>
      {fields.map(field)}
      <Button type="primary" htmlType="submit" size="large" block loading={busy}>
        {t("shell.signIn.submit")}
      </Button>
    </form>
  );
}
