// Every choice of a cluster, beginning with what the template says.
import { PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useTranslation } from "react-i18next";
import { useExternalNetworks, useProjectNetworks } from "../../api/catalogue";
import type { Version } from "../../api/types";
import { Field } from "../../components/Field";
import { Card } from "../../components/Page";
import { Select } from "../../components/Select";
import { addPool, type Draft, type PoolDraft } from "./draft";
import { fieldId } from "./ErrorSummary";
import { ImageAndKey } from "./MachineExtras";
import { MachineFields, PoolForm } from "./PoolForm";
import { AddonsForm, ApiForm, SiteForm } from "./SiteForm";

interface Props {
  draft: Draft;
  errors: Record<string, string>;
  versions: Version[];
  /** In a template: no version means the newest current one when a cluster is made of it. */
  versionMayFloat?: boolean;
  onChange: (draft: Draft) => void;
}

export function FullForm({ draft, errors, versions, versionMayFloat, onChange }: Props) {
  const { t } = useTranslation();
  const set = (part: Partial<Draft>) => onChange({ ...draft, ...part });
  const networks = useExternalNetworks();
  return (
    <>
      <Card title={t("create.section.version")}>
        <div className="form-grid">
          <Field label={t("create.version")} error={errors["spec.version"]} id={fieldId("spec.version")}>
            {(field) => (
              <Select
                {...field}
                value={draft.version}
                onChange={(version) => set({ version })}
                options={[
                  ...(versionMayFloat ? [{ value: "", label: t("template.newest") }] : []),
                  ...versions.map((version) => ({
                    value: version.version,
                    label: [version.version, version.support === "current" ? "" : t(`create.support.${version.support}`), imageWord(version, t)].filter(Boolean).join(" · "),
                  })),
                ]}
              />
            )}
          </Field>
        </div>
        <label className="check">
          <input type="checkbox" checked={draft.deletionProtection} onChange={(event) => set({ deletionProtection: event.target.checked })} />
          <span>
            {t("create.protection")}
            <span className="field-hint">{t("create.protectionHint")}</span>
          </span>
        </label>
      </Card>
      <Card title={t("create.section.network")}>
        <div className="form-grid">
          <Field label={t("create.externalNetwork")} fixed error={errors["spec.network.external_network"]} id={fieldId("spec.network.external_network")}>
            {(field) => (
              <Select
                {...field}
                value={draft.externalNetwork}
                onChange={(externalNetwork) => set({ externalNetwork })}
                options={(networks.data?.items ?? []).map((network) => ({ value: network.id, label: network.name }))}
              />
            )}
          </Field>
          <ExistingNetwork draft={draft} errors={errors} onChange={set} />
          {(
            [
              ...(draft.network ? [] : [["nodeCidr", "spec.network.node_cidr"] as const]),
              ["podCidr", "spec.network.pod_cidr"],
              ["serviceCidr", "spec.network.service_cidr"],
            ] as const
          ).map(([name, path]) => (
            <Field key={name} label={t(`create.${name}`)} hint={t(`create.${name}Hint`)} fixed error={errors[path]} id={fieldId(path)}>
              {(field) => <Input {...field} className="code" spellCheck={false} value={draft[name]} onChange={(event) => set({ [name]: event.target.value })} />}
            </Field>
          ))}
          <Field label={t("create.dnsServers")} hint={t("create.dnsServersHint")} error={errors["spec.network.dns_servers"]} id={fieldId("spec.network.dns_servers")}>
            {(field) => <Input {...field} className="code" spellCheck={false} value={draft.dnsServers} onChange={(event) => set({ dnsServers: event.target.value })} />}
          </Field>
        </div>
      </Card>
      <Card title={t("create.section.controlPlane")}>
        <div className="form-grid">
          <Field label={t("create.masters")} hint={t("create.mastersHint")} error={errors["spec.control_plane.count"]} id={fieldId("spec.control_plane.count")}>
            {(field) => (
              <Select {...field} value={String(draft.masters)} onChange={(value) => set({ masters: Number(value) })} options={["1", "3", "5"].map((value) => ({ value, label: t("create.mastersOption", { count: Number(value) }) }))} />
            )}
          </Field>
          <MachineFields
            path="spec.control_plane"
            errors={errors}
            flavor={draft.masterFlavor}
            volumeGib={draft.masterVolumeGib}
            volumeType={draft.masterVolumeType}
            zones={draft.masterZones}
            onChange={(machine) =>
              set({
                ...(machine.flavor !== undefined && { masterFlavor: machine.flavor }),
                ...(machine.volumeGib !== undefined && { masterVolumeGib: machine.volumeGib }),
                ...(machine.volumeType !== undefined && { masterVolumeType: machine.volumeType }),
                ...(machine.zones !== undefined && { masterZones: machine.zones }),
              })
            }
          />
          <ImageAndKey
            path="spec.control_plane"
            errors={errors}
            version={draft.version}
            image={draft.masterImage}
            keyPair={draft.masterKeyPair}
            onChange={({ image, keyPair }) => set({ ...(image !== undefined && { masterImage: image }), ...(keyPair !== undefined && { masterKeyPair: keyPair }) })}
          />
        </div>
      </Card>
      <ApiForm draft={draft} errors={errors} onChange={set} />
      <Pools pools={draft.pools} version={draft.version} errors={errors} onChange={(pools) => set({ pools })} />
      <AddonsForm draft={draft} errors={errors} onChange={set} />
      <SiteForm draft={draft} errors={errors} onChange={set} />
    </>
  );
}

function ExistingNetwork({ draft, errors, onChange }: { draft: Draft; errors: Record<string, string>; onChange: (part: Partial<Draft>) => void }) {
  const { t } = useTranslation();
  const networks = useProjectNetworks();
  const items = networks.data?.items ?? [];
  const subnets = items.find((network) => network.id === draft.network)?.subnets ?? [];
  const choose = (network: string) => onChange({ network, subnet: items.find((item) => item.id === network)?.subnets[0]?.id ?? "" });
  return (
    <>
      <Field label={t("create.network")} hint={t("create.networkHint")} fixed error={errors["spec.network.existing.network_id"]} id={fieldId("spec.network.existing.network_id")}>
        {(field) => (
          <Select
            {...field}
            value={draft.network}
            onChange={choose}
            options={[{ value: "", label: t("create.newNetwork") }, ...items.filter((network) => network.subnets.length > 0).map((network) => ({ value: network.id, label: network.name || network.id }))]}
          />
        )}
      </Field>
      {draft.network && (
        <Field label={t("create.subnet")} fixed error={errors["spec.network.existing.subnet_id"]} id={fieldId("spec.network.existing.subnet_id")}>
          {(field) => (
            <Select {...field} value={draft.subnet} onChange={(subnet) => onChange({ subnet })} options={subnets.map((subnet) => ({ value: subnet.id, label: `${subnet.name || subnet.id} · ${subnet.cidr}` }))} />
          )}
        </Field>
      )}
    </>
  );
}

function imageWord(version: Version, t: (key: string, params?: Record<string, unknown>) => string): string {
  if (version.image_status === "active") return "";
  if (version.image_status === "missing") return t("create.image.missing");
  return typeof version.image_progress === "number" ? t("create.image.preparingAt", { progress: version.image_progress }) : t("create.image.preparing");
}

function Pools({ pools, version, errors, onChange }: { pools: PoolDraft[]; version: string; errors: Record<string, string>; onChange: (pools: PoolDraft[]) => void }) {
  const { t } = useTranslation();
  const replace = (key: number, part: Partial<PoolDraft>) => onChange(pools.map((pool) => (pool.key === key ? { ...pool, ...part } : pool)));
  return (
    <Card
      title={t("create.section.pools")}
      extra={
        <Button size="small" icon={<PlusOutlined aria-hidden="true" />} onClick={() => onChange(addPool(pools))}>
          {t("create.addPool")}
        </Button>
      }
    >
      {errors["spec.node_pools"] && <p className="field-error">{errors["spec.node_pools"]}</p>}
      {pools.length === 0 && <p className="muted">{t("create.noPools")}</p>}
      <div className="pools">
        {pools.map((pool, index) => (
          <PoolForm
            key={pool.key}
            pool={pool}
            version={version}
            path={`spec.node_pools[${index}]`}
            errors={errors}
            onChange={(part) => replace(pool.key, part)}
            onRemove={() => onChange(pools.filter((other) => other.key !== pool.key))}
          />
        ))}
      </div>
    </Card>
  );
}
