// Where the audit log is handed on to, and what is sent along, which is never shown again.
import { Input } from "antd";
import { useTranslation } from "react-i18next";
import type { AdminSettings } from "../../api/types";
import { Field } from "../../components/Field";
import { NoneBox, SettingBox, settingId } from "./Setting";
import { valueOf, type SettingsDraft } from "./settingsDraft";

interface Props {
  settings: AdminSettings;
  draft: SettingsDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<SettingsDraft>) => void;
}

export function ForwardSetting({ settings, draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const value = valueOf(settings, "audit.forward");
  const { none, address } = draft.forward;
  const nowhere = t("admin.settings.none.forward");
  const configured = typeof value.configured === "string" ? value.configured : nowhere;
  const name = t("admin.settings.nameOf.forward");
  return (
    <SettingBox value={value} own={none || address !== ""} onReset={() => onChange({ forward: { none: false, address: "" } })}>
      <Field label={name} hint={t("admin.settings.forwardHint")} error={errors["audit.forward"]} id={settingId("audit.forward")}>
        {(field) => (
          <Input
            {...field}
            autoComplete="off"
            spellCheck={false}
            maxLength={2000}
            disabled={none}
            placeholder={none ? nowhere : t("admin.settings.asConfigured", { value: configured })}
            value={address}
            onChange={(event) => onChange({ forward: { none: false, address: event.target.value } })}
          />
        )}
      </Field>
      <NoneBox name={name} text={nowhere} checked={none} onChange={(checked) => onChange({ forward: { none: checked, address: "" } })} />
    </SettingBox>
  );
}

export function AuthorizationSetting({ settings, draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const value = valueOf(settings, "audit.forward_authorization");
  const isSet = Boolean(value.set_by);
  const { remove, text } = draft.authorization;
  const name = t("admin.settings.nameOf.forward_authorization");
  const there = isSet ? t("admin.settings.secretSet") : value.configured === true ? t("admin.settings.asConfigured", { value: t("admin.settings.secretThere") }) : t("admin.settings.secretNone");
  return (
    <SettingBox value={value} own={text !== ""} onReset={() => onChange({ authorization: { remove: false, text: "" } })}>
      <Field label={name} hint={t("admin.settings.secretHint")} error={errors["audit.forward_authorization"]} id={settingId("audit.forward_authorization")}>
        {(field) => (
          <Input.Password
            {...field}
            autoComplete="new-password"
            visibilityToggle={false}
            maxLength={4096}
            disabled={remove}
            placeholder={remove ? t("admin.settings.secretGoes") : there}
            value={text}
            onChange={(event) => onChange({ authorization: { remove: false, text: event.target.value } })}
          />
        )}
      </Field>
      {isSet && <NoneBox name={name} text={t("admin.settings.secretRemove")} checked={remove} onChange={(checked) => onChange({ authorization: { remove: checked, text: "" } })} />}
    </SettingBox>
  );
}
