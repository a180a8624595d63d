// A list of what is offered: that of the configuration, or one of the operators' own that begins with it.
import { CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { SettingValue } from "../../api/types";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { useKeyName } from "./Differences";
import { SettingBox, settingId } from "./Setting";

interface Props<R extends object> {
  value: SettingValue;
  configured: R[];
  /** null: as configured. */
  rows: R[] | null;
  nameOf: (row: R) => string;
  /** What is added. */
  empty: R;
  add: string;
  error?: string;
  onChange: (rows: R[] | null) => void;
  /** The fields of a row, whose keys begin with `at`. */
  children: (row: R, at: string, change: (part: Partial<R>) => void) => ReactNode;
}

export function OfferList<R extends object>({ value, configured, rows, nameOf, empty, add, error, onChange, children }: Props<R>) {
  const { t } = useTranslation();
  const own = rows ?? [];
  const names = configured.map(nameOf).join(t("create.comma")) || t("admin.settings.value.none");
  const modes = [
    { value: "configured", label: t("admin.settings.asConfigured", { value: names }) },
    { value: "own", label: t("admin.settings.ownList") },
  ];
  return (
    <SettingBox value={value} own={rows !== null} onReset={() => onChange(null)}>
      <Field label={useKeyName()(value.key)} error={error} id={settingId(value.key)}>
        {(field) => <Select {...field} value={rows ? "own" : "configured"} onChange={(mode) => onChange(mode === "own" ? configured : null)} options={modes} />}
      </Field>
      {own.map((row, index) => (
        <div key={index} className="offer-row" role="group" aria-label={nameOf(row) || String(index + 1)}>
          {children(row, `${value.key}[${index}]`, (part) => onChange(own.map((one, at) => (at === index ? { ...one, ...part } : one))))}
          <button type="button" className="icon-button" aria-label={t("create.removeRow", { name: nameOf(row) || String(index + 1) })} onClick={() => onChange(own.filter((_, at) => at !== index))}>
            <CloseOutlined aria-hidden="true" />
          </button>
        </div>
      ))}
      {rows && (
        <div>
          <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden="true" />} onClick={() => onChange([...rows, empty])}>
            {add}
          </Button>
        </div>
      )}
    </SettingBox>
  );
}
