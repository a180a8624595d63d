// One value of the settings: its control, what the configuration says in its place, who set it, and the way back.
import { InputNumber } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { SettingValue } from "../../api/types";
import { Field } from "../../components/Field";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";
import { fieldId } from "../create/ErrorSummary";
import { useKeyName } from "./Differences";
import { AS_CONFIGURED, type NumberDraft } from "./settingsDraft";

export const settingId = (key: string) => fieldId(`settings.${key}`);

interface OriginProps {
  value: SettingValue;
  /** Whether the form has something else than the configuration. */
  own: boolean;
  onReset: () => void;
}

export function Origin({ value, own, onReset }: OriginProps) {
  const { t } = useTranslation();
  const name = useKeyName()(value.key);
  return (
    <p className="setting-origin small muted">
      <code>{value.key}</code>
      {value.set_by && value.set_at && (
        <span className="break">
          {t("admin.settings.setBy", { name: value.set_by })} <Ago time={value.set_at} />
        </span>
      )}
      {own && (
        <button type="button" className="text-button" aria-label={t("admin.settings.resetOf", { name })} onClick={onReset}>
          {t("admin.settings.reset")}
        </button>
      )}
    </p>
  );
}

interface NoneProps {
  name: string;
  text: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** None at all, which is not the same as what the configuration says. */
export function NoneBox({ name, text, checked, onChange }: NoneProps) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      <span>
        <span className="sr-only">{name} </span>
        {text}
      </span>
    </label>
  );
}

interface NumberProps {
  value: SettingValue;
  draft: NumberDraft;
  most: number;
  /** The word for none, where there may be none. */
  none?: string;
  error?: string;
  onChange: (draft: NumberDraft) => void;
}

export function NumberSetting({ value, draft, most, none, error, onChange }: NumberProps) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const name = useKeyName()(value.key);
  const configured = typeof value.configured === "number" ? amount(value.configured) : (none ?? "");
  return (
    <SettingBox value={value} own={draft.none || draft.value !== null} onReset={() => onChange(AS_CONFIGURED)}>
      <Field label={name} error={error} id={settingId(value.key)}>
        {(field) => (
          <InputNumber
            {...field}
            min={1}
            max={most}
            precision={0}
            disabled={draft.none}
            placeholder={draft.none ? none : t("admin.settings.asConfigured", { value: configured })}
            value={draft.value}
            onChange={(next) => onChange({ none: false, value: next })}
          />
        )}
      </Field>
      {none && <NoneBox name={name} text={none} checked={draft.none} onChange={(checked) => onChange({ none: checked, value: null })} />}
    </SettingBox>
  );
}

export function SettingBox({ children, ...origin }: OriginProps & { children: ReactNode }) {
  return (
    <div className="setting">
      {children}
      <Origin {...origin} />
    </div>
  );
}
