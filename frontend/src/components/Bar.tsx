// A bar for progress or for use against a limit. Its words stand beside it, so the bar itself needs a name only.
import type { Tone } from "./Status";

interface Props {
  value: number;
  name: string;
  tone?: Extract<Tone, "ok" | "busy" | "warn" | "bad">;
  /** A second part in front of the value, for what an act would add. */
  extra?: number;
}

export function Bar({ value, name, tone = "busy", extra = 0 }: Props) {
  const percent = Math.max(0, Math.min(100, value));
  const more = Math.max(0, Math.min(100 - percent, extra));
  return (
    <div className={`bar bar-${tone}`} role="progressbar" aria-label={name} aria-valuenow={Math.round(percent + more)} aria-valuemin={0} aria-valuemax={100}>
      <span className="bar-value" style={{ inlineSize: `${percent}%` }} />
      {more > 0 && <span className="bar-extra" style={{ inlineSize: `${more}%` }} />}
    </div>
  );
}
