// What is in the form of a member, what is wrong in it, and the request it becomes.
import type { Member, MemberRequest } from "../../api/types";
import { namespacesError } from "../access/namespaces";

export interface PlaceDraft {
  /** Tells rows apart while they are on the screen. */
  key: number;
  cluster: string;
  /** Whether all of the cluster is meant. It is said, not left out, so that nobody gives a cluster away by an empty field. */
  whole: boolean;
  namespace: string;
  role: string;
}

export interface MemberDraft {
  role: string;
  places: PlaceDraft[];
}

/** As many as the server takes. */
export const MOST_PLACES = 100;

/** What counts for the person now. */
export function draftOf(member: Member): MemberDraft {
  const places = member.places.map(({ cluster, namespace, role }, key) => ({ key, cluster, whole: !namespace, namespace: namespace ?? "", role }));
  return { role: member.role ?? member.keystone ?? "guest", places };
}

/** The least there is to give: looking, in one namespace. */
export function withPlace(draft: MemberDraft): MemberDraft {
  const key = Math.max(-1, ...draft.places.map((place) => place.key)) + 1;
  return { ...draft, places: [...draft.places, { key, cluster: "", whole: false, namespace: "", role: "reader" }] };
}

const spot = (place: PlaceDraft) => `${place.cluster}/${place.whole ? "" : place.namespace.trim()}`;

/** Keys of texts by the API's path. */
export function draftErrors(draft: MemberDraft): Record<string, string> {
  const errors: Record<string, string> = {};
  const seen = new Set<string>();
  for (const [index, place] of draft.places.entries()) {
    const at = `places[${index}]`;
    const name = place.namespace.trim();
    if (place.cluster === "") errors[`${at}.cluster`] = "common.required";
    if (!place.whole && name === "") errors[`${at}.namespace`] = "common.required";
    else if (!place.whole && (/[\s,]/.test(name) || namespacesError(name))) errors[`${at}.namespace`] = "member.invalid.namespace";
    else if (place.cluster !== "" && seen.has(spot(place))) errors[at] = "member.invalid.twice";
    seen.add(spot(place));
  }
  return errors;
}

export function memberRequest(draft: MemberDraft): MemberRequest {
  return { role: draft.role, places: draft.places.map(({ cluster, whole, namespace, role }) => ({ cluster, ...(!whole && { namespace: namespace.trim() }), role })) };
}
