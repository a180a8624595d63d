// The price list: that of the configuration, none, or one of the operators' own.
import { CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";
import type { Prices, SettingValue } from "../../api/types";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { SettingBox, settingId } from "./Setting";
import { PRICE_LISTS, PRICE_MODES, type PriceListName, type PriceMode, type PriceRow, type PricesDraft } from "./settingsDraft";

interface Props {
  value: SettingValue;
  draft: PricesDraft;
  /** By key: `prices.flavors`. */
  errors: Record<string, string>;
  onChange: (draft: PricesDraft) => void;
}

export function PriceSetting({ value, draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const configured = (value.configured as Prices | null | undefined) ?? null;
  const said = configured ? t("admin.settings.asConfigured", { value: configured.currency }) : t("admin.settings.asConfigured", { value: t("admin.settings.none.prices") });
  const text: Record<PriceMode, string> = { configured: said, none: t("admin.settings.none.prices"), own: t("admin.settings.ownPrices") };
  return (
    <SettingBox value={value} own={draft.mode !== "configured"} onReset={() => onChange({ ...draft, mode: "configured" })}>
      <Field label={t("admin.settings.nameOf.prices")} error={errors.prices} id={settingId("prices")}>
        {(field) => <Select {...field} value={draft.mode} onChange={(mode) => onChange({ ...draft, mode: mode as PriceMode })} options={PRICE_MODES.map((mode) => ({ value: mode, label: text[mode] }))} />}
      </Field>
      {draft.mode === "own" && (
        <>
          <div className="setting-grid">
            <Field label={t("admin.settings.currency")} hint={t("admin.settings.currencyHint")} error={errors["prices.currency"]} id={settingId("prices.currency")}>
              {(field) => <Input {...field} maxLength={20} autoComplete="off" value={draft.currency} onChange={(event) => onChange({ ...draft, currency: event.target.value })} />}
            </Field>
            {(["load_balancer", "floating_ip"] as const).map((name) => (
              <Field key={name} label={t(`admin.settings.priceOf.${name}`)} error={errors[`prices.${name}`]} id={settingId(`prices.${name}`)}>
                {(field) => <InputNumber {...field} min={0} max={999_999_999} placeholder="0" value={draft[name]} onChange={(price) => onChange({ ...draft, [name]: price })} />}
              </Field>
            ))}
          </div>
          {PRICE_LISTS.map((list) => (
            <PriceRows key={list} list={list} rows={draft[list]} error={errors[`prices.${list}`]} onChange={(rows) => onChange({ ...draft, [list]: rows })} />
          ))}
        </>
      )}
    </SettingBox>
  );
}

interface RowsProps {
  list: PriceListName;
  rows: PriceRow[];
  error?: string;
  onChange: (rows: PriceRow[]) => void;
}

function PriceRows({ list, rows, error, onChange }: RowsProps) {
  const { t } = useTranslation();
  const title = t(`admin.settings.priceOf.${list}`);
  const replace = (index: number, part: Partial<PriceRow>) => onChange(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  return (
    <div id={settingId(`prices.${list}`)} tabIndex={-1} className="price-rows" role="group" aria-label={title}>
      <span className="field-label">{title}</span>
      {rows.map((row, index) => (
        <div key={index} className="price-row">
          <Input aria-label={t("admin.settings.priceName")} placeholder={t("admin.settings.priceName")} autoComplete="off" value={row.name} onChange={(event) => replace(index, { name: event.target.value })} />
          <InputNumber aria-label={t("admin.settings.price")} placeholder={t("admin.settings.price")} min={0} max={999_999_999} value={row.price} onChange={(price) => replace(index, { price })} />
          <button type="button" className="icon-button" aria-label={t("create.removeRow", { name: row.name || String(index + 1) })} onClick={() => onChange(rows.filter((_, at) => at !== index))}>
            <CloseOutlined aria-hidden="true" />
          </button>
        </div>
      ))}
      {error && <p className="field-error">{error}</p>}
      <div>
        <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden="true" />} onClick={() => onChange([...rows, { name: "", price: null }])}>
          {t("admin.settings.addPrice")}
        </Button>
      </div>
    </div>
  );
}
