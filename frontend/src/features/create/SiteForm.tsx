// How the API is reached, and what sites without internet need.
import { Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";
import { useProviders } from "../../api/catalogue";
import { Field } from "../../components/Field";
import { Card } from "../../components/Page";
import { Select } from "../../components/Select";
import type { Draft } from "./draft";
import { fieldId } from "./ErrorSummary";

interface Props {
  draft: Draft;
  errors: Record<string, string>;
  onChange: (part: Partial<Draft>) => void;
}

/** The error of a list's field, or of one of its entries. */
function inList(errors: Record<string, string>, path: string): string | undefined {
  return Object.entries(errors).find(([key]) => key === path || key.startsWith(`${path}[`))?.[1];
}

export function ApiForm({ draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const providers = useProviders();
  return (
    <Card title={t("create.section.api")}>
      <div className="form-grid">
        <Field label={t("create.exposure")} hint={t(`create.exposureHint.${draft.exposure}`)} fixed={draft.exposure === "private"} error={errors["spec.api.exposure"]} id={fieldId("spec.api.exposure")}>
          {(field) => (
            <Select
              {...field}
              value={draft.exposure}
              onChange={(exposure) => onChange({ exposure: exposure as Draft["exposure"] })}
              options={(["public", "restricted", "private"] as const).map((value) => ({ value, label: t(`create.exposureOf.${value}`) }))}
            />
          )}
        </Field>
        {draft.exposure === "restricted" && (
          <Field label={t("create.allowedCidrs")} hint={t("create.allowedCidrsHint")} error={inList(errors, "spec.api.allowed_cidrs")} id={fieldId("spec.api.allowed_cidrs")}>
            {(field) => <Input {...field} className="code" spellCheck={false} value={draft.allowedCidrs} onChange={(event) => onChange({ allowedCidrs: event.target.value })} />}
          </Field>
        )}
        <Field label={t("create.provider")} hint={t("create.providerHint")} error={errors["spec.api.provider"]} id={fieldId("spec.api.provider")}>
          {(field) => (
            <Select
              {...field}
              value={draft.provider}
              onChange={(provider) => onChange({ provider })}
              options={[{ value: "", label: t("create.providerDefault") }, ...(providers.data?.items ?? []).map((item) => ({ value: item.name, label: item.name }))]}
            />
          )}
        </Field>
        {(
          [
            ["clientTimeout", "spec.api.client_timeout_seconds"],
            ["memberTimeout", "spec.api.member_timeout_seconds"],
          ] as const
        ).map(([name, path]) => (
          <Field key={name} label={t(`create.${name}`)} hint={t("create.timeoutHint")} error={errors[path]} id={fieldId(path)}>
            {(field) => <InputNumber {...field} min={60} max={86_400} precision={0} suffix="s" value={draft[name]} onChange={(value) => onChange({ [name]: value ?? 3600 })} />}
          </Field>
        ))}
        <Field label={t("create.apiAudit")} hint={t(`create.apiAuditHint.${draft.apiAudit}`)} error={errors["spec.audit.level"]} id={fieldId("spec.audit.level")}>
          {(field) => (
            <Select
              {...field}
              value={draft.apiAudit}
              onChange={(apiAudit) => onChange({ apiAudit: apiAudit as Draft["apiAudit"] })}
              options={(["none", "metadata", "request"] as const).map((value) => ({ value, label: t(`create.apiAuditOf.${value}`) }))}
            />
          )}
        </Field>
      </div>
    </Card>
  );
}

const ADDONS = ["pod_network", "cloud_controller", "storage", "metrics", "ingress", "isolate_namespaces"] as const;

/** What runs in the cluster for it to be of use, and who mends what breaks. */
export function AddonsForm({ draft, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <Card title={t("create.section.addons")}>
      <div className="form-grid">
        {ADDONS.map((name) => (
          <label key={name} className="check">
            <input type="checkbox" checked={draft.addons[name]} onChange={(event) => onChange({ addons: { ...draft.addons, [name]: event.target.checked } })} />
            <span>
              {t(`create.addon.${name}`)}
              <span className="field-hint">{t(`create.addonHint.${name}`)}</span>
            </span>
          </label>
        ))}
        <label className="check">
          <input type="checkbox" checked={draft.repair === "automatic"} onChange={(event) => onChange({ repair: event.target.checked ? "automatic" : "manual" })} />
          <span>
            {t("create.repair")}
            <span className="field-hint">{t("create.repairHint")}</span>
          </span>
        </label>
      </div>
    </Card>
  );
}

export function SiteForm({ draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <Card title={t("create.section.site")}>
      <p className="muted">{t("create.siteHint")}</p>
      <div className="form-grid">
        {(
          [
            ["ntpServers", "spec.ntp_servers"],
            ["registryMirror", "spec.registry_mirror"],
            ["httpProxy", "spec.proxy.http"],
            ["httpsProxy", "spec.proxy.https"],
            ["noProxy", "spec.proxy.no_proxy"],
          ] as const
        ).map(([name, path]) => (
          <Field key={name} label={t(`create.${name}`)} hint={t(`create.${name}Hint`)} fixed error={inList(errors, path)} id={fieldId(path)}>
            {(field) => <Input {...field} className="code" spellCheck={false} value={draft[name]} onChange={(event) => onChange({ [name]: event.target.value })} />}
          </Field>
        ))}
      </div>
      <Field label={t("create.caCertificates")} hint={t("create.caCertificatesHint")} fixed error={inList(errors, "spec.ca_certificates")} id={fieldId("spec.ca_certificates")}>
        {(field) => <Input.TextArea {...field} className="code" spellCheck={false} rows={3} value={draft.caCertificates} onChange={(event) => onChange({ caCertificates: event.target.value })} />}
      </Field>
    </Card>
  );
}
