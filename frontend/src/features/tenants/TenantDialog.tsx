// Setting what a tenant may have: each limit as everybody's, none or its own, and what of the catalogue it may use.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input, InputNumber } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useExternalNetworks, useFlavors, useVersions } from "../../api/catalogue";
import { setTenant, tenantsKey } from "../../api/tenants";
import type { AdminTenant, TenantLimit } from "../../api/types";
import { Choices } from "../../components/Choices";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Loading } from "../../components/Page";
import { Fault, faultOf, LoadProblem } from "../../components/Problem";
import { Select } from "../../components/Select";
import { useToast } from "../../components/Toast";
import { useFormat } from "../../i18n/format";
import { useRefusals } from "../access/useRefusals";
import { fieldId, focusField } from "../create/ErrorSummary";
import { ALLOWED_KINDS, type AllowedKind } from "../quota/AllowedList";
import { draftErrors, draftOf, MODES, tenantRequest, type LimitDraft, type LimitMode, type ListDraft, type TenantDraft } from "./tenantDraft";

interface Option {
  value: string;
  label: string;
}

const MOST = 1_000_000_000;
const id = (field: string) => fieldId(`tenant.${field}`);

export default function TenantDialog({ tenant, onClose }: { tenant: AdminTenant; onClose: () => void }) {
  const { t } = useTranslation();
  const formId = useId();
  const [flavors, versions, networks] = [useFlavors(), useVersions(), useExternalNetworks()];
  const failed = [flavors, versions, networks].find((query) => query.error);
  const options: Record<AllowedKind, Option[]> | undefined = flavors.data &&
    versions.data &&
    networks.data && {
      flavors: flavors.data.items.map(({ name }) => ({ value: name, label: name })),
      versions: versions.data.items.map(({ version }) => ({ value: version, label: version })),
      external_networks: networks.data.items.map((network) => ({ value: network.id, label: network.name })),
    };
  const [saving, setSaving] = useState(false);
  return (
    <Dialog
      width={760}
      title={t("admin.tenants.setTitle", { name: tenant.name })}
      okText={t("admin.tenants.save")}
      okButtonProps={{ disabled: !options, loading: saving, htmlType: "submit", form: formId }}
      cancelText={t("cluster.close")}
      onCancel={onClose}
    >
      {options && <Form formId={formId} tenant={tenant} options={options} onSaving={setSaving} onClose={onClose} />}
      {!options && (failed ? <LoadProblem error={failed.error} onRetry={() => void failed.refetch()} /> : <Loading rows={6} />)}
    </Dialog>
  );
}

interface FormProps {
  formId: string;
  tenant: AdminTenant;
  options: Record<AllowedKind, Option[]>;
  onSaving: (saving: boolean) => void;
  onClose: () => void;
}

function Form({ formId, tenant, options, onSaving, onClose }: FormProps) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const [draft, setDraft] = useState<TenantDraft>(() => draftOf(tenant, new Set(options.flavors.map((option) => option.value))));
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: () => setTenant(tenant.id, tenantRequest(draft)),
    onMutate: () => onSaving(true),
    onSuccess: () => {
      notify(t("admin.tenants.saved", { name: tenant.name }));
      onClose();
    },
    onSettled: () => {
      onSaving(false);
      void queryClient.invalidateQueries({ queryKey: tenantsKey });
    },
  });
  const refused = useRefusals(save.error);
  const wrong = draftErrors(draft);
  const errors: Record<string, string> = { ...refused };
  if (tried) for (const [field, key] of Object.entries(wrong)) errors[field] = t(key);
  const change = (part: Partial<TenantDraft>) => {
    setDraft({ ...draft, ...part });
    save.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (save.isPending) return;
    setTried(true);
    const first = Object.keys(wrong)[0];
    if (first) focusField(`tenant.${first}`);
    else save.mutate();
  };
  return (
    <form id={formId} className="stack" onSubmit={submit} noValidate>
      <Choices id={id("limits")} legend={t("admin.tenants.limitsOf")}>
        <div className="limit-rows">
          {tenant.limits.map((limit) => (
            <LimitRow
              key={limit.resource}
              limit={limit}
              draft={draft.limits[limit.resource]}
              error={errors[`limits.${limit.resource}`]}
              onChange={(next) => change({ limits: { ...draft.limits, [limit.resource]: next } })}
            />
          ))}
        </div>
      </Choices>
      {ALLOWED_KINDS.map((kind) => (
        <AllowedChoice
          key={kind}
          kind={kind}
          draft={draft.allowed[kind]}
          options={options[kind]}
          error={errors[`allowed.${kind}`]}
          onChange={(next) => change({ allowed: { ...draft.allowed, [kind]: next } })}
        >
          {kind === "flavors" && (
            <Field label={t("admin.tenants.others")} hint={t("admin.tenants.othersHint")}>
              {(field) => <Input {...field} autoComplete="off" value={draft.otherFlavors} onChange={(event) => change({ otherFlavors: event.target.value })} />}
            </Field>
          )}
        </AllowedChoice>
      ))}
      {save.error && Object.keys(refused).length === 0 && <Fault alert fault={faultOf(save.error)} />}
    </form>
  );
}

function LimitRow({ limit, draft, error, onChange }: { limit: TenantLimit; draft: LimitDraft; error?: string; onChange: (draft: LimitDraft) => void }) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  const resource = t(`create.quota.${limit.resource}`);
  const everybodys = limit.installation === null ? t("create.noLimit") : amount(limit.installation);
  const below = draft.mode === "own" && draft.value !== null && draft.value < limit.used;
  return (
    <div className="limit-row">
      <Field label={resource} hint={t("admin.tenants.uses", { used: amount(limit.used) })}>
        {(field) => (
          <Select
            {...field}
            value={draft.mode}
            onChange={(mode) => onChange({ ...draft, mode: mode as LimitMode })}
            options={MODES.map((mode) => ({ value: mode, label: t(`admin.tenants.mode.${mode}`, { limit: everybodys }) }))}
          />
        )}
      </Field>
      {draft.mode === "own" && (
        <Field label={t("admin.tenants.ownOf", { resource })} error={error} hint={below ? t("admin.tenants.below") : undefined} id={id(`limits.${limit.resource}`)}>
          {(field) => <InputNumber {...field} min={0} max={MOST} precision={0} value={draft.value} onChange={(value) => onChange({ ...draft, value })} />}
        </Field>
      )}
    </div>
  );
}

interface AllowedChoiceProps {
  kind: AllowedKind;
  draft: ListDraft;
  options: Option[];
  error?: string;
  onChange: (draft: ListDraft) => void;
  /** More to choose from. */
  children: React.ReactNode;
}

function AllowedChoice({ kind, draft, options, error, onChange, children }: AllowedChoiceProps) {
  const { t } = useTranslation();
  const toggle = (value: string) => {
    const chosen = new Set(draft.chosen);
    if (!chosen.delete(value)) chosen.add(value);
    onChange({ ...draft, chosen });
  };
  // What was allowed once and is not offered any more can still be taken back.
  const gone = [...draft.chosen].filter((value) => !options.some((option) => option.value === value)).map((value) => ({ value, label: value }));
  return (
    <Choices id={id(`allowed.${kind}`)} legend={t(`quota.allowedOf.${kind}`)} error={error}>
      <div className="row">
        {[false, true].map((only) => (
          <label key={String(only)} className="check">
            <input type="radio" name={`tenant-${kind}`} checked={draft.only === only} onChange={() => onChange({ ...draft, only })} />
            <span>{t(only ? "admin.tenants.only" : "admin.tenants.everything")}</span>
          </label>
        ))}
      </div>
      {draft.only && (
        <>
          <div className="allow-list">
            {[...options, ...gone].map(({ value, label }) => (
              <label key={value} className="check">
                <input type="checkbox" checked={draft.chosen.has(value)} onChange={() => toggle(value)} />
                <span className="break">{label}</span>
              </label>
            ))}
          </div>
          {children}
        </>
      )}
    </Choices>
  );
}
