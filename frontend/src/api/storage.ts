// Storage of a cluster: its classes, read and changed as the person who is signed in, and its volumes from both sides.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { StorageClassRequest } from "./types";

export const classesKey = (id: string) => ["kubernetes", id, "storage-classes"];

export function useStorageClasses(id: string, enabled: boolean) {
  return useQuery({
    queryKey: classesKey(id),
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/kubernetes/storage-classes", { params: { path: { id } } })),
    enabled,
    refetchInterval: 10_000,
    retry: false,
  });
}

/** Volumes of workloads, as the cluster and the cloud know them. */
export function useVolumes(id: string) {
  return useQuery({
    queryKey: ["cluster", id, "volumes"],
    queryFn: () => unwrap(client.GET("/api/v1/clusters/{id}/volumes", { params: { path: { id } } })),
    refetchInterval: 10_000,
  });
}

export function createStorageClass(id: string, body: StorageClassRequest) {
  return unwrap(client.POST("/api/v1/clusters/{id}/kubernetes/storage-classes", { params: { path: { id } }, body }));
}

/** In the place of the class that is the default now. */
export function chooseDefaultClass(id: string, name: string) {
  return unwrap(client.PUT("/api/v1/clusters/{id}/kubernetes/storage-classes/{name}/default", { params: { path: { id, name } } }));
}

export function deleteStorageClass(id: string, name: string) {
  return unwrap(client.DELETE("/api/v1/clusters/{id}/kubernetes/storage-classes/{name}", { params: { path: { id, name } } }));
}
