// What operators tell everybody who is signed in.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { AnnouncementRequest } from "./types";

export const announcementsKey = ["announcements"] as const;

/** What is to be said now. */
export function useAnnouncements() {
  return useQuery({ queryKey: [...announcementsKey, "now"], queryFn: () => unwrap(client.GET("/api/v1/announcements")), refetchInterval: 60_000 });
}

/** All of them, ended ones too. Operators only. */
export function useAllAnnouncements(enabled: boolean) {
  return useQuery({ queryKey: [...announcementsKey, "all"], queryFn: () => unwrap(client.GET("/api/v1/admin/announcements")), refetchInterval: 15_000, enabled });
}

/** Says something new, or (with an id) something in the place of that. */
export function announce(id: string | undefined, body: AnnouncementRequest) {
  return id === undefined ? unwrap(client.POST("/api/v1/admin/announcements", { body })) : unwrap(client.PUT("/api/v1/admin/announcements/{id}", { params: { path: { id } }, body }));
}

export function endAnnouncement(id: string) {
  return unwrap(client.DELETE("/api/v1/admin/announcements/{id}", { params: { path: { id } } }));
}
