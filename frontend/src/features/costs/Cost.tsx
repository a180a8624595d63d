// What something costs: an hour, about a month, and which part of it what.
import { useTranslation } from "react-i18next";
import type { Cost } from "../../api/types";
import { useFormat } from "../../i18n/format";
import "./cost.css";

/** The twelfth part of a year. */
export const HOURS_PER_MONTH = 730;

interface FiguresProps {
  perHour: number;
  currency: string;
  /** Flavors and volume types without a price. */
  unpriced: string[];
}

export function CostFigures({ perHour, currency, unpriced }: FiguresProps) {
  const { t } = useTranslation();
  const { money } = useFormat();
  return (
    <>
      <p className="cost-figures">
        <strong className="numeric">{t("cost.perHour", { amount: money(perHour, currency, 4) })}</strong>
        <span className="muted numeric">{t("cost.perMonth", { amount: money(perHour * HOURS_PER_MONTH, currency, 2) })}</span>
      </p>
      {unpriced.length > 0 && <p className="small muted">{t("cost.unpriced", { names: unpriced.join(t("create.comma")) })}</p>}
    </>
  );
}

export function CostBreakdown({ cost }: { cost: Cost }) {
  const { t, i18n } = useTranslation();
  const { amount, money } = useFormat();
  const word = (kind: string) => (i18n.exists(`operation.kindOf.${kind}`) ? t(`operation.kindOf.${kind}`) : kind);
  return (
    <div className="cost">
      <CostFigures perHour={cost.per_hour} currency={cost.currency} unpriced={cost.unpriced} />
      <ul className="cost-lines">
        {cost.lines.map((line) => (
          <li key={`${line.kind}/${line.name}`}>
            <span>
              {word(line.kind)} {line.name && <span className="muted">{line.name}</span>}
            </span>
            <span className="muted numeric">{line.kind === "volume" ? `${amount(line.count)} GiB` : `× ${amount(line.count)}`}</span>
            <span className="numeric">{money(line.per_hour, cost.currency, 4)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
