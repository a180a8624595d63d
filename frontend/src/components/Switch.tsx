// A setting that is on or off, with its word beside it; a change shows as busy until it is done.
import { type ReactNode, useId } from "react";

export function Switch({ on, busy, label, word, hint, onChange }: { on: boolean; busy: boolean; label: string; word: ReactNode; hint: string; onChange: (on: boolean) => void }) {
  const id = useId();
  return (
    <span className="row">
      <button
        type="button"
        role="switch"
        className="switch"
        aria-checked={on}
        aria-busy={busy}
        aria-label={label}
        aria-describedby={id}
        onClick={() => {
          if (!busy) onChange(!on);
        }}
      />
      <span>{word}</span>
      <span id={id} className="sr-only">
        {hint}
      </span>
    </span>
  );
}
