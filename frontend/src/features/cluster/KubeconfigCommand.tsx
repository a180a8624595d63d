// A command for the terminal, with what it does and a button to copy it.
import { CopyButton } from "../../components/Copy";

export function KubeconfigCommand({ label, command, hint }: { label: string; command: string; hint?: string }) {
  return (
    <div className="field">
      <span className="field-label">{label}</span>
      <span className="copyable command">
        <code>{command}</code>
        <CopyButton text={command} what={label} />
      </span>
      {hint && <p className="field-hint">{hint}</p>}
    </div>
  );
}
