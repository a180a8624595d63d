// The one stream a tab keeps open for lists: a change of any cluster makes them load again. Without it lists poll faster.
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import { sessionKey } from "./session";
import { openEvents } from "./sse";

/** Whether changes are pushed to this tab at the moment. */
export const LiveContext = createContext(false);

const LIVE_KEYS = new Set(["clusters", "cluster", "operations", "admin-clusters", "admin-operations", "queue", "costs"]);

/** Loads again what changes with clusters, at most every 700 ms. */
export function throttledRefresh(queryClient: QueryClient, wait = 700): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const refresh = () => {
    if (timer) {
      again = true;
      return;
    }
    void queryClient.invalidateQueries({ predicate: (query) => LIVE_KEYS.has(String(query.queryKey[0])) });
    timer = setTimeout(() => {
      timer = undefined;
      if (again) {
        again = false;
        refresh();
      }
    }, wait);
  };
  return refresh;
}

/** Whether the tab is seen. A hidden one holds no stream: browsers allow six connections to a server over HTTP/1.1. */
export function usePageVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const update = () => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", update);
    return () => document.removeEventListener("visibilitychange", update);
  }, []);
  return visible;
}

/** Keeps the stream open while the tab is visible; answers whether it is live. */
export function useLiveStream(): boolean {
  const queryClient = useQueryClient();
  const visible = usePageVisible();
  const [live, setLive] = useState(false);
  useEffect(() => {
    if (!visible) return undefined;
    const refresh = throttledRefresh(queryClient);
    let interrupted = false;
    const stop = openEvents("/api/v1/events", {
      onEvent: (event) => {
        if (event.event !== "heartbeat") refresh();
      },
      onState: (state) => {
        setLive(state === "live");
        if (state === "live" && interrupted) {
          // What happened during a break is not told again. A change of what the person may do breaks the stream, too.
          refresh();
          void queryClient.invalidateQueries({ queryKey: sessionKey });
        }
        interrupted = interrupted || state === "waiting";
      },
    });
    return () => {
      stop();
      setLive(false);
    };
  }, [queryClient, visible]);
  return live;
}

/** How often a list is loaded again by itself. */
export function usePollInterval(): number {
  return useContext(LiveContext) ? 30_000 : 5_000;
}
