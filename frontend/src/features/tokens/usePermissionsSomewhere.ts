// What the person may do anywhere in the project: a token can be for no more than that.
import { useClusters } from "../../api/clusters";
import { useMembers, useRoles } from "../../api/members";
import { useGuest } from "../../api/permissions";
import { useSession } from "../../api/session";
import type { CustomRole, Member, Permission } from "../../api/types";
import { OF_NO_CLUSTER } from "./tokenDraft";

const INSIDE: readonly Permission[] = ["kubernetes_write", "kubernetes_exec"];

/** What people who were given namespaces may do inside of those; clusters only tell of what is done with all of them. */
export function insideNamespaces(places: Member["places"], roles: readonly CustomRole[]): Permission[] {
  const given = places.filter((place) => place.namespace).map((place) => place.role);
  const own = roles.filter((role) => given.includes(role.id)).flatMap((role) => role.permissions);
  return INSIDE.filter((permission) => given.includes("member") || own.includes(permission));
}

export function usePermissionsSomewhere(): ReadonlySet<Permission> {
  const { permissions } = useSession();
  const guest = useGuest();
  const clusters = useClusters({ limit: 200 });
  const members = useMembers(guest);
  const roles = useRoles(guest);
  const me = members.data?.items.find((member) => member.me);
  const ofClusters = (clusters.data?.items ?? []).flatMap((cluster) => cluster.permissions).filter((permission) => !OF_NO_CLUSTER.has(permission));
  return new Set([...permissions, ...ofClusters, ...insideNamespaces(me?.places ?? [], roles.data?.items ?? [])]);
}
