// Lists: a table that scrolls inside its own box, and cards on narrow screens. The server sorts, filters and pages.
import { ArrowDownOutlined, ArrowUpOutlined, SwapOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Loading } from "./Page";
import { LoadProblem } from "./Problem";

export interface Column<Row> {
  key: string;
  title: string;
  render: (row: Row) => ReactNode;
  align?: "right";
  width?: string;
  /** Name of the server's sort field. */
  sort?: string;
  /** The column that names the row; heading of the card on narrow screens. */
  main?: boolean;
}

interface Props<Row> {
  name: string;
  columns: Column<Row>[];
  rows: Row[] | undefined;
  rowKey: (row: Row) => string;
  error?: unknown;
  onRetry?: () => void;
  empty: ReactNode;
  sort?: string;
  onSort?: (sort: string) => void;
  stale?: boolean;
  /** What stands below a row when there is more to say about it. */
  detail?: (row: Row) => ReactNode;
}

const narrowQuery = "(max-width: 700px)";

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => window.matchMedia(narrowQuery).matches);
  useEffect(() => {
    const list = window.matchMedia(narrowQuery);
    const update = () => setNarrow(list.matches);
    update();
    list.addEventListener("change", update);
    return () => list.removeEventListener("change", update);
  }, []);
  return narrow;
}

export function DataTable<Row>({ name, columns, rows, rowKey, error, onRetry, empty, sort, onSort, stale, detail }: Props<Row>) {
  const narrow = useNarrow();
  if (!rows && error) return <LoadProblem error={error} onRetry={onRetry} />;
  if (!rows) return <Loading rows={5} />;
  if (rows.length === 0) return <>{empty}</>;
  const notice = error ? <LoadProblem error={error} onRetry={onRetry} /> : null;
  return (
    <>
      {notice}
      {narrow ? (
        <Cards name={name} columns={columns} rows={rows} rowKey={rowKey} detail={detail} />
      ) : (
        <div className={`table-box ${stale ? "stale" : ""}`} role="region" aria-label={name} tabIndex={0}>
          <table className="table">
            <thead>
              <tr>
                {columns.map((column) => (
                  <HeadCell key={column.key} column={column} sort={sort} onSort={onSort} />
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={rowKey(row)} row={row} columns={columns} detail={detail?.(row)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row<R>({ row, columns, detail }: { row: R; columns: Column<R>[]; detail?: ReactNode }) {
  return (
    <>
      <tr>
        {columns.map((column) =>
          column.main ? (
            <th key={column.key} scope="row">
              {column.render(row)}
            </th>
          ) : (
            <td key={column.key} className={column.align === "right" ? "right" : undefined}>
              {column.render(row)}
            </td>
          ),
        )}
      </tr>
      {detail && (
        <tr className="detail-row">
          <td colSpan={columns.length}>{detail}</td>
        </tr>
      )}
    </>
  );
}

function HeadCell<R>({ column, sort, onSort }: { column: Column<R>; sort?: string; onSort?: (sort: string) => void }) {
  const field = column.sort;
  const direction = field && sort === field ? "ascending" : field && sort === `-${field}` ? "descending" : undefined;
  return (
    <th scope="col" className={column.align === "right" ? "right" : undefined} style={column.width ? { width: column.width } : undefined} aria-sort={direction}>
      {field && onSort ? (
        <button type="button" className="sort-button" onClick={() => onSort(direction === "ascending" ? `-${field}` : field)}>
          {column.title}
          <span aria-hidden="true">{direction === "ascending" ? <ArrowUpOutlined /> : direction === "descending" ? <ArrowDownOutlined /> : <SwapOutlined rotate={90} />}</span>
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

function Cards<R>({ name, columns, rows, rowKey, detail }: Pick<Props<R>, "name" | "columns" | "rowKey" | "detail"> & { rows: R[] }) {
  const main = columns.find((column) => column.main);
  return (
    <ul className="row-cards" aria-label={name}>
      {rows.map((row) => (
        <li key={rowKey(row)}>
          {main && <div className="row-card-main">{main.render(row)}</div>}
          <dl>
            {columns
              .filter((column) => !column.main)
              .map((column) => (
                <div key={column.key}>
                  <dt>{column.title}</dt>
                  <dd>{column.render(row)}</dd>
                </div>
              ))}
          </dl>
          {detail?.(row)}
        </li>
      ))}
    </ul>
  );
}

interface PagerProps {
  shown: number;
  total?: number | null;
  /** Whether a page before this one was left. */
  hasPrevious: boolean;
  nextCursor?: string | null;
  onPrevious: () => void;
  onNext: (cursor: string) => void;
}

/** Paging by cursor: forward by the server's cursor, back through the browser's own history. */
export function Pager({ shown, total, hasPrevious, nextCursor, onPrevious, onNext }: PagerProps) {
  const { t } = useTranslation();
  return (
    <div className="pager">
      <span className="muted">{typeof total === "number" ? t("common.shownOf", { shown, total }) : t("common.shown", { shown })}</span>
      {(hasPrevious || nextCursor) && (
        <span className="pager-buttons">
          <Button size="small" disabled={!hasPrevious} onClick={onPrevious}>
            {t("common.firstPage")}
          </Button>
          <Button size="small" disabled={!nextCursor} onClick={() => nextCursor && onNext(nextCursor)}>
            {t("common.nextPage")}
          </Button>
        </span>
      )}
    </div>
  );
}
