// Changes a setting of a cluster and loads again what shows it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { updateCluster } from "../../api/clusters";
import type { Cluster, ClusterSettings } from "../../api/types";
import { useErrorText } from "../../components/Problem";
import { useToast } from "../../components/Toast";

/** `told`: what is said once it is so. */
export function useSetting(cluster: Cluster, told: (settings: ClusterSettings) => string, onDone?: () => void) {
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  return useMutation({
    mutationFn: (settings: ClusterSettings) => updateCluster(cluster.id, settings),
    onSuccess: (changed, settings) => {
      queryClient.setQueryData(["cluster", cluster.id], changed);
      void queryClient.invalidateQueries({ queryKey: ["cluster", cluster.id] });
      notify(told(settings));
      onDone?.();
    },
    onError: (error) => notify(errorText(error), "bad"),
  });
}
