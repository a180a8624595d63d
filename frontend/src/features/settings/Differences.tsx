// What a change of settings changes, key by key; of a price list price by price, of versions and templates part by part.
import { useTranslation } from "react-i18next";
import type { Prices, SettingDifference } from "../../api/types";
import { useFormat } from "../../i18n/format";
import { differences as parts } from "../audit/differences";

/** The name of a key, as the form has it. */
export function useKeyName() {
  const { t } = useTranslation();
  return (key: string): string => {
    const name = key.split(".").at(-1) ?? key;
    return t(`admin.settings.nameOf.${name}`);
  };
}

interface Line {
  name: string;
  before: unknown;
  after: unknown;
}

const isList = (value: unknown): value is object => typeof value === "object" && value !== null;

function linesOf({ before, after }: SettingDifference, name: string): Line[] {
  if (!isList(before) || !isList(after)) return [{ name, before, after }];
  const changed = parts({ before: { list: before }, after: { list: after } }).filter((part) => part.changed);
  // Another order of the same.
  if (changed.length === 0) return [{ name, before, after }];
  return changed.map((part) => ({ name: [name, ...part.path.slice(1)].join(" \u203a "), before: part.before ?? null, after: part.after ?? null }));
}

export function Differences({ differences }: { differences: SettingDifference[] }) {
  const { t } = useTranslation();
  const keyName = useKeyName();
  const text = useValueText();
  const lines = differences.flatMap((difference) => linesOf(difference, keyName(difference.key)));
  return (
    <ul className="setting-differences">
      {lines.map(({ name, before, after }) => (
        <li key={name} className="break">
          {name}
          {t("admin.settings.colon")}
          {before === true && after === true ? (
            <ins>{t("admin.settings.value.anew")}</ins>
          ) : (
            <>
              <del>{text(before)}</del> <span aria-hidden="true">→</span> <ins>{text(after)}</ins>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** A value as a difference has it: absent, it is as configured. */
function useValueText() {
  const { t } = useTranslation();
  const { amount } = useFormat();
  return (value: unknown): string => {
    if (value === undefined) return t("admin.settings.value.configured");
    if (value === null) return t("admin.settings.value.none");
    if (value === true) return t("admin.settings.value.set");
    if (typeof value === "number") return amount(value);
    if (Array.isArray(value)) return value.every((one) => typeof one === "string") && value.length > 0 ? value.join(t("create.comma")) : t("admin.settings.value.entries", { count: value.length });
    if (isList(value)) {
      const { currency, flavors = {}, volume_gib = {} } = value as Prices;
      return t("admin.settings.value.prices", { currency, amount: amount(Object.keys(flavors).length + Object.keys(volume_gib).length) });
    }
    return String(value);
  };
}
