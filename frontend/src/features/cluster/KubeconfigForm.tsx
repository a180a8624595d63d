// The choices of a kubeconfig: for how long, what it may do, where, and what for.
import { Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";
import { Choices } from "../../components/Choices";
import { Field } from "../../components/Field";
import { fieldId } from "../create/ErrorSummary";
import { CERTIFICATE_MINUTES, MOST_HOURS, type KubeconfigDraft, type Lifetime } from "./kubeconfigDraft";
import { KubeconfigMay } from "./KubeconfigMay";

interface Props {
  draft: KubeconfigDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<KubeconfigDraft>) => void;
}

const CHOICES: Lifetime[] = ["hour", "day", "month", "custom"];

const id = (field: string) => fieldId(`kubeconfig.${field}`);

/** `direct`: for a certificate past the gate, which no namespaces narrow. */
export function KubeconfigForm({ draft, errors, onChange, direct }: Props & { direct: boolean }) {
  const { t } = useTranslation();
  const Lifetimes = direct ? MinuteChoices : LifetimeChoices;
  return (
    <>
      <Lifetimes draft={draft} errors={errors} onChange={onChange} />
      <KubeconfigMay draft={draft} errors={errors} onChange={onChange} direct={direct} />
      {!direct && <NamespaceChoices draft={draft} errors={errors} onChange={onChange} />}
      <Field label={t("kubeconfig.name")} hint={t("kubeconfig.nameHint")} error={errors.name} id={id("name")}>
        {(field) => <Input {...field} maxLength={60} value={draft.name} onChange={(event) => onChange({ name: event.target.value })} />}
      </Field>
    </>
  );
}

function MinuteChoices({ draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <Choices id={id("expires_in")} legend={t("kubeconfig.expiry")} error={errors.expires_in}>
      <div className="row">
        {CERTIFICATE_MINUTES.map((minutes) => (
          <label key={minutes} className="check">
            <input type="radio" name="certificate-minutes" checked={draft.minutes === minutes} onChange={() => onChange({ minutes })} />
            <span>{t("kubeconfig.minutes", { minutes })}</span>
          </label>
        ))}
      </div>
    </Choices>
  );
}

function LifetimeChoices({ draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const custom = draft.lifetime === "custom";
  return (
    <>
      <Choices id={id(custom ? "lifetime" : "expires_in")} legend={t("kubeconfig.expiry")} error={custom ? undefined : errors.expires_in}>
        <div className="row">
          {CHOICES.map((lifetime) => (
            <label key={lifetime} className="check">
              <input type="radio" name="kubeconfig-lifetime" checked={draft.lifetime === lifetime} onChange={() => onChange({ lifetime })} />
              <span>{t(`kubeconfig.expiryOf.${lifetime}`)}</span>
            </label>
          ))}
        </div>
      </Choices>
      {custom && (
        <Field label={t("kubeconfig.hours")} hint={t("kubeconfig.hoursHint")} error={errors.expires_in} id={id("expires_in")}>
          {(field) => <InputNumber {...field} min={1} max={MOST_HOURS} precision={0} value={draft.hours} onChange={(hours) => onChange({ hours: hours ?? 1 })} />}
        </Field>
      )}
    </>
  );
}

function NamespaceChoices({ draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <Choices id={id("where")} legend={t("token.namespaces")}>
        <div className="row">
          {[true, false].map((allNamespaces) => (
            <label key={String(allNamespaces)} className="check">
              <input type="radio" name="kubeconfig-namespaces" checked={draft.allNamespaces === allNamespaces} onChange={() => onChange({ allNamespaces })} />
              <span>{t(allNamespaces ? "token.allNamespaces" : "kubeconfig.someNamespaces")}</span>
            </label>
          ))}
        </div>
      </Choices>
      {!draft.allNamespaces && (
        <Field label={t("kubeconfig.namespaces")} hint={t("kubeconfig.namespacesHint")} error={errors.namespaces} id={id("namespaces")}>
          {(field) => <Input {...field} autoComplete="off" value={draft.namespaces} onChange={(event) => onChange({ namespaces: event.target.value })} />}
        </Field>
      )}
    </>
  );
}
