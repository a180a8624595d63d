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

/** All that one may, looking only, one of the two things besides, or what a role of the project names. */
export type May = "all" | "read" | "write" | "exec" | "role";
export const MAYS: readonly May[] = ["all", "read", "write", "exec", "role"];
/** A cluster's own rules know nothing between. */
export const OF_CERTIFICATES: readonly May[] = ["all", "read"];

export interface KubeconfigDraft {
  lifetime: Lifetime;
  /** Where the lifetime is a custom one. */
  hours: number;
  /** Of a certificate. */
  minutes: (typeof CERTIFICATE_MINUTES)[number];
  may: May;
  /** Where it is for a role: its id; empty: none is chosen. */
  role: string;
  allNamespaces: boolean;
  /** Where it is for some of them. */
  namespaces: string;
  name: string;
}

export const emptyDraft: KubeconfigDraft = { lifetime: "day", hours: 8, minutes: 60, may: "all", role: "", allNamespaces: true, namespaces: "", name: "" };

/** The namespaces it is narrowed to; none given: all. */
export function chosenNamespaces(draft: KubeconfigDraft): string[] | undefined {
  return draft.allNamespaces ? undefined : namespaceList(draft.namespaces);
}

/** What is chosen of what there is to choose: a certificate is not wider than the kubeconfig that was chosen before. */
export function mayOf(draft: KubeconfigDraft, direct: boolean): May {
  return direct && draft.may !== "all" ? "read" : draft.may;
}

/** Keys of texts by field. */
export function draftErrors(draft: KubeconfigDraft): Record<string, string> {
  const errors: Record<string, string> = {};
  if (draft.may === "role" && !draft.role) errors.role = "kubeconfig.invalid.role";
  if (draft.allNamespaces) return errors;
  const wrong = namespaceList(draft.namespaces).length === 0 ? "kubeconfig.invalid.namespaces" : namespacesError(draft.namespaces);
  if (wrong) errors.namespaces = wrong;
  return errors;
}

function narrowed(draft: KubeconfigDraft): Pick<KubeconfigRequest, "read_only" | "permissions" | "role"> {
  switch (draft.may) {
    case "write":
      return { permissions: ["kubernetes_write"] };
    case "exec":
      return { permissions: ["kubernetes_exec"] };
    case "role":
      return { role: draft.role };
    default:
      return { read_only: draft.may === "read" };
  }
}

export function kubeconfigRequest(draft: KubeconfigDraft): KubeconfigRequest {
  return {
    expires_in: (draft.lifetime === "custom" ? draft.hours : LIFETIMES[draft.lifetime]) * HOUR,
    name: draft.name.trim() || undefined,
    ...narrowed(draft),
    namespaces: chosenNamespaces(draft),
  };
}

export function certificateRequest(draft: KubeconfigDraft): CertificateRequest {
  return { expires_in: draft.minutes * 60, name: draft.name.trim() || undefined, read_only: mayOf(draft, true) === "read" };
}
