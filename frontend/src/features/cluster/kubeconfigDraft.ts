// What is in the form of a kubeconfig, what is wrong in it, and the request it becomes.
import type { CertificateRequest, KubeconfigRequest } from "../../api/types";
import { namespaceList, namespacesError } from "../access/namespaces";

const HOUR = 3600;
export const LIFETIMES = { hour: 1, day: 24, month: 30 * 24 } as const;
export type Lifetime = keyof typeof LIFETIMES | "custom";

/** As long as any operator can allow: a year. */
export const MOST_HOURS = 365 * 24;

/** Minutes that a certificate past the gate is good for. */
export const CERTIFICATE_MINUTES = [15, 30, 60] as const;

export interface KubeconfigDraft {
  lifetime: Lifetime;
  /** Where the lifetime is a custom one. */
  hours: number;
  /** Of a certificate. */
  minutes: (typeof CERTIFICATE_MINUTES)[number];
  readOnly: boolean;
  allNamespaces: boolean;
  /** Where it is for some of them. */
  namespaces: string;
  name: string;
}

export const emptyDraft: KubeconfigDraft = { lifetime: "day", hours: 8, minutes: 60, readOnly: false, allNamespaces: true, namespaces: "", name: "" };

/** The namespaces it is narrowed to; none given: all. */
export function chosenNamespaces(draft: KubeconfigDraft): string[] | undefined {
  return draft.allNamespaces ? undefined : namespaceList(draft.namespaces);
}

/** Keys of texts by field. */
export function draftErrors(draft: KubeconfigDraft): Record<string, string> {
  if (draft.allNamespaces) return {};
  const wrong = namespaceList(draft.namespaces).length === 0 ? "kubeconfig.invalid.namespaces" : namespacesError(draft.namespaces);
  return wrong ? { namespaces: wrong } : {};
}

export function kubeconfigRequest(draft: KubeconfigDraft): KubeconfigRequest {
  return {
    expires_in: (draft.lifetime === "custom" ? draft.hours : LIFETIMES[draft.lifetime]) * HOUR,
    name: draft.name.trim() || undefined,
    read_only: draft.readOnly,
    namespaces: chosenNamespaces(draft),
  };
}

export function certificateRequest(draft: KubeconfigDraft): CertificateRequest {
  return { expires_in: draft.minutes * 60, name: draft.name.trim() || undefined, read_only: draft.readOnly };
}
