// What operators set for the whole installation, over what its configuration says. Operators only.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { SettingsRequest } from "./types";

export const installationKey = ["installation"] as const;

const refetchInterval = 15_000;

export function useInstallation(enabled: boolean) {
  return useQuery({ queryKey: [...installationKey, "now"], queryFn: () => unwrap(client.GET("/api/v1/admin/settings")), refetchInterval, enabled });
}

/** What was set before, the newest first. */
export function useInstallationHistory(cursor: string | undefined, enabled: boolean) {
  return useQuery({
    queryKey: [...installationKey, "history", cursor],
    queryFn: () => unwrap(client.GET("/api/v1/admin/settings/history", { params: { query: { cursor, limit: 10 } } })),
    refetchInterval,
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** What saving this would come to. Where the audit log would be handed on, one line is sent. */
export function testSettings(body: SettingsRequest) {
  return unwrap(client.POST("/api/v1/admin/settings/test", { body }));
}

/** Takes the place of all that was set before. */
export function saveSettings(body: SettingsRequest) {
  return unwrap(client.PUT("/api/v1/admin/settings", { body }));
}
