// Operations: lists, one followed live, retry, cancel and receipt.
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { client, unwrap } from "./client";
import { usePageVisible, usePollInterval } from "./live";
import { openEvents, type ServerEvent, type StreamState } from "./sse";
import type { Operation, OperationState } from "./types";

/** Whether nothing more will happen by itself. */
export function ended(state: OperationState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** Whether the engine has it in hand. */
export function running(state: OperationState): boolean {
  return !ended(state);
}

export interface OperationFilter {
  cluster_id?: string;
  state?: OperationState;
  cursor?: string;
  limit?: number;
}

export function useOperations(filter: OperationFilter) {
  const refetchInterval = usePollInterval();
  return useQuery({
    queryKey: ["operations", filter],
    queryFn: () => unwrap(client.GET("/api/v1/operations", { params: { query: filter } })),
    refetchInterval,
    placeholderData: keepPreviousData,
  });
}

/** An operation as it was told, with the revision of the telling (0 when it was asked for instead). */
export interface Followed {
  operation: Operation;
  revision: number;
}

/** Takes in one event. What is older than what is known is dropped, and progress never falls except after a retry. */
export function follow(known: Followed | undefined, event: ServerEvent): Followed | undefined {
  if (event.event !== "operation") return known;
  const revision = Number(event.id) || 0;
  if (known && revision > 0 && revision <= known.revision) return known;
  let operation: Operation;
  try {
    operation = JSON.parse(event.data) as Operation;
  } catch {
    return known;
  }
  if (known && known.operation.retries === operation.retries && operation.progress < known.operation.progress) {
    operation = { ...operation, progress: known.operation.progress };
  }
  return { operation, revision };
}

/** Takes in a polled answer; it has no revision, so it never overrides an ended state by an older one. */
export function followPoll(known: Followed | undefined, operation: Operation): Followed {
  if (known && known.operation.retries > operation.retries) return known;
  if (known && known.operation.retries === operation.retries && ended(known.operation.state) && !ended(operation.state)) return known;
  return { operation, revision: known?.revision ?? 0 };
}

export type Feed = "live" | "polling" | "done";

/** One operation, followed by its event stream, or by asking every 3 s where the stream does not come through. */
export function useOperation(id: string): { operation: Operation | undefined; feed: Feed; error: unknown; refetch: () => void } {
  const queryClient = useQueryClient();
  const visible = usePageVisible();
  const key = ["operation", id] as const;
  const [stream, setStream] = useState<StreamState>("connecting");
  const query = useQuery({
    queryKey: key,
    queryFn: async () => {
      const operation = await unwrap(client.GET("/api/v1/operations/{id}", { params: { path: { id } } }));
      return followPoll(queryClient.getQueryData<Followed>(["operation", id]), operation);
    },
    refetchInterval: (current) => {
      if (current.state.data && ended(current.state.data.operation.state)) return false;
      return stream === "live" ? false : 3_000;
    },
    refetchIntervalInBackground: true,
  });
  const state = query.data?.operation.state;
  const following = visible && state !== undefined && !ended(state);
  useEffect(() => {
    if (!following) return undefined;
    const last = () => queryClient.getQueryData<Followed>(["operation", id]);
    return openEvents(`/api/v1/operations/${encodeURIComponent(id)}/events`, {
      onEvent: (event) => {
        const next = follow(last(), event);
        if (next && next !== last()) queryClient.setQueryData<Followed>(["operation", id], next);
      },
      onState: setStream,
      isDone: () => {
        const now = last();
        return now !== undefined && ended(now.operation.state);
      },
    });
  }, [following, id, queryClient]);
  const over = state !== undefined && ended(state);
  useEffect(() => {
    if (over) void queryClient.invalidateQueries({ predicate: (other) => ["clusters", "cluster", "operations"].includes(String(other.queryKey[0])) });
  }, [over, queryClient]);
  return {
    operation: query.data?.operation,
    feed: over ? "done" : stream === "live" && following ? "live" : "polling",
    error: query.data ? null : query.error,
    refetch: () => void query.refetch(),
  };
}

export async function retryOperation(id: string): Promise<Operation> {
  const answer = await unwrap(client.POST("/api/v1/operations/{id}/retry", { params: { path: { id } } }));
  return answer.operation;
}

export async function cancelOperation(id: string): Promise<Operation> {
  const answer = await unwrap(client.POST("/api/v1/operations/{id}/cancel", { params: { path: { id } } }));
  return answer.operation;
}

export function useReceipt(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ["operation", id, "receipt"],
    queryFn: () => unwrap(client.GET("/api/v1/operations/{id}/receipt", { params: { path: { id } } })),
    enabled,
  });
}
