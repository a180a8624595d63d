// Making an API token, and then its secret, shown once.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { createToken } from "../../api/tokens";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useRefusals } from "../access/useRefusals";
import { focusField } from "../create/ErrorSummary";
import { draftErrors, emptyDraft, tokenRequest, type TokenDraft } from "./tokenDraft";
import { TokenForm } from "./TokenForm";
import { TokenIssued } from "./TokenIssued";
import { usePermissionsSomewhere } from "./usePermissionsSomewhere";

export default function TokenDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const owners = usePermissionsSomewhere();
  const [draft, setDraft] = useState<TokenDraft>(emptyDraft);
  const formId = useId();
  const [tried, setTried] = useState(false);
  const create = useMutation({
    mutationFn: () => createToken(tokenRequest(draft, owners)),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ["tokens"] }),
    // The secret leaves the memory together with the dialog.
    gcTime: 0,
  });
  const wrong = draftErrors(draft, owners);
  const refusals = useRefusals(create.error);
  const said = Object.keys(refusals).length > 0;
  const errors = { ...refusals };
  if (tried) for (const [field, key] of Object.entries(wrong)) errors[field] = t(key);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (create.isPending) return;
    setTried(true);
    const [first] = Object.keys(wrong);
    if (first) focusField(`token.${first}`);
    else create.mutate();
  };
  if (create.data) {
    return (
      <Dialog width={680} title={t("token.issued")} onCancel={onClose} mask={{ closable: false }} footer={<Button onClick={onClose}>{t("kubeconfig.done")}</Button>}>
        <TokenIssued issued={create.data} />
      </Dialog>
    );
  }
  return (
    <Dialog width={680} title={t("token.create")} okText={t("token.create")} okButtonProps={{ loading: create.isPending, htmlType: "submit", form: formId }} cancelText={t("cluster.close")} onCancel={onClose}>
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <p>{t("token.description")}</p>
        <TokenForm
          draft={draft}
          errors={errors}
          owners={owners}
          onChange={(part) => {
            setDraft({ ...draft, ...part });
            create.reset();
          }}
        />
        {create.error && !said && <Fault alert fault={faultOf(create.error)} />}
      </form>
    </Dialog>
  );
}
