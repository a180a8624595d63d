// The few ways in which something of a cluster can be: one is chosen, and the one that holds now is marked.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface Props<T> {
  name: string;
  legend: ReactNode;
  ways: readonly T[];
  /** The one that holds now. */
  now: T;
  chosen: T;
  label: (way: T) => string;
  hint: (way: T) => string;
  onChoose: (way: T) => void;
  children?: ReactNode;
}

export function WayChoices<T extends string | number>({ name, legend, ways, now, chosen, label, hint, onChoose, children }: Props<T>) {
  const { t } = useTranslation();
  return (
    <fieldset className="choices">
      {legend}
      {ways.map((way) => (
        <label key={way} className="check">
          <input type="radio" name={name} checked={chosen === way} onChange={() => onChoose(way)} />
          <span>
            {label(way)}
            {way === now && <span className="muted"> {t("cluster.controlPlane.current")}</span>}
            <span className="field-hint">{hint(way)}</span>
          </span>
        </label>
      ))}
      {children}
    </fieldset>
  );
}
