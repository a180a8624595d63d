// What the person may do: in all of the project by the session, with a cluster by what the cluster itself says.
import { useCluster } from "./clusters";
import { useSession } from "./session";
import type { Cluster, Permission } from "./types";

/** Whether the person may do this in all of the project. */
export function useMay(permission: Permission): boolean {
  return useSession().permissions.includes(permission);
}

/** Whether the person may do this with a cluster; with one that is not loaded yet nothing. */
export function may(cluster: Pick<Cluster, "permissions"> | undefined, permission: Permission): boolean {
  return cluster?.permissions.includes(permission) ?? false;
}

/** Whether the person may do this with a cluster of which only the id is known; asks for the cluster only where `wanted` and the answer depends on it. */
export function useMayWith(cluster: string, permission: Permission, wanted: boolean): boolean {
  const everywhere = useMay(permission);
  const { data } = useCluster(cluster, wanted && !everywhere);
  return everywhere || may(data, permission);
}

/** Whether the person sees only the clusters and namespaces of the project that were given to them. */
export function useGuest(): boolean {
  return useSession().roles.includes("guest");
}

/** Whether other people's tokens are shown to the person, and theirs to revoke. */
export function useSeesAllTokens(): boolean {
  return useSession().roles.some((role) => role === "member" || role === "owner");
}
