// Issuing a kubeconfig: for how long, and then the file itself, shown once.
import { CopyOutlined, DownloadOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Input, InputNumber } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { issueKubeconfig } from "../../api/clusters";
import { useSession } from "../../api/session";
import type { Cluster, KubeconfigIssued } from "../../api/types";
import { CopyButton, saveFile, useCopy } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOfProblem } from "../../components/Problem";
import { Status } from "../../components/Status";
import { useFormat } from "../../i18n/format";

const HOUR = 3600;
const PRESETS = { hour: HOUR, day: 24 * HOUR, month: 30 * 24 * HOUR } as const;
type Choice = keyof typeof PRESETS | "custom";

export default function KubeconfigDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [choice, setChoice] = useState<Choice>("day");
  const [hours, setHours] = useState(8);
  const [name, setName] = useState("");
  const issue = useMutation({
    mutationFn: () => issueKubeconfig(cluster.id, choice === "custom" ? hours * HOUR : PRESETS[choice], name.trim() || undefined),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ["cluster", cluster.id, "kubeconfigs"] }),
  });
  const issued = issue.data;
  const problem = isApiError(issue.error) ? issue.error.problem : null;
  return (
    <Dialog
      width={680}
      title={issued ? t("kubeconfig.issued") : t("kubeconfig.issueTitle", { cluster: cluster.name })}
      onCancel={onClose}
      footer={
        issued ? (
          <Button onClick={onClose}>{t("kubeconfig.done")}</Button>
        ) : (
          <>
            <Button onClick={onClose}>{t("cluster.close")}</Button>
            <Button type="primary" loading={issue.isPending} onClick={() => issue.mutate()}>
              {t("kubeconfig.issue")}
            </Button>
          </>
        )
      }
    >
      {issued ? (
        <Issued issued={issued} cluster={cluster} />
      ) : (
        <div className="stack">
          <p>{t("kubeconfig.text")}</p>
          <fieldset className="choices">
            <legend className="field-label">{t("kubeconfig.expiry")}</legend>
            <div className="row">
              {(["hour", "day", "month", "custom"] as const).map((option) => (
                <label key={option} className="check">
                  <input type="radio" name="expiry" checked={choice === option} onChange={() => setChoice(option)} />
                  <span>{t(`kubeconfig.expiryOf.${option}`)}</span>
                </label>
              ))}
            </div>
          </fieldset>
          {choice === "custom" && (
            <Field label={t("kubeconfig.hours")} hint={t("kubeconfig.hoursHint")}>
              {(field) => <InputNumber {...field} min={1} max={720} precision={0} value={hours} onChange={(next) => setHours(next ?? 1)} />}
            </Field>
          )}
          <Field label={t("kubeconfig.name")} hint={t("kubeconfig.nameHint")}>
            {(field) => <Input {...field} maxLength={60} value={name} onChange={(event) => setName(event.target.value)} />}
          </Field>
          {issue.error && <Fault alert fault={problem ? faultOfProblem(problem) : { code: "unknown" }} />}
        </div>
      )}
    </Dialog>
  );
}

function Issued({ issued, cluster }: { issued: KubeconfigIssued; cluster: Cluster }) {
  const { t } = useTranslation();
  const { absolute } = useFormat();
  const { user } = useSession();
  const { copy } = useCopy();
  const file = `kcs-${cluster.name}.yaml`;
  const command = `KUBECONFIG=./${file} kubectl get nodes`;
  return (
    <div className="stack">
      <p>
        <Status tone="ok">{t("kubeconfig.issuedFor", { user: user.name, time: absolute(issued.expires_at) })}</Status>
      </p>
      <p className="muted">{t("kubeconfig.once")}</p>
      <div className="row">
        <Button type="primary" icon={<DownloadOutlined aria-hidden="true" />} onClick={() => saveFile(file, issued.kubeconfig, "application/yaml")}>
          {t("kubeconfig.download")}
        </Button>
        <Button icon={<CopyOutlined aria-hidden="true" />} onClick={() => copy(issued.kubeconfig)}>
          {t("kubeconfig.copy")}
        </Button>
      </div>
      <div className="field">
        <span className="field-label">{t("kubeconfig.command")}</span>
        <span className="copyable command">
          <code>{command}</code>
          <CopyButton text={command} what={t("kubeconfig.command")} />
        </span>
      </div>
      <details>
        <summary>{t("kubeconfig.show")}</summary>
        <pre className="console" tabIndex={0} data-testid="kubeconfig">
          {issued.kubeconfig}
        </pre>
      </details>
    </div>
  );
}
