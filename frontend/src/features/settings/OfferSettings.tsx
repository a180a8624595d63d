// What is offered to all tenants: Kubernetes versions with their node images, and templates with their specifications.
import { Input } from "antd";
import { useTranslation } from "react-i18next";
import type { AdminSettings, CatalogueVersion, Template } from "../../api/types";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { OfferList } from "./OfferList";
import { settingId } from "./Setting";
import { SUPPORTS, templateRow, valueOf, type SettingsDraft, type TemplateRow } from "./settingsDraft";

interface Props {
  settings: AdminSettings;
  draft: SettingsDraft;
  /** By key: `versions[0].image`. */
  errors: Record<string, string>;
  onChange: (part: Partial<SettingsDraft>) => void;
}

const NO_VERSION: CatalogueVersion = { version: "", support: "preview", image: "" };
const NO_TEMPLATE: TemplateRow = { id: "", name: "", name_zh: "", description: "", description_zh: "", spec: "{}" };

export function VersionSetting({ settings, draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const value = valueOf(settings, "versions");
  const configured = (value.configured as CatalogueVersion[] | null | undefined) ?? [];
  return (
    <OfferList
      value={value}
      configured={configured}
      rows={draft.versions}
      nameOf={(row) => row.version}
      empty={NO_VERSION}
      add={t("admin.settings.addVersion")}
      error={errors.versions}
      onChange={(versions) => onChange({ versions })}
    >
      {(row, at, change) => (
        <div className="setting-grid">
          <Field label={t("admin.settings.partOf.version")} error={errors[`${at}.version`]} id={settingId(`${at}.version`)}>
            {(field) => <Input {...field} autoComplete="off" spellCheck={false} maxLength={40} placeholder="v1.36.3" value={row.version} onChange={(event) => change({ version: event.target.value })} />}
          </Field>
          <Field label={t("admin.settings.partOf.support")} error={errors[`${at}.support`]} id={settingId(`${at}.support`)}>
            {(field) => (
              <Select
                {...field}
                value={row.support}
                onChange={(support) => change({ support: support as CatalogueVersion["support"] })}
                options={SUPPORTS.map((support) => ({ value: support, label: t(`admin.catalogue.supportOf.${support}`) }))}
              />
            )}
          </Field>
          <Field label={t("admin.settings.partOf.image")} error={errors[`${at}.image`]} id={settingId(`${at}.image`)}>
            {(field) => <Input {...field} autoComplete="off" spellCheck={false} maxLength={255} value={row.image} onChange={(event) => change({ image: event.target.value })} />}
          </Field>
        </div>
      )}
    </OfferList>
  );
}

export function TemplateSetting({ settings, draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const value = valueOf(settings, "templates");
  const configured = (value.configured as Template[] | null | undefined) ?? [];
  // A specification is one text: what is wrong inside it is named by its place there.
  const ofSpec = (at: string) => {
    const inside = Object.entries(errors).filter(([key]) => key.startsWith(`${at}.`));
    return [errors[at], ...inside.map(([key, text]) => [`spec.${key.slice(at.length + 1)}`, text].join(t("admin.settings.colon")))].filter(Boolean).join(" \u00b7 ") || undefined;
  };
  return (
    <OfferList
      value={value}
      configured={configured.map(templateRow)}
      rows={draft.templates}
      nameOf={(row) => row.id}
      empty={NO_TEMPLATE}
      add={t("admin.settings.addTemplate")}
      error={errors.templates}
      onChange={(templates) => onChange({ templates })}
    >
      {(row, at, change) => (
        <div className="stack">
          <div className="setting-grid">
            {(["id", "name", "name_zh", "description", "description_zh"] as const).map((part) => (
              <Field key={part} label={t(`admin.settings.partOf.${part}`)} error={errors[`${at}.${part}`]} id={settingId(`${at}.${part}`)}>
                {(field) => <Input {...field} autoComplete="off" value={row[part]} onChange={(event) => change({ ...row, [part]: event.target.value })} />}
              </Field>
            ))}
          </div>
          <Field label={t("admin.settings.partOf.spec")} hint={t("admin.settings.specHint")} error={ofSpec(`${at}.spec`)} id={settingId(`${at}.spec`)}>
            {(field) => <Input.TextArea {...field} className="code" spellCheck={false} rows={8} value={row.spec} onChange={(event) => change({ spec: event.target.value })} />}
          </Field>
        </div>
      )}
    </OfferList>
  );
}
