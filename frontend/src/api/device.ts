// A program that waits for a person to sign it in, by the code that it shows.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { DeviceAnswer } from "./types";

/** Codes are asked for as rarely as can be: the server counts them, to slow down those who guess. */
export function useDeviceSignIn(code: string) {
  return useQuery({
    queryKey: ["device", code],
    queryFn: () => unwrap(client.GET("/api/v1/device/{user_code}", { params: { path: { user_code: code } } })),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

export function answerDevice(code: string, body: DeviceAnswer) {
  return unwrap(client.POST("/api/v1/device/{user_code}", { params: { path: { user_code: code } }, body }));
}
