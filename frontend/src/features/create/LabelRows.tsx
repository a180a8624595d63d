// Rows of labels and taints of a node pool.
import { CloseOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useTranslation } from "react-i18next";
import type { Taint } from "../../api/types";
import { Select } from "../../components/Select";

const EFFECTS: Taint["effect"][] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

interface LabelsProps {
  labels: { key: string; value: string }[];
  error: string | undefined;
  pool: string;
  onChange: (labels: { key: string; value: string }[]) => void;
}

export function LabelRows({ labels, error, pool, onChange }: LabelsProps) {
  const { t } = useTranslation();
  const replace = (index: number, part: Partial<{ key: string; value: string }>) => onChange(labels.map((label, at) => (at === index ? { ...label, ...part } : label)));
  return (
    <div className="pair-rows" role="group" aria-label={`${pool} ${t("create.labels")}`}>
      <span className="field-label">{t("create.labels")}</span>
      {labels.map((label, index) => (
        <div key={index} className="pair-row">
          <Input aria-label={t("create.key")} placeholder={t("create.key")} value={label.key} onChange={(event) => replace(index, { key: event.target.value })} />
          <span aria-hidden="true">=</span>
          <Input aria-label={t("create.value")} placeholder={t("create.value")} value={label.value} onChange={(event) => replace(index, { value: event.target.value })} />
          <button type="button" className="icon-button" aria-label={t("create.removeRow", { name: label.key || String(index + 1) })} onClick={() => onChange(labels.filter((_, at) => at !== index))}>
            <CloseOutlined aria-hidden="true" />
          </button>
        </div>
      ))}
      {error && <p className="field-error">{error}</p>}
      <div>
        <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden="true" />} onClick={() => onChange([...labels, { key: "", value: "" }])}>
          {t("create.addLabel")}
        </Button>
      </div>
    </div>
  );
}

interface TaintsProps {
  taints: Taint[];
  error: string | undefined;
  pool: string;
  onChange: (taints: Taint[]) => void;
}

export function TaintRows({ taints, error, pool, onChange }: TaintsProps) {
  const { t } = useTranslation();
  const replace = (index: number, part: Partial<Taint>) => onChange(taints.map((taint, at) => (at === index ? { ...taint, ...part } : taint)));
  return (
    <div className="pair-rows" role="group" aria-label={`${pool} ${t("create.taints")}`}>
      <span className="field-label">{t("create.taints")}</span>
      {taints.map((taint, index) => (
        <div key={index} className="pair-row">
          <Input aria-label={t("create.key")} placeholder={t("create.key")} value={taint.key} onChange={(event) => replace(index, { key: event.target.value })} />
          <span aria-hidden="true">=</span>
          <Input aria-label={t("create.value")} placeholder={t("create.value")} value={taint.value ?? ""} onChange={(event) => replace(index, { value: event.target.value })} />
          <Select
            aria-label={t("create.effect")}
            value={taint.effect}
            onChange={(effect) => replace(index, { effect: effect as Taint["effect"] })}
            options={EFFECTS.map((effect) => ({ value: effect, label: `${t(`create.effectOf.${effect}`)} (${effect})` }))}
          />
          <button type="button" className="icon-button" aria-label={t("create.removeRow", { name: taint.key || String(index + 1) })} onClick={() => onChange(taints.filter((_, at) => at !== index))}>
            <CloseOutlined aria-hidden="true" />
          </button>
        </div>
      ))}
      {error && <p className="field-error">{error}</p>}
      <div>
        <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden="true" />} onClick={() => onChange([...taints, { key: "", value: "", effect: "NoSchedule" }])}>
          {t("create.addTaint")}
        </Button>
      </div>
    </div>
  );
}
