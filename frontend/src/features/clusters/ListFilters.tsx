// Search and phase filter of a list; both live in the address.
import { SearchOutlined } from "@ant-design/icons";
import { Input } from "antd";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Phase } from "../../api/types";

/** A search box that waits until typing pauses. */
export function SearchBox({ value, onChange, label }: { value: string; onChange: (value: string) => void; label: string }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = text;
      onChange(text);
    }, 300);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <Input className="search-box" type="search" allowClear prefix={<SearchOutlined aria-hidden="true" />} aria-label={label} placeholder={label} value={text} onChange={(event) => setText(event.target.value)} />
  );
}

interface ChipsProps<T extends string> {
  name: string;
  all: string;
  options: { value: T; label: string }[];
  value: T | undefined;
  onChange: (value: T | undefined) => void;
}

/** One choice out of few, as a row of buttons. */
export function Chips<T extends string>({ name, all, options, value, onChange }: ChipsProps<T>) {
  return (
    <div className="chips" role="group" aria-label={name}>
      <button type="button" className="chip" aria-pressed={value === undefined} onClick={() => onChange(undefined)}>
        {all}
      </button>
      {options.map((option) => (
        <button key={option.value} type="button" className="chip" aria-pressed={value === option.value} onClick={() => onChange(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}

const PHASES: Phase[] = ["Running", "Provisioning", "Updating", "Degraded", "Failed", "Deleting"];

export function PhaseChips({ value, onChange }: { value: Phase | undefined; onChange: (phase: Phase | undefined) => void }) {
  const { t } = useTranslation();
  return (
    <Chips
      name={t("clusters.phaseFilter")}
      all={t("common.all")}
      options={PHASES.map((phase) => ({ value: phase, label: t(`status.phase.${phase}`) }))}
      value={value}
      onChange={onChange}
    />
  );
}
