// What of the catalogue a project may use, where it is not all of it.
import { useTranslation } from "react-i18next";
import { useExternalNetworks } from "../../api/catalogue";
import type { Allowed } from "../../api/types";
import { Definitions } from "../../components/Page";

export const ALLOWED_KINDS = ["flavors", "versions", "external_networks"] as const;
export type AllowedKind = (typeof ALLOWED_KINDS)[number];

export function AllowedList({ allowed }: { allowed: Allowed }) {
  const { t } = useTranslation();
  const networks = useExternalNetworks().data?.items ?? [];
  const word = (kind: AllowedKind, name: string) => (kind === "external_networks" ? (networks.find((network) => network.id === name)?.name ?? name) : name);
  const narrowed = ALLOWED_KINDS.filter((kind) => allowed[kind]);
  const items = narrowed.map((kind) => ({
    label: t(`quota.allowedOf.${kind}`),
    value: (
      <ul className="tags">
        {allowed[kind]?.map((name) => (
          <li key={name} className="tag">
            {word(kind, name)}
          </li>
        ))}
      </ul>
    ),
  }));
  return <Definitions items={items} />;
}
