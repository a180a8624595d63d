// Asks before something is done that hurts; does it, says that it was done, and shows a refusal where the person is.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { QueryKey } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "./Dialog";
import { Fault, faultOf } from "./Problem";
import { useToast } from "./Toast";

interface Props<Done> {
  title: string;
  /** What happens, and to whom. */
  children: ReactNode;
  /** The word on the button. */
  submit: string;
  /** Nothing is lost by it. */
  harmless?: boolean;
  width?: number;
  /** Nothing can be done as things stand; the children say why. */
  disabled?: boolean;
  act: () => Promise<Done>;
  /** What is said afterwards. */
  done: (result: Done) => string;
  /** What was read before and is read anew; also after a refusal: things may have changed meanwhile. */
  stale: QueryKey[];
  onClose: () => void;
}

export function ConfirmDialog<Done>({ title, children, submit, harmless = false, width, disabled, act, done, stale, onClose }: Props<Done>) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const deed = useMutation({
    mutationFn: act,
    onSuccess: (result) => {
      notify(done(result));
      onClose();
    },
    onSettled: () => {
      for (const queryKey of stale) void queryClient.invalidateQueries({ queryKey });
    },
  });
  return (
    <Dialog
      title={title}
      width={width}
      okText={submit}
      okButtonProps={{ danger: !harmless, type: "primary", disabled, loading: deed.isPending }}
      cancelText={t("cluster.close")}
      onOk={() => deed.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        {children}
        {deed.error && <Fault alert fault={faultOf(deed.error)} />}
      </div>
    </Dialog>
  );
}
