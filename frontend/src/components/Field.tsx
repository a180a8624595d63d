// A form field: label, control, hint and error, tied together for screen readers.
import { CloseCircleFilled, LockOutlined } from "@ant-design/icons";
import { useId, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

export interface FieldProps {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
  status?: "error";
}

interface Props {
  label: ReactNode;
  hint?: ReactNode;
  error?: string;
  /** The choice cannot be changed once the cluster is there. */
  fixed?: boolean;
  className?: string;
  /** Given where an error summary leads to the field. */
  id?: string;
  children: (field: FieldProps) => ReactNode;
}

export function Field({ label, hint, error, fixed, className = "", id: givenId, children }: Props) {
  const { t } = useTranslation();
  const ownId = useId();
  const id = givenId ?? ownId;
  const describedBy = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>
        {label}
        {fixed && (
          <span className="field-fixed">
            <LockOutlined aria-hidden="true" /> {t("common.fixed")}
          </span>
        )}
      </label>
      {children({ id, "aria-describedby": describedBy || undefined, "aria-invalid": error ? true : undefined, status: error ? "error" : undefined })}
      {error && (
        <p id={`${id}-error`} className="field-error">
          <CloseCircleFilled aria-hidden="true" /> {error}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className="field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}
