// What the log may be narrowed by; the choice lives in the address.
import { Button, Input } from "antd";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { AUDIT_OUTCOMES } from "../../api/types";
import { Select } from "../../components/Select";
import { Chips, SearchBox } from "../clusters/ListFilters";
import { ACTIONS, OPERATOR_ACTIONS, useActionWord } from "./actions";
import { isFiltered, type AuditChoice } from "./filter";
import { fromLocal, toLocal } from "./times";

export interface Named {
  id: string;
  name: string;
}

interface Props {
  choice: AuditChoice;
  clusters: Named[];
  /** Given for operators. */
  projects?: Named[];
  change: (part: AuditChoice, replace?: boolean) => void;
  clear: () => void;
}

const options = (all: Named[]) => all.map(({ id, name }) => ({ value: id, label: name }));

export function AuditFilters({ choice, clusters, projects, change, clear }: Props) {
  const { t } = useTranslation();
  const actionWord = useActionWord();
  const actions = projects ? [...ACTIONS, ...OPERATOR_ACTIONS] : ACTIONS;
  return (
    <div className="toolbar audit-filters" role="search" aria-label={t("audit.filters")}>
      <SearchBox value={choice.user ?? ""} onChange={(user) => change({ user: user || undefined }, true)} label={t("audit.person")} />
      <Select
        aria-label={t("audit.col.action")}
        value={choice.action ?? ""}
        placeholder={t("audit.anyAction")}
        options={actions.map((action) => ({ value: action, label: actionWord(action) ?? action }))}
        onChange={(action) => change({ action: action || undefined })}
      />
      {projects && <Select aria-label={t("clusters.col.project")} value={choice.project ?? ""} placeholder={t("audit.anyProject")} options={options(projects)} onChange={(project) => change({ project: project || undefined })} />}
      <Select aria-label={t("operation.col.cluster")} value={choice.cluster ?? ""} placeholder={t("audit.anyCluster")} options={options(clusters)} onChange={(cluster) => change({ cluster: cluster || undefined })} />
      <div className="time-boxes">
        <TimeBox label={t("audit.from")} value={choice.from} onChange={(from) => change({ from }, true)} />
        <TimeBox label={t("audit.to")} value={choice.to} onChange={(to) => change({ to }, true)} />
      </div>
      <Chips
        name={t("audit.col.outcome")}
        all={t("common.all")}
        options={AUDIT_OUTCOMES.map((outcome) => ({ value: outcome, label: t(`audit.outcome.${outcome}`) }))}
        value={choice.outcome}
        onChange={(outcome) => change({ outcome })}
      />
      {isFiltered(choice) && <Button onClick={clear}>{t("common.clearFilters")}</Button>}
    </div>
  );
}

/** A point in time, taken when typing pauses: the browser's own control tells of every digit. */
function TimeBox({ label, value, onChange }: { label: string; value: string | undefined; onChange: (time: string | undefined) => void }) {
  const id = useId();
  const [text, setText] = useState(() => toLocal(value));
  const sent = useRef(text);
  useEffect(() => {
    const local = toLocal(value);
    if (local === sent.current) return;
    sent.current = local;
    setText(local);
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const time = fromLocal(text);
    if (text !== "" && time === undefined) return undefined;
    const timer = setTimeout(() => {
      sent.current = text;
      onChange(time);
    }, 600);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <span className="time-box">
      <label htmlFor={id}>{label}</label>
      <Input id={id} type="datetime-local" value={text} onChange={(event) => setText(event.target.value)} />
    </span>
  );
}
