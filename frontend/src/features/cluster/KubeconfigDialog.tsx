// Getting a kubeconfig: one that is issued, for how long and how narrow, and then shown once; the one without a secret, which is there for everybody; or,
// where that is switched on, a certificate that leads past the gate.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { issueCertificate, issueKubeconfig } from "../../api/clusters";
import { useMay } from "../../api/permissions";
import { useAbout } from "../../api/session";
import type { Cluster } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { fieldOf, useRefusals } from "../access/useRefusals";
import { focusField } from "../create/ErrorSummary";
import { certificateRequest, draftErrors, emptyDraft, kubeconfigRequest } from "./kubeconfigDraft";
import { KubeconfigExec } from "./KubeconfigExec";
import { KubeconfigForm } from "./KubeconfigForm";
import { KubeconfigIssued } from "./KubeconfigIssued";
import { KubeconfigKinds, type KubeconfigKind } from "./KubeconfigKinds";

/** What the server says of the lifetime: how long is the operator's choice, which the form cannot know. */
const lifetimeRefusal = (error: unknown) => (isApiError(error) ? error.problem.errors?.find(({ field }) => field === "expires_in")?.message : undefined);

export default function KubeconfigDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  // What `kcs login` gets is an API token.
  const maySignIn = useMay("token_create");
  const mayPass = useAbout().data?.direct_access === true && cluster.spec.direct_access === true;
  const kinds: KubeconfigKind[] = ["token", ...(maySignIn ? (["exec"] as const) : []), ...(mayPass ? (["direct"] as const) : [])];
  const [kind, setKind] = useState<KubeconfigKind>("token");
  const [draft, setDraft] = useState(emptyDraft);
  const [tried, setTried] = useState(false);
  const formId = useId();
  const direct = kind === "direct";
  const issue = useMutation<{ kubeconfig: string; expires_at: string }>({
    mutationFn: () => (direct ? issueCertificate(cluster.id, certificateRequest(draft)) : issueKubeconfig(cluster.id, kubeconfigRequest(draft))),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ["cluster", cluster.id, direct ? "certificates" : "kubeconfigs"] }),
    onError: (error) => {
      const field = isApiError(error) ? error.problem.errors?.[0]?.field : undefined;
      if (field) focusField(`kubeconfig.${fieldOf(field)}`);
    },
    // The file leaves the memory together with the dialog.
    gcTime: 0,
  });
  const wrong = direct ? {} : draftErrors(draft);
  const refusals = useRefusals(issue.error);
  const tooLong = lifetimeRefusal(issue.error);
  const errors = { ...refusals };
  if (tooLong) errors.expires_in = t("kubeconfig.invalid.expiry", { message: tooLong });
  if (tried) for (const [field, key] of Object.entries(wrong)) errors[field] = t(key);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (issue.isPending) return;
    setTried(true);
    const [first] = Object.keys(wrong);
    if (first) focusField(`kubeconfig.${first}`);
    else issue.mutate();
  };
  if (issue.data) {
    return (
      <Dialog width={680} title={t("kubeconfig.issued")} onCancel={onClose} mask={{ closable: false }} footer={<Button onClick={onClose}>{t("kubeconfig.done")}</Button>}>
        <KubeconfigIssued issued={issue.data} request={direct ? certificateRequest(draft) : kubeconfigRequest(draft)} file={direct ? `${cluster.name}-direct` : cluster.name} />
      </Dialog>
    );
  }
  return (
    <Dialog
      width={680}
      title={t("kubeconfig.issueTitle", { cluster: cluster.name })}
      okText={t("kubeconfig.issue")}
      okButtonProps={{ loading: issue.isPending, htmlType: "submit", form: formId }}
      cancelText={t("cluster.close")}
      onCancel={onClose}
      footer={kind === "exec" ? <Button onClick={onClose}>{t("kubeconfig.done")}</Button> : undefined}
    >
      <div className="stack">
        {kinds.length > 1 && (
          <KubeconfigKinds
            kinds={kinds}
            kind={kind}
            onChange={(chosen) => {
              setKind(chosen);
              setTried(false);
              issue.reset();
            }}
          />
        )}
        {kind === "exec" ? (
          <KubeconfigExec cluster={cluster} />
        ) : (
          <form id={formId} className="stack" onSubmit={submit} noValidate>
            <p>{t(direct ? "kubeconfig.directText" : "kubeconfig.text")}</p>
            <KubeconfigForm
              direct={direct}
              draft={draft}
              errors={errors}
              onChange={(part) => {
                setDraft({ ...draft, ...part });
                issue.reset();
              }}
            />
            {issue.error && Object.keys(refusals).length === 0 && <Fault alert fault={faultOf(issue.error)} />}
          </form>
        )}
      </div>
    </Dialog>
  );
}
