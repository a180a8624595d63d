// A choice from a list: the browser's own control, which every keyboard, screen reader and phone knows.
import type { ReactNode } from "react";
import type { FieldProps } from "./Field";

interface Props extends Partial<FieldProps> {
  value: string;
  onChange: (value: string) => void;
  options: { value: string; label: string; disabled?: boolean }[];
  placeholder?: string;
  disabled?: boolean;
  "aria-label"?: string;
  prefix?: ReactNode;
}

export function Select({ value, onChange, options, placeholder, status, prefix, ...rest }: Props) {
  const known = options.some((option) => option.value === value);
  return (
    <span className={`select ${status === "error" ? "select-error" : ""}`}>
      {prefix && <span className="select-prefix">{prefix}</span>}
      <select {...rest} value={value} onChange={(event) => onChange(event.target.value)}>
        {placeholder !== undefined && <option value="">{placeholder}</option>}
        {!known && value !== "" && <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.label}
          </option>
        ))}
      </select>
    </span>
  );
}
