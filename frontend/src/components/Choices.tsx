// A group of choices under one heading, with what is wrong with what is chosen. The focus can be sent to it.
import { CloseCircleFilled } from "@ant-design/icons";
import type { ReactNode } from "react";

interface Props {
  id: string;
  legend: string;
  error?: string;
  children: ReactNode;
}

export function Choices({ id, legend, error, children }: Props) {
  return (
    <fieldset id={id} tabIndex={-1} className="choices" aria-describedby={error ? `${id}-error` : undefined}>
      <legend className="field-label">{legend}</legend>
      {children}
      {error && (
        <p id={`${id}-error`} className="field-error">
          <CloseCircleFilled aria-hidden="true" /> {error}
        </p>
      )}
    </fieldset>
  );
}
