// The plan of what is in the form, asked for when typing pauses, and its words by field.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { planCluster } from "../../api/clusters";
import type { Check, ClusterRequest } from "../../api/types";
import { useExplain } from "../../components/Problem";
import { useFormat } from "../../i18n/format";

export function useDebounced<T>(value: T, wait: number): T {
  const [settled, setSettled] = useState(value);
  const text = JSON.stringify(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(text) as T), wait);
    return () => clearTimeout(timer);
  }, [text, wait]);
  return settled;
}

export function usePlan(request: ClusterRequest | null) {
  const settled = useDebounced(request, 400);
  return useQuery({
    queryKey: ["plan", settled],
    queryFn: () => (settled ? planCluster(settled) : Promise.reject(new Error("nothing to plan"))),
    enabled: settled !== null,
    placeholderData: keepPreviousData,
    staleTime: 5_000,
    refetchInterval: 20_000,
    retry: false,
  });
}

/** What a check found, in the reader's language where its code and values say it all. */
export function useCheckText() {
  const { t, i18n } = useTranslation();
  const explain = useExplain();
  const { amount, memory } = useFormat();
  const text = (check: Pick<Check, "code" | "message" | "params">): string => {
    const code = check.code ?? "";
    const key = [`create.detail.${code}-${String(check.params.reason)}`, `create.detail.${code}`].find((one) => i18n.exists(one));
    if (key) {
      const params: Record<string, unknown> = { ...check.params };
      const format = params.resource === "ram_mib" ? memory : amount;
      for (const name of ["need", "left", "used", "limit", "over", "surplus"]) if (typeof params[name] === "number") params[name] = format(params[name]);
      if (typeof params.resource === "string" && i18n.exists(`create.quota.${params.resource}`)) params.resource = t(`create.quota.${params.resource}`);
      return t(key, params);
    }
    return [code ? explain(code).title : "", check.message].filter(Boolean).join(": ");
  };
  // What would be made of a template, where operators change it.
  return (check: Pick<Check, "code" | "message" | "params">): string => {
    const { template }: Record<string, unknown> = { ...check.params };
    return typeof template === "string" ? t("create.ofTemplate", { template, text: text(check) }) : text(check);
  };
}

/** What the server says about single fields: of a plan's checks, or of a refused request. */
export function useServerErrors(checks: Check[] | undefined, error: unknown): Record<string, string> {
  const { t, i18n } = useTranslation();
  const explain = useExplain();
  const checkText = useCheckText();
  const errors: Record<string, string> = {};
  for (const check of checks ?? []) if (check.level === "blocked" && check.field) errors[check.field] ??= checkText(check);
  if (isApiError(error)) {
    const { problem } = error;
    for (const entry of problem.errors ?? []) {
      const code: string = entry.code ?? "";
      const known = code !== "" && code !== "KCS-INPUT-001" && i18n.exists(`error.${code}.title`);
      errors[entry.field] ??= known ? `${explain(code).title} (${entry.message})` : t("create.invalid.server", { message: entry.message });
    }
  }
  return errors;
}
