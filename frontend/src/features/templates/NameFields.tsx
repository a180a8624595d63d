// Name and description of a template.
import { Input } from "antd";
import { useTranslation } from "react-i18next";
import { Field } from "../../components/Field";
import { fieldId } from "../create/ErrorSummary";

export interface TemplateText {
  name: string;
  description: string;
}

interface Props {
  text: TemplateText;
  errors: Record<string, string>;
  /** Put before the fields' names where the page behind has a name of its own. */
  prefix?: string;
  onChange: (text: TemplateText) => void;
}

export function NameFields({ text, errors, prefix = "", onChange }: Props) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <Field label={t("template.name")} hint={t("template.nameHint")} error={errors.name} id={fieldId(`${prefix}name`)}>
        {(field) => <Input {...field} autoComplete="off" maxLength={60} value={text.name} onChange={(event) => onChange({ ...text, name: event.target.value })} />}
      </Field>
      <Field label={t("template.descriptionField")} hint={t("template.descriptionHint")} error={errors.description} id={fieldId(`${prefix}description`)}>
        {(field) => <Input.TextArea {...field} rows={2} maxLength={500} value={text.description} onChange={(event) => onChange({ ...text, description: event.target.value })} />}
      </Field>
    </div>
  );
}
