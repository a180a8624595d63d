// What clusters can be built from.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";

const staleTime = 60_000;

/** Versions load again while a node image is being prepared. */
export function useVersions() {
  return useQuery({
    queryKey: ["versions"],
    queryFn: () => unwrap(client.GET("/api/v1/versions")),
    staleTime: 5_000,
    refetchInterval: (query) => (query.state.data?.items.some((version) => version.image_status !== "active") ? 5_000 : false),
  });
}

export function useFlavors() {
  return useQuery({ queryKey: ["flavors"], queryFn: () => unwrap(client.GET("/api/v1/flavors")), staleTime });
}

export function useZones() {
  return useQuery({ queryKey: ["zones"], queryFn: () => unwrap(client.GET("/api/v1/zones")), staleTime });
}

export function useVolumeTypes() {
  return useQuery({ queryKey: ["volume-types"], queryFn: () => unwrap(client.GET("/api/v1/volume-types")), staleTime });
}

/** Networks that nodes may be put into. */
export function useProjectNetworks(enabled = true) {
  return useQuery({ queryKey: ["project-networks"], queryFn: () => unwrap(client.GET("/api/v1/project-networks")), staleTime, enabled });
}

export function useKeyPairs() {
  return useQuery({ queryKey: ["key-pairs"], queryFn: () => unwrap(client.GET("/api/v1/key-pairs")), staleTime });
}

/** What can stand behind a cluster's API load balancer. */
export function useProviders() {
  return useQuery({ queryKey: ["load-balancer-providers"], queryFn: () => unwrap(client.GET("/api/v1/load-balancer-providers")), staleTime });
}

export function useImages() {
  return useQuery({ queryKey: ["images"], queryFn: () => unwrap(client.GET("/api/v1/images")), staleTime });
}

export function useExternalNetworks() {
  return useQuery({ queryKey: ["networks"], queryFn: () => unwrap(client.GET("/api/v1/networks")), staleTime });
}

/** What is offered, and how much of it clusters use. Operators only. */
export function useAdminCatalogue(enabled: boolean) {
  return useQuery({ queryKey: ["admin-catalogue"], queryFn: () => unwrap(client.GET("/api/v1/admin/catalogue")), staleTime: 5_000, refetchInterval: 30_000, enabled });
}
