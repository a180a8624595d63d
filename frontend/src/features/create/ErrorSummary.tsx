// Fields of a form by the API's path, and the summary of what is wrong in them.
import { useTranslation } from "react-i18next";

/** The id of the control for a field. */
export function fieldId(path: string): string {
  return `f-${path.replaceAll(/[^a-z0-9]+/gi, "-")}`;
}

export function focusField(path: string): undefined {
  document.getElementById(fieldId(path))?.focus();
  return undefined;
}

export function ErrorSummary({ errors, fields }: { errors: Record<string, string>; fields: string[] }) {
  const { t } = useTranslation();
  return (
    <div className="fault fault-bad" role="alert">
      <div className="fault-body">
        <p className="fault-title">{t("create.fieldsWrong", { count: fields.length })}</p>
        <ul>
          {fields.map((field) => (
            <li key={field}>
              <button type="button" className="text-button" onClick={() => focusField(field)}>
                {errors[field]}
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
