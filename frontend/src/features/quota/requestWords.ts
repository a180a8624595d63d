// The words and tones of requests for more.
import { useTranslation } from "react-i18next";
import type { Limited, QuotaRequestState } from "../../api/types";
import type { Tone } from "../../components/Status";
import { useFormat } from "../../i18n/format";

export const requestTone: Record<QuotaRequestState, Tone> = { pending: "wait", approved: "ok", declined: "bad", withdrawn: "stopped" };

/** In the order of the lists. */
export const LIMITED: readonly Limited[] = ["clusters", "nodes", "vcpus", "memory_gib", "volumes", "volume_gib"];

/** What is asked for, one text for each resource. */
export function useWantedWords() {
  const { t } = useTranslation();
  const { amount } = useFormat();
  return (wanted: Record<string, number>): string[] =>
    LIMITED.flatMap((resource) => {
      const value = wanted[resource];
      return value === undefined ? [] : [t("quota.wantedOf", { resource: t(`create.quota.${resource}`), amount: amount(value) })];
    });
}
