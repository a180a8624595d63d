// The choices of a token: for how long, what it may do, and where.
import { Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";
import { useClusters } from "../../api/clusters";
import type { Permission } from "../../api/types";
import { Choices } from "../../components/Choices";
import { Field } from "../../components/Field";
import { Loading } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { PermissionPicker } from "../access/PermissionPicker";
import { fieldId } from "../create/ErrorSummary";
import { offered, type Lifetime, type May, type TokenDraft } from "./tokenDraft";

interface Props {
  draft: TokenDraft;
  errors: Record<string, string>;
  /** What the token's owner may do. */
  owners: ReadonlySet<Permission>;
  onChange: (part: Partial<TokenDraft>) => void;
}

const LIFETIMES: Lifetime[] = ["day", "month", "quarter", "year", "custom"];
const MAYS: May[] = ["read", "all", "chosen"];

const id = (field: string) => fieldId(`token.${field}`);

export function TokenForm({ draft, errors, owners, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <Field label={t("token.name")} hint={t("token.nameHint")} error={errors.name} id={id("name")}>
        {(field) => <Input {...field} autoComplete="off" maxLength={60} value={draft.name} onChange={(event) => onChange({ name: event.target.value })} />}
      </Field>
      <Choices id={id("expires_in")} legend={t("kubeconfig.expiry")} error={errors.expires_in}>
        <div className="row">
          {LIFETIMES.map((lifetime) => (
            <label key={lifetime} className="check">
              <input type="radio" name="token-lifetime" checked={draft.lifetime === lifetime} onChange={() => onChange({ lifetime })} />
              <span>{t(`token.lifetime.${lifetime}`)}</span>
            </label>
          ))}
        </div>
      </Choices>
      {draft.lifetime === "custom" && (
        <Field label={t("token.days")} hint={t("token.daysHint")}>
          {(field) => <InputNumber {...field} min={1} max={365} precision={0} value={draft.days} onChange={(days) => onChange({ days: days ?? 1 })} />}
        </Field>
      )}
      <MayChoices draft={draft} errors={errors} owners={owners} onChange={onChange} />
      <ClusterChoices draft={draft} errors={errors} onChange={onChange} />
      <Field label={t("token.namespaces")} hint={t("token.namespacesHint")} error={errors.namespaces} id={id("namespaces")}>
        {(field) => <Input {...field} autoComplete="off" value={draft.namespaces} placeholder={t("token.allNamespaces")} onChange={(event) => onChange({ namespaces: event.target.value })} />}
      </Field>
      <Field label={t("token.cidrs")} hint={t("token.cidrsHint")} error={errors.cidrs} id={id("cidrs")}>
        {(field) => <Input {...field} autoComplete="off" value={draft.cidrs} placeholder={t("token.anyAddress")} onChange={(event) => onChange({ cidrs: event.target.value })} />}
      </Field>
    </>
  );
}

function MayChoices({ draft, errors, owners, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <Choices id={id("permissions")} legend={t("token.may")} error={errors.permissions}>
      {MAYS.map((may) => (
        <label key={may} className="check">
          <input type="radio" name="token-may" checked={draft.may === may} onChange={() => onChange({ may })} />
          <span>
            {t(`token.mayOf.${may}`)}
            <span className="field-hint">{t(`token.mayHint.${may}`)}</span>
          </span>
        </label>
      ))}
      {draft.may === "chosen" && (
        <>
          <PermissionPicker areas={offered(owners, draft.allClusters)} chosen={draft.permissions} onChange={(permissions) => onChange({ permissions })} />
          <p className="field-hint">{t("token.offeredHint")}</p>
        </>
      )}
    </Choices>
  );
}

function ClusterChoices({ draft, errors, onChange }: Omit<Props, "owners">) {
  const { t } = useTranslation();
  const clusters = useClusters({ limit: 200 });
  const toggle = (cluster: string) => {
    const chosen = new Set(draft.clusters);
    if (!chosen.delete(cluster)) chosen.add(cluster);
    onChange({ clusters: chosen });
  };
  const items = clusters.data?.items;
  return (
    <Choices id={id("clusters")} legend={t("token.clusters")} error={errors.clusters}>
      <div className="row">
        {[true, false].map((all) => (
          <label key={String(all)} className="check">
            <input type="radio" name="token-clusters" checked={draft.allClusters === all} onChange={() => onChange({ allClusters: all })} />
            <span>{t(all ? "token.allClusters" : "token.someClusters")}</span>
          </label>
        ))}
      </div>
      {!draft.allClusters && (
        <>
          {!items && (clusters.error ? <LoadProblem error={clusters.error} onRetry={() => void clusters.refetch()} /> : <Loading rows={2} />)}
          {items?.length === 0 && <p className="muted">{t("clusters.none")}</p>}
          {items && items.length > 0 && (
            <div className="token-clusters">
              {items.map((cluster) => (
                <label key={cluster.id} className="check">
                  <input type="checkbox" checked={draft.clusters.has(cluster.id)} onChange={() => toggle(cluster.id)} />
                  <span className="break">{cluster.name}</span>
                </label>
              ))}
            </div>
          )}
          <p className="field-hint">{t("token.someClustersHint")}</p>
        </>
      )}
    </Choices>
  );
}
