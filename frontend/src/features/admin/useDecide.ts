// Says what is to become of an orphan, and shows the list anew.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { decideOrphan } from "../../api/orphans";
import type { Orphan, OrphanDecision } from "../../api/types";
import { useToast } from "../../components/Toast";

export function useDecide(onDone?: () => void) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  return useMutation({
    mutationFn: ({ orphan, decision }: { orphan: Orphan; decision: OrphanDecision }) => decideOrphan(orphan.id, decision),
    onSuccess: (_, { orphan, decision }) => {
      notify(t(`admin.orphans.said.${decision}`, { name: orphan.name }));
      onDone?.();
    },
    // Also after a refusal: what was asked about may be gone.
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ["orphans"] }),
  });
}
