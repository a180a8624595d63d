// What a person holds, in words, without what they have none of.
import { useTranslation } from "react-i18next";
import type { Holder } from "../../api/types";

export function useHeld() {
  const { t } = useTranslation();
  return (person: Holder): string[] => (["sessions", "tokens", "kubeconfigs"] as const).filter((kind) => person[kind] > 0).map((kind) => t(`admin.people.${kind}`, { count: person[kind] }));
}
