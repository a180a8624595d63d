// The clusters and namespaces in which somebody was given something.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { GivenPlace } from "../../api/types";

interface Props {
  places: GivenPlace[];
  /** Names of clusters by id. */
  named: ReadonlyMap<string, string>;
  /** The word for a role. */
  word: (role: string) => string;
}

/** More than these are folded away. */
const FEW = 4;

export function Places({ places, named, word }: Props) {
  const { t } = useTranslation();
  if (places.length === 0) return <span className="muted">—</span>;
  const list = (
    <ul className="places">
      {places.map((place) => (
        <li key={`${place.cluster}/${place.namespace ?? ""}`}>
          <span className="break">
            {named.has(place.cluster) ? (
              <Link to="/clusters/$id" params={{ id: place.cluster }}>
                {named.get(place.cluster)}
              </Link>
            ) : (
              <code className="id">{place.cluster}</code>
            )}
            {place.namespace ? (
              <>
                {" / "}
                <code>{place.namespace}</code>
              </>
            ) : (
              <span className="muted"> {t("member.place.wholeShort")}</span>
            )}
          </span>
          <span className="tag">{word(place.role)}</span>
        </li>
      ))}
    </ul>
  );
  if (places.length <= FEW) return list;
  return (
    <details className="places-more">
      <summary>{t("member.places", { count: places.length })}</summary>
      {list}
    </details>
  );
}
