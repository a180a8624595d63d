// What follows once an operation was accepted: the cluster is loaded again, the dialog closes, the timeline opens.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { OperationAccepted } from "../../api/types";

export function useOperationStarted(clusterId: string, onClose: () => void) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return (answer: OperationAccepted) => {
    void queryClient.invalidateQueries({ queryKey: ["cluster", clusterId] });
    onClose();
    void navigate({ to: "/operations/$id", params: { id: answer.operation.id } });
  };
}
