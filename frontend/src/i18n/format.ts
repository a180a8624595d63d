// Times, spans and amounts in the reader's language.
import { useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

/** Seconds as "2 min 10 s": the two largest units. */
export function spanParts(seconds: number): [number, "d" | "h" | "min" | "s"][] {
  const whole = Math.max(0, Math.round(seconds));
  const all: [number, "d" | "h" | "min" | "s"][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor((whole % 86_400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ];
  const first = all.findIndex(([amount]) => amount > 0);
  if (first < 0) return [[0, "s"]];
  return all.slice(first, first + 2).filter(([amount], index) => index === 0 || amount > 0);
}

/** An amount of money with two decimals, more where small prices need them. A currency may be any word the operator chose. */
export function moneyText(language: string, value: number, currency: string, digits: number): string {
  const decimals = { minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, digits) };
  if (/^[A-Z]{3}$/.test(currency)) return new Intl.NumberFormat(language, { style: "currency", currency, ...decimals }).format(value);
  return `${new Intl.NumberFormat(language, decimals).format(value)} ${currency}`;
}

export function useFormat() {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const dateTime = useMemo(() => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }), [language]);
  const relativeFormat = useMemo(() => new Intl.RelativeTimeFormat(language, { numeric: "auto" }), [language]);
  const number = useMemo(() => new Intl.NumberFormat(language), [language]);

  const span = useCallback((seconds: number) => spanParts(seconds).map(([amount, unit]) => t(`unit.${unit}`, { amount })).join(" "), [t]);

  const relative = useCallback(
    (time: string, now: number = Date.now()) => {
      const seconds = Math.round((new Date(time).getTime() - now) / 1000);
      const size = Math.abs(seconds);
      if (size < 60) return relativeFormat.format(seconds, "second");
      if (size < 3600) return relativeFormat.format(Math.round(seconds / 60), "minute");
      if (size < 86_400) return relativeFormat.format(Math.round(seconds / 3600), "hour");
      return relativeFormat.format(Math.round(seconds / 86_400), "day");
    },
    [relativeFormat],
  );

  const absolute = useCallback((time: string) => dateTime.format(new Date(time)), [dateTime]);
  const amount = useCallback((value: number) => number.format(value), [number]);
  const memory = useCallback((mib: number) => (mib % 1024 === 0 || mib >= 10_240 ? `${number.format(Math.round((mib / 1024) * 10) / 10)} GiB` : `${number.format(mib)} MiB`), [number]);

  const money = useCallback((value: number, currency: string, digits: number) => moneyText(language, value, currency, digits), [language]);

  return { span, relative, absolute, amount, memory, money };
}

/** The time now, told again every `every` ms while `active`. */
export function useNow(every = 1000, active = true): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!active) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every, active]);
  return now;
}
