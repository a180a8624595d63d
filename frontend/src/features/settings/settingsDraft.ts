// What operators set while it is being changed: each value as configured, none at all, or their own.
import type { AdminSettings, CatalogueVersion, InstallationSettings, Prices, SettingsRequest, SettingValue, Template } from "../../api/types";

export const PROJECT_LIMITS = ["clusters_per_project", "nodes_per_project", "vcpus_per_project", "memory_gib_per_project", "volumes_per_project", "volume_gib_per_project"] as const;
export const CLUSTER_LIMITS = ["nodes_per_pool", "nodes_per_cluster", "kubeconfig_days"] as const;
const LIMITS = [...PROJECT_LIMITS, ...CLUSTER_LIMITS];
export type LimitName = (typeof LIMITS)[number];

/** The greatest that each may be. */
export const MOST: Record<LimitName | "retention_days", number> = {
  clusters_per_project: 100_000,
  nodes_per_project: 4_294_967_295,
  vcpus_per_project: 4_294_967_295,
  memory_gib_per_project: 4_294_967_295,
  volumes_per_project: 4_294_967_295,
  volume_gib_per_project: 4_294_967_295,
  nodes_per_pool: 5000,
  nodes_per_cluster: 5000,
  kubeconfig_days: 365,
  retention_days: 36_500,
};

/** Without a value and not none: as configured. */
export interface NumberDraft {
  none: boolean;
  value: number | null;
}

export interface PriceRow {
  name: string;
  price: number | null;
}

export const PRICE_MODES = ["configured", "none", "own"] as const;
export type PriceMode = (typeof PRICE_MODES)[number];
export const PRICE_LISTS = ["flavors", "volume_gib"] as const;
export type PriceListName = (typeof PRICE_LISTS)[number];

/** The list counts where it is their own. */
export interface PricesDraft {
  mode: PriceMode;
  currency: string;
  flavors: PriceRow[];
  volume_gib: PriceRow[];
  load_balancer: number | null;
  floating_ip: number | null;
}

export const SUPPORTS = ["preview", "current", "deprecated", "hidden"] as const satisfies readonly CatalogueVersion["support"][];

/** A template as it is typed. */
export type TemplateRow = Omit<Template, "own" | "spec"> & {
  /** JSON. */
  spec: string;
};

export interface SettingsDraft {
  limits: Record<LimitName, NumberDraft>;
  /** null: as configured. */
  versions: CatalogueVersion[] | null;
  /** null: as configured. */
  templates: TemplateRow[] | null;
  prices: PricesDraft;
  retention: NumberDraft;
  /** Empty: as configured. */
  forward: { none: boolean; address: string };
  /** What is typed takes the place of what is set. */
  authorization: { remove: boolean; text: string };
}

export const AS_CONFIGURED: NumberDraft = { none: false, value: null };

export function valueOf(settings: AdminSettings, key: string): SettingValue {
  return settings.values.find((value) => value.key === key) ?? { key, value: null, configured: null };
}

/** The price list of the configuration. */
export function configuredPrices(settings: AdminSettings): Prices | null {
  return (valueOf(settings, "prices").configured as Prices | null | undefined) ?? null;
}

const numberOf = (set: number | null | undefined): NumberDraft => ({ none: set === null, value: set ?? null });
const rowsOf = (list: Record<string, number> | undefined): PriceRow[] => Object.entries(list ?? {}).map(([name, price]) => ({ name, price }));

/** `configured`: what a list of their own begins with. */
function pricesOf(set: Prices | null | undefined, configured: Prices | null): PricesDraft {
  const list = set ?? configured;
  const mode: PriceMode = set === undefined ? "configured" : set === null ? "none" : "own";
  return { mode, currency: list?.currency ?? "", flavors: rowsOf(list?.flavors), volume_gib: rowsOf(list?.volume_gib), load_balancer: list?.load_balancer ?? null, floating_ip: list?.floating_ip ?? null };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Without the parts of which nothing is said. */
export function templateRow({ own: _own, spec, ...rest }: Template): TemplateRow {
  const said = Object.entries(spec).filter(([, part]) => !isObject(part) || Object.keys(part).length > 0);
  return { ...rest, spec: JSON.stringify(Object.fromEntries(said), null, 2) };
}

/** undefined: it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function draftOf(set: InstallationSettings, configured: Prices | null): SettingsDraft {
  const { limits = {}, audit = {} } = set;
  return {
    limits: Object.fromEntries(LIMITS.map((name) => [name, numberOf(limits[name])])) as SettingsDraft["limits"],
    versions: set.versions ?? null,
    templates: set.templates?.map(templateRow) ?? null,
    prices: pricesOf(set.prices, configured),
    retention: numberOf(audit.retention_days),
    forward: { none: audit.forward === null, address: audit.forward ?? "" },
    authorization: { remove: false, text: "" },
  };
}

const sent = ({ none, value }: NumberDraft): number | null | undefined => (none ? null : (value ?? undefined));
const listOf = (rows: PriceRow[]) => Object.fromEntries(rows.map(({ name, price }) => [name.trim(), price ?? 0]));

function sentPrices(draft: PricesDraft): Prices | null | undefined {
  if (draft.mode !== "own") return draft.mode === "none" ? null : undefined;
  return { currency: draft.currency.trim(), flavors: listOf(draft.flavors), volume_gib: listOf(draft.volume_gib), load_balancer: draft.load_balancer ?? 0, floating_ip: draft.floating_ip ?? 0 };
}

const sentVersion = ({ version, support, image }: CatalogueVersion): CatalogueVersion => ({ version: version.trim(), support, image: image.trim() });
const sentTemplate = ({ id, name, name_zh, spec, ...rest }: TemplateRow): Template => ({ ...rest, id: id.trim(), name: name.trim(), name_zh: name_zh.trim(), spec: (parsed(spec) ?? spec) as Template["spec"] });

/** As it is sent: what is as configured is not named, and neither is an authorization that stays. */
export function requestOf(draft: SettingsDraft, revision: number): SettingsRequest {
  const { limits, retention, forward, authorization } = draft;
  const address = forward.address.trim();
  return {
    revision,
    limits: Object.fromEntries(LIMITS.flatMap((name) => (sent(limits[name]) === undefined ? [] : [[name, sent(limits[name])]]))),
    versions: draft.versions?.map(sentVersion),
    templates: draft.templates?.map(sentTemplate),
    prices: sentPrices(draft.prices),
    audit: {
      retention_days: sent(retention),
      forward: forward.none ? null : address || undefined,
      forward_authorization: authorization.remove ? null : authorization.text || undefined,
    },
  };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Whether saving it would change anything. */
export function isChanged(draft: SettingsDraft, set: InstallationSettings, configured: Prices | null): boolean {
  return !same(requestOf(draft, 0), requestOf(draftOf(set, configured), 0));
}

const take = <T>(typed: T, before: T, now: T): T => (same(typed, before) ? now : typed);

/** What was typed, on the ground of what somebody else has saved meanwhile. */
export function rebase(draft: SettingsDraft, from: InstallationSettings, to: InstallationSettings, configured: Prices | null): SettingsDraft {
  const [was, is] = [draftOf(from, configured), draftOf(to, configured)];
  return {
    limits: Object.fromEntries(LIMITS.map((name) => [name, take(draft.limits[name], was.limits[name], is.limits[name])])) as SettingsDraft["limits"],
    versions: take(draft.versions, was.versions, is.versions),
    templates: take(draft.templates, was.templates, is.templates),
    prices: take(draft.prices, was.prices, is.prices),
    retention: take(draft.retention, was.retention, is.retention),
    forward: take(draft.forward, was.forward, is.forward),
    authorization: draft.authorization,
  };
}

/** The key of the control in which a key is typed: a template's specification is one text. */
export const controlOf = (key: string) => key.replace(/^(templates\[\d+\]\.spec)\..*$/, "$1");

/** What stands against sending it, by key. */
export function draftErrors({ prices, versions, templates }: SettingsDraft): Record<string, "common.required" | "admin.settings.priceTwice" | "admin.settings.notJson"> {
  const errors: ReturnType<typeof draftErrors> = {};
  if (versions?.length === 0) errors.versions = "common.required";
  for (const [index, row] of (versions ?? []).entries()) {
    for (const part of ["version", "image"] as const) if (row[part].trim() === "") errors[`versions[${index}].${part}`] = "common.required";
  }
  for (const [index, row] of (templates ?? []).entries()) {
    for (const part of ["id", "name", "name_zh"] as const) if (row[part].trim() === "") errors[`templates[${index}].${part}`] = "common.required";
    if (!isObject(parsed(row.spec))) errors[`templates[${index}].spec`] = "admin.settings.notJson";
  }
  if (prices.mode !== "own") return errors;
  if (prices.currency.trim() === "") errors["prices.currency"] = "common.required";
  for (const list of PRICE_LISTS) {
    const names = prices[list].map((row) => row.name.trim());
    if (new Set(names).size < names.length) errors[`prices.${list}`] = "admin.settings.priceTwice";
    if (names.includes("") || prices[list].some((row) => row.price === null)) errors[`prices.${list}`] = "common.required";
  }
  return errors;
}
