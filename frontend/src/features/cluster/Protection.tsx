// Whether a cluster is protected against deletion, and switching it: on at once, off after a question.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { protectCluster } from "../../api/clusters";
import { useMayWrite } from "../../api/session";
import type { Cluster } from "../../api/types";
import { useErrorText } from "../../components/Problem";
import { useToast } from "../../components/Toast";

const Dialog = lazy(() => import("../../components/Dialog").then((part) => ({ default: part.Dialog })));

/** Switches the protection and loads again what shows it. */
export function useProtect(cluster: Cluster, onDone?: () => void) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  return useMutation({
    mutationFn: (on: boolean) => protectCluster(cluster.id, on),
    onSuccess: (changed, on) => {
      queryClient.setQueryData(["cluster", cluster.id], changed);
      void queryClient.invalidateQueries({ queryKey: ["cluster", cluster.id] });
      notify(t(on ? "cluster.protection.switchedOn" : "cluster.protection.switchedOff"));
      onDone?.();
    },
    onError: (error) => notify(errorText(error), "bad"),
  });
}

export function Protection({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const mayWrite = useMayWrite();
  const id = useId();
  const [asking, setAsking] = useState(false);
  const on = cluster.spec.deletion_protection;
  const protect = useProtect(cluster, () => setAsking(false));
  const word = on ? t("cluster.on") : t("cluster.off");
  if (!mayWrite || cluster.status.phase === "Deleting") return word;
  return (
    <span className="row">
      <button
        type="button"
        role="switch"
        className="switch"
        aria-checked={on}
        aria-busy={protect.isPending}
        aria-label={t("create.protection")}
        aria-describedby={id}
        onClick={() => {
          if (protect.isPending) return;
          if (on) setAsking(true);
          else protect.mutate(true);
        }}
      />
      <span>{word}</span>
      <span id={id} className="sr-only">
        {t("create.protectionHint")}
      </span>
      <Suspense fallback={null}>
        {asking && (
          <Dialog
            title={t("cluster.protection.offTitle", { name: cluster.name })}
            okText={t("cluster.protection.off")}
            cancelText={t("cluster.close")}
            okButtonProps={{ danger: true, type: "primary", loading: protect.isPending }}
            onOk={() => protect.mutate(false)}
            onCancel={() => setAsking(false)}
          >
            <p>{t("cluster.protection.offText")}</p>
          </Dialog>
        )}
      </Suspense>
    </span>
  );
}
