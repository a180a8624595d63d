// A deed of an operator's in the queue: says that it was done or why not, and shows all of it anew.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { adminOperationsKey, queueKey } from "../../api/queue";
import { useToast } from "../../components/Toast";

export const queueStale = [queueKey, adminOperationsKey, ["admin-clusters"], ["clusters"], ["cluster"], ["operations"], ["operation"]];

export function useQueueDeed(said: string, onDone?: () => void, onError?: (error: Error) => void) {
  const queryClient = useQueryClient();
  const notify = useToast();
  return useMutation({
    mutationFn: (deed: () => Promise<unknown>) => deed(),
    onSuccess: () => {
      notify(said);
      onDone?.();
    },
    onError,
    onSettled: () => {
      for (const queryKey of queueStale) void queryClient.invalidateQueries({ queryKey });
    },
  });
}
