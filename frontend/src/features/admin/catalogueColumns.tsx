// The columns of the catalogue's tables: versions, node images, flavors, templates, add-ons, and prices beside what is offered.
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import type { AddonOffer, FlavorUsage, NodeImage, PriceList, TemplateOffer, VersionUse } from "../../api/types";
import { useSettings } from "../../app/settings";
import { CopyButton } from "../../components/Copy";
import type { Column } from "../../components/DataTable";
import { Status, type Tone } from "../../components/Status";
import { useFormat } from "../../i18n/format";

const supportTone: Record<NonNullable<VersionUse["offered"]>["support"], Tone> = { preview: "wait", current: "ok", deprecated: "warn", hidden: "off" };

function useCount<R extends { clusters: number }>(): Column<R> {
  const { t } = useTranslation();
  const { amount } = useFormat();
  return { key: "clusters", title: t("admin.catalogue.clusters"), align: "right", render: (row) => <span className="numeric">{amount(row.clusters)}</span> };
}

/** An active one before another of the name, as the API has it. */
const imageOf = (images: NodeImage[], name: string) => images.find((image) => image.name === name && image.status === "active") ?? images.find((image) => image.name === name);

export function useVersionColumns(images: NodeImage[]): Column<VersionUse>[] {
  const { t } = useTranslation();
  const count = useCount<VersionUse>();
  return [
    { key: "version", title: t("clusters.col.version"), main: true, render: (row) => <span id={`version-${row.version}`} className="numeric">{row.version}</span> },
    {
      key: "support",
      title: t("admin.catalogue.support"),
      render: ({ offered }) => (offered ? <Status tone={supportTone[offered.support]}>{t(`admin.catalogue.supportOf.${offered.support}`)}</Status> : <Status tone="warn">{t("admin.catalogue.gone")}</Status>),
    },
    {
      key: "image",
      title: t("admin.catalogue.image"),
      width: "40%",
      render: ({ offered }) =>
        offered && (
          <div className="name-cell">
            <ImageLink name={offered.image} id={imageOf(images, offered.image)?.id} />
            {offered.image_status !== "active" && <Status tone={offered.image_status === "missing" ? "bad" : "busy"}>{t(offered.image_status === "missing" ? "create.image.missing" : "create.image.preparing")}</Status>}
          </div>
        ),
    },
    count,
  ];
}

/** To the image's row, where there is one. */
function ImageLink({ name, id }: { name: string; id?: string }) {
  const code = <code className="break">{name}</code>;
  return id ? <a href={`#image-${id}`}>{code}</a> : code;
}

export function useImageColumns(): Column<NodeImage>[] {
  const { t, i18n } = useTranslation();
  const { memory } = useFormat();
  const visibility = (word: string) => (i18n.exists(`admin.catalogue.visibilityOf.${word}`) ? t(`admin.catalogue.visibilityOf.${word}`) : word);
  return [
    {
      key: "name",
      title: t("admin.catalogue.image"),
      main: true,
      width: "32%",
      render: (row) => (
        <div className="name-cell" id={`image-${row.id}`}>
          <span className="break">{row.name}</span>
          <span className="copyable">
            <code className="id">{row.id}</code>
            <CopyButton text={row.id} what={row.name} />
          </span>
        </div>
      ),
    },
    { key: "holds", title: t("clusters.col.version"), render: (row) => (row.kubernetes_version ? <span className="numeric">{row.kubernetes_version}</span> : "—") },
    { key: "status", title: t("clusters.col.status"), render: (row) => <Status tone={imageTone(row.status)}>{row.status}</Status> },
    {
      key: "size",
      title: t("admin.catalogue.size"),
      render: (row) => (
        <div className="name-cell">
          <span className="numeric nowrap">{typeof row.size_bytes === "number" ? memory(Math.round(row.size_bytes / MIB)) : "—"}</span>
          {row.min_disk_gib > 0 && <span className="small muted nowrap">{t("admin.catalogue.minDisk", { size: memory(row.min_disk_gib * 1024) })}</span>}
        </div>
      ),
    },
    { key: "visibility", title: t("admin.catalogue.visibility"), render: (row) => (row.visibility ? visibility(row.visibility) : "—") },
    { key: "versions", title: t("admin.catalogue.namedBy"), render: (row) => <VersionLinks versions={row.versions} /> },
  ];
}

const MIB = 1024 * 1024;

/** Words of Glance's for an image that no server boots from any more; the others are on their way. */
const NO_USE = ["deactivated", "deleted", "killed", "pending_delete"];
const imageTone = (status: string): Tone => (status === "active" ? "ok" : NO_USE.includes(status) ? "bad" : "busy");

function VersionLinks({ versions }: { versions: string[] }) {
  const { t } = useTranslation();
  if (versions.length === 0) return <Status tone="off">{t("admin.catalogue.unnamed")}</Status>;
  return (
    <span className="break">
      {versions.map((version, at) => (
        <Fragment key={version}>
          {at > 0 && t("create.comma")}
          <a className="numeric" href={`#version-${version}`}>
            {version}
          </a>
        </Fragment>
      ))}
    </span>
  );
}

export function useFlavorColumns(): Column<FlavorUsage>[] {
  const { t } = useTranslation();
  const { amount, memory } = useFormat();
  const count = useCount<FlavorUsage>();
  return [
    { key: "name", title: t("admin.catalogue.flavors"), main: true, render: (row) => <span className="break">{row.name}</span> },
    { key: "size", title: t("admin.catalogue.size"), render: (row) => (typeof row.vcpus === "number" && typeof row.ram_mib === "number" ? <span className="numeric nowrap">{`${row.vcpus} vCPU · ${memory(row.ram_mib)}`}</span> : "—") },
    { key: "offered", title: t("admin.catalogue.support"), render: (row) => <Status tone={row.offered ? "ok" : "warn"}>{t(row.offered ? "admin.catalogue.offered" : "admin.catalogue.gone")}</Status> },
    count,
    { key: "machines", title: t("admin.catalogue.machines"), align: "right", render: (row) => <span className="numeric">{amount(row.machines)}</span> },
  ];
}

export function useTemplateColumns(): Column<TemplateOffer>[] {
  const { t } = useTranslation();
  const { language } = useSettings();
  return [
    {
      key: "name",
      title: t("admin.catalogue.templates"),
      main: true,
      render: (row) => (
        <div className="name-cell">
          <span>{language === "zh-CN" ? row.name_zh : row.name}</span>
          <code className="id">{row.id}</code>
        </div>
      ),
    },
    { key: "names", title: t("admin.catalogue.names"), width: "40%", render: (row) => <span className="break">{[row.version ?? t("admin.catalogue.newest"), ...row.flavors].join(" · ")}</span> },
    {
      key: "state",
      title: t("admin.catalogue.support"),
      render: (row) => (row.missing.length > 0 ? <Status tone="bad">{t("admin.catalogue.missing", { names: row.missing.join(", ") })}</Status> : <Status tone="ok">{t("admin.catalogue.offered")}</Status>),
    },
  ];
}

export function useAddonColumns(): Column<AddonOffer>[] {
  const { t } = useTranslation();
  const count = useCount<AddonOffer>();
  return [
    {
      key: "name",
      title: t("cluster.addons.name"),
      main: true,
      render: (row) => (
        <div className="name-cell">
          <span>
            {t(`cluster.addons.nameOf.${row.name}`)} {row.essential && <span className="tag">{t("cluster.addons.essential")}</span>}
          </span>
          <span className="small muted">{t(`cluster.addons.textOf.${row.name}`)}</span>
        </div>
      ),
    },
    { key: "version", title: t("clusters.col.version"), render: (row) => (row.version ? <span className="numeric">{row.version}</span> : <span className="muted">{t("cluster.addons.kubernetes")}</span>) },
    {
      key: "images",
      title: t("admin.catalogue.pulled"),
      width: "36%",
      render: (row) =>
        row.images.length > 0 ? (
          <div className="name-cell">
            {row.images.map((image) => (
              <code key={image} className="small break">
                {image}
              </code>
            ))}
          </div>
        ) : (
          "—"
        ),
    },
    { key: "default", title: t("admin.catalogue.usually"), render: (row) => <Status tone={row.default ? "ok" : "off"}>{t(row.default ? "admin.catalogue.on" : "admin.catalogue.off")}</Status> },
    count,
  ];
}

/** One line of the price list; load balancers and floating IPs have no name. */
export interface PriceRow {
  kind: "flavors" | "volume_gib" | "load_balancer" | "floating_ip";
  name: string;
  offered: boolean;
  per_hour?: number | null;
}

/** The price list as rows; none where there is no list. */
export function priceRows(list: PriceList | null): PriceRow[] {
  if (!list) return [];
  const named = (kind: "flavors" | "volume_gib") => list[kind].map((row) => ({ kind, ...row }));
  const whole = (kind: "load_balancer" | "floating_ip") => ({ kind, name: "", offered: true, per_hour: list[kind] });
  return [...named("flavors"), ...named("volume_gib"), whole("load_balancer"), whole("floating_ip")];
}

export function usePriceColumns(currency: string): Column<PriceRow>[] {
  const { t } = useTranslation();
  const { money } = useFormat();
  return [
    {
      key: "name",
      title: t("admin.settings.priceName"),
      main: true,
      render: (row) => (
        <div className="name-cell">
          <span className="break">{row.name || t(`admin.settings.priceOf.${row.kind}`)}</span>
          {row.name && <span className="small muted">{t(`admin.settings.priceOf.${row.kind}`)}</span>}
        </div>
      ),
    },
    { key: "price", title: t("admin.settings.price"), align: "right", render: (row) => <span className="numeric nowrap">{typeof row.per_hour === "number" ? money(row.per_hour, currency, PRICE_DIGITS) : "—"}</span> },
    { key: "state", title: t("admin.catalogue.support"), render: (row) => <PriceState row={row} /> },
  ];
}

/** Prices are counted in millionths. */
const PRICE_DIGITS = 6;

function PriceState({ row }: { row: PriceRow }) {
  const { t } = useTranslation();
  if (typeof row.per_hour !== "number") return <Status tone="warn">{t("admin.catalogue.unpriced")}</Status>;
  return <Status tone={row.offered ? "ok" : "off"}>{t(row.offered ? "admin.catalogue.offered" : "admin.catalogue.notShown")}</Status>;
}
