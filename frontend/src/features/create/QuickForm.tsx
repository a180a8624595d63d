// The two choices of the quick way: template and name.
import { Input, type InputRef } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Template } from "../../api/types";
import { useSettings } from "../../app/settings";
import { Field } from "../../components/Field";
import { templateWords } from "../templates/words";

export function TemplateCards({ templates, value, onChange }: { templates: Template[]; value: string | undefined; onChange: (id: string) => void }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  return (
    <fieldset className="template-cards">
      <legend className="sr-only">{t("create.chooseTemplate")}</legend>
      {templates.map((template) => (
        <label key={template.id} className={`template-card ${template.id === value ? "chosen" : ""}`}>
          <input type="radio" name="template" value={template.id} checked={template.id === value} onChange={() => onChange(template.id)} />
          <span className="template-name">{templateWords(template, language).name}</span>
          <span className="muted small">{templateWords(template, language).description}</span>
          <span className="tags">
            {template.own && <span className="tag">{t("template.of.own")}</span>}
            {template.spec.control_plane?.count && <span className="tag">{t("create.mastersTag", { count: template.spec.control_plane.count })}</span>}
            {template.spec.node_pools && <span className="tag">{t("create.nodesTag", { count: template.spec.node_pools.reduce((sum, pool) => sum + pool.count, 0) })}</span>}
            {template.spec.version && <span className="tag">{template.spec.version}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface NameProps {
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
  onTouched: () => void;
}

export function NameField({ value, error, onChange, onTouched }: NameProps) {
  const { t } = useTranslation();
  const input = useRef<InputRef>(null);
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  return (
    <Field label={t("create.name")} hint={t("create.nameHint")} error={error} fixed id="f-name">
      {(field) => (
        <Input {...field} ref={input} autoComplete="off" spellCheck={false} maxLength={40} value={value} onChange={(event) => onChange(event.target.value)} onBlur={() => value !== "" && onTouched()} />
      )}
    </Field>
  );
}
