// What a pool's machines have beside flavor and root volume: image, key pair, further disks.
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";
import { useImages, useKeyPairs, useVolumeTypes } from "../../api/catalogue";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { addVolume, type VolumeDraft } from "./draft";
import { fieldId } from "./ErrorSummary";

interface ImageKeyProps {
  path: string;
  errors: Record<string, string>;
  version: string;
  image: string;
  keyPair: string;
  keyPairs?: string[];
  onChange: (part: { image?: string; keyPair?: string }) => void;
}

export function ImageAndKey({ path, errors, version, image, keyPair, keyPairs, onChange }: ImageKeyProps) {
  const { t } = useTranslation();
  const images = useImages();
  const own = useKeyPairs();
  const names = [...new Set([...(keyPairs ?? []), ...(own.data?.items ?? []).map((item) => item.name)])];
  const fitting = (images.data?.items ?? []).filter((item) => item.kubernetes_version === version);
  return (
    <>
      <Field label={t("create.nodeImage")} error={errors[`${path}.image`]} id={fieldId(`${path}.image`)}>
        {(field) => (
          <Select
            {...field}
            value={image}
            onChange={(next) => onChange({ image: next })}
            options={[{ value: "", label: t("create.nodeImageDefault") }, ...fitting.map((item) => ({ value: item.name, label: item.name }))]}
          />
        )}
      </Field>
      <Field label={t("create.keyPair")} hint={t("create.keyPairHint")} fixed error={errors[`${path}.key_pair`]} id={fieldId(`${path}.key_pair`)}>
        {(field) => (
          <Select
            {...field}
            value={keyPair}
            onChange={(next) => onChange({ keyPair: next })}
            options={[{ value: "", label: t("create.noKeyPair") }, ...names.map((name) => ({ value: name, label: name }))]}
          />
        )}
      </Field>
    </>
  );
}

interface VolumesProps {
  volumes: VolumeDraft[];
  path: string;
  pool: string;
  errors: Record<string, string>;
  onChange: (volumes: VolumeDraft[]) => void;
}

export function DataVolumeRows({ volumes, path, pool, errors, onChange }: VolumesProps) {
  const { t } = useTranslation();
  const types = useVolumeTypes();
  const replace = (key: number, part: Partial<VolumeDraft>) => onChange(volumes.map((volume) => (volume.key === key ? { ...volume, ...part } : volume)));
  return (
    <fieldset className="rows">
      <legend className="field-label">{t("create.dataVolumes")}</legend>
      {volumes.map((volume, index) => {
        const at = `${path}.data_volumes[${index}]`;
        return (
          <div key={volume.key} className="form-grid">
            <Field label={t("create.dataVolumeName")} error={errors[`${at}.name`]} id={fieldId(`${at}.name`)}>
              {(field) => <Input {...field} spellCheck={false} maxLength={15} value={volume.name} onChange={(event) => replace(volume.key, { name: event.target.value })} />}
            </Field>
            <Field label={t("create.dataVolumeSize")} error={errors[`${at}.size_gib`]} id={fieldId(`${at}.size_gib`)}>
              {(field) => <InputNumber {...field} min={1} max={4096} precision={0} suffix="GiB" value={volume.sizeGib} onChange={(next) => replace(volume.key, { sizeGib: next ?? 1 })} />}
            </Field>
            <Field label={t("create.volumeType")} error={errors[`${at}.type`]} id={fieldId(`${at}.type`)}>
              {(field) => (
                <Select
                  {...field}
                  value={volume.type}
                  placeholder={t("create.volumeTypeCloud")}
                  onChange={(type) => replace(volume.key, { type })}
                  options={(types.data?.items ?? []).map((type) => ({ value: type.name, label: type.name }))}
                />
              )}
            </Field>
            <Field label={t("create.mountPath")} hint={t("create.mountPathHint")} error={errors[`${at}.mount_path`]} id={fieldId(`${at}.mount_path`)}>
              {(field) => <Input {...field} className="code" spellCheck={false} value={volume.mountPath} onChange={(event) => replace(volume.key, { mountPath: event.target.value })} />}
            </Field>
            <div>
              <Button size="small" icon={<DeleteOutlined aria-hidden="true" />} aria-label={t("create.removeRow", { name: volume.name })} onClick={() => onChange(volumes.filter((other) => other.key !== volume.key))} />
            </div>
          </div>
        );
      })}
      <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden="true" />} aria-label={`${t("create.addDataVolume")} ${pool}`} onClick={() => onChange(addVolume(volumes))}>
        {t("create.addDataVolume")}
      </Button>
    </fieldset>
  );
}
