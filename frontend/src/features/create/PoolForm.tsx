// One node pool: its machines, where they stand, what Kubernetes is told of them.
import { DeleteOutlined } from "@ant-design/icons";
import { Button, Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";
import { useFlavors, useVolumeTypes, useZones } from "../../api/catalogue";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { useFormat } from "../../i18n/format";
import type { PoolDraft } from "./draft";
import { fieldId } from "./ErrorSummary";
import { LabelRows, TaintRows } from "./LabelRows";
import { DataVolumeRows, ImageAndKey } from "./MachineExtras";

interface PoolProps {
  pool: PoolDraft;
  version: string;
  path: string;
  errors: Record<string, string>;
  onChange: (part: Partial<PoolDraft>) => void;
  /** Where there is one pool only it cannot be removed. */
  onRemove?: () => void;
  /** Names of key pairs that a cluster has already, to choose from beside the person's own. */
  keyPairs?: string[];
}

export function PoolForm({ pool, version, path, errors, onChange, onRemove, keyPairs }: PoolProps) {
  const { t } = useTranslation();
  const inside = (field: string) => Object.entries(errors).find(([key]) => key === `${path}.${field}` || key.startsWith(`${path}.${field}.`) || key.startsWith(`${path}.${field}[`))?.[1];
  return (
    <fieldset className="pool">
      <legend>{pool.name || t("create.pool")}</legend>
      <div className="form-grid">
        <Field label={t("create.poolName")} fixed error={errors[`${path}.name`]} id={fieldId(`${path}.name`)}>
          {(field) => <Input {...field} spellCheck={false} maxLength={20} value={pool.name} onChange={(event) => onChange({ name: event.target.value })} />}
        </Field>
        <Field label={t("create.count")} error={errors[`${path}.count`]} id={fieldId(`${path}.count`)}>
          {(field) => <InputNumber {...field} min={0} precision={0} value={pool.count} onChange={(count) => onChange({ count: count ?? 0 })} />}
        </Field>
        <MachineFields
          path={path}
          errors={errors}
          flavor={pool.flavor}
          volumeGib={pool.rootVolumeGib}
          volumeType={pool.volumeType}
          zones={pool.zones}
          onChange={(machine) =>
            onChange({
              ...(machine.flavor !== undefined && { flavor: machine.flavor }),
              ...(machine.volumeGib !== undefined && { rootVolumeGib: machine.volumeGib }),
              ...(machine.volumeType !== undefined && { volumeType: machine.volumeType }),
              ...(machine.zones !== undefined && { zones: machine.zones }),
            })
          }
        />
        <ImageAndKey path={path} errors={errors} version={version} image={pool.image} keyPair={pool.keyPair} keyPairs={keyPairs} onChange={onChange} />
      </div>
      <label className="check">
        <input type="checkbox" checked={pool.antiAffinity ?? true} onChange={(event) => onChange({ antiAffinity: event.target.checked })} />
        <span>
          {t("create.antiAffinity")}
          <span className="field-hint">{t("create.antiAffinityHint")}</span>
        </span>
      </label>
      <DataVolumeRows volumes={pool.dataVolumes} path={path} pool={pool.name} errors={errors} onChange={(dataVolumes) => onChange({ dataVolumes })} />
      <LabelRows labels={pool.labels} error={inside("labels")} onChange={(labels) => onChange({ labels })} pool={pool.name} />
      <TaintRows taints={pool.taints} error={inside("taints")} onChange={(taints) => onChange({ taints })} pool={pool.name} />
      {onRemove && (
        <div>
          <Button size="small" danger icon={<DeleteOutlined aria-hidden="true" />} onClick={onRemove}>
            {t("create.removePool", { name: pool.name })}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

interface Machine {
  flavor: string;
  volumeGib: number;
  volumeType: string;
  zones: string[];
}

export function MachineFields({ path, errors, flavor, volumeGib, volumeType, zones, onChange }: Machine & { path: string; errors: Record<string, string>; onChange: (machine: Partial<Machine>) => void }) {
  const { t } = useTranslation();
  const { memory } = useFormat();
  const flavors = useFlavors();
  const volumeTypes = useVolumeTypes();
  const allZones = useZones();
  const standard = volumeTypes.data?.items.find((type) => type.default)?.name;
  return (
    <>
      <Field label={t("create.flavor")} error={errors[`${path}.flavor`]} id={fieldId(`${path}.flavor`)}>
        {(field) => (
          <Select
            {...field}
            value={flavor}
            onChange={(next) => onChange({ flavor: next })}
            options={(flavors.data?.items ?? []).map((item) => ({ value: item.name, label: `${item.name} · ${item.vcpus} vCPU · ${memory(item.ram_mib)}` }))}
          />
        )}
      </Field>
      <Field label={t("create.rootVolume")} hint={t("create.rootVolumeHint")} error={errors[`${path}.root_volume_gib`]} id={fieldId(`${path}.root_volume_gib`)}>
        {(field) => <InputNumber {...field} min={0} max={4096} precision={0} suffix="GiB" value={volumeGib} onChange={(next) => onChange({ volumeGib: next ?? 20 })} />}
      </Field>
      <Field label={t("create.volumeType")} error={errors[`${path}.volume_type`]} id={fieldId(`${path}.volume_type`)}>
        {(field) => (
          <Select
            {...field}
            value={volumeType}
            placeholder={standard ? t("create.volumeTypeDefault", { name: standard }) : t("create.volumeTypeCloud")}
            onChange={(next) => onChange({ volumeType: next })}
            options={(volumeTypes.data?.items ?? []).map((type) => ({ value: type.name, label: type.name }))}
          />
        )}
      </Field>
      <fieldset className="field zones">
        <legend className="field-label">{t("create.zones")}</legend>
        <div className="row">
          {(allZones.data?.items ?? []).map((zone) => (
            <label key={zone.name} className="check">
              <input
                type="checkbox"
                checked={zones.includes(zone.name)}
                disabled={!zone.available && !zones.includes(zone.name)}
                onChange={(event) => onChange({ zones: event.target.checked ? [...zones, zone.name] : zones.filter((name) => name !== zone.name) })}
              />
              <span>
                {zone.name}
                {!zone.available && <span className="muted"> {t("create.zoneDown")}</span>}
              </span>
            </label>
          ))}
        </div>
        <p className="field-hint">{t("create.zonesHint")}</p>
      </fieldset>
    </>
  );
}
