// Points in time and spans, kept up to date while shown.
import { useFormat, useNow } from "../i18n/format";

export function Ago({ time }: { time: string }) {
  const { relative, absolute } = useFormat();
  const fresh = Date.now() - new Date(time).getTime() < 120_000;
  const now = useNow(fresh ? 1000 : 30_000);
  return (
    <time dateTime={time} title={absolute(time)} className="nowrap">
      {relative(time, now)}
    </time>
  );
}

/** How long something has taken: running on until `to` is there. */
export function Elapsed({ from, to }: { from: string; to?: string | null }) {
  const { span } = useFormat();
  const now = useNow(1000, !to);
  const seconds = ((to ? new Date(to).getTime() : now) - new Date(from).getTime()) / 1000;
  return <span className="numeric nowrap">{span(seconds)}</span>;
}
