// A button that opens a menu: arrow keys move, Escape closes and gives the focus back.
import { CheckOutlined, DownOutlined } from "@ant-design/icons";
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

export interface MenuItem {
  key: string;
  label: ReactNode;
  /** Given for items of a choice: whether it is the one chosen. */
  checked?: boolean;
  /** A line above the item that begins a group. */
  group?: string;
  onSelect: () => void;
}

interface Props {
  label: ReactNode;
  /** Read out in place of the visible label. */
  name: string;
  items: MenuItem[];
  icon?: ReactNode;
  disabled?: boolean;
  align?: "left" | "right";
  className?: string;
}

export function MenuButton({ label, name, items, icon, disabled, align = "right", className = "" }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return undefined;
    const entries = box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]");
    const chosen = box.current?.querySelector<HTMLElement>("[aria-checked=true]");
    (chosen ?? entries?.[0])?.focus();
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const entries = [...(box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      entries[(to + entries.length) % entries.length]?.focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Tab") {
      setOpen(false);
    }
  };

  return (
    <div className={`menu-button ${className}`} ref={box}>
      <button
        type="button"
        ref={button}
        className="menu-trigger"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={name}
        disabled={disabled}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" && !open) {
            event.preventDefault();
            setOpen(true);
          }
        }}
      >
        {icon && <span aria-hidden="true">{icon}</span>}
        <span className="menu-label">{label}</span>
        <DownOutlined className="menu-caret" aria-hidden="true" />
      </button>
      {open && (
        <div id={id} role="menu" tabIndex={-1} aria-label={name} className={`menu menu-${align}`} onKeyDown={onKeyDown}>
          {items.map((item) => (
            <div key={item.key} role="none">
              {item.group && (
                <div className="menu-group" role="presentation">
                  {item.group}
                </div>
              )}
              <button
                type="button"
                role={item.checked === undefined ? "menuitem" : "menuitemradio"}
                aria-checked={item.checked}
                tabIndex={-1}
                className="menu-item"
                onClick={() => {
                  close();
                  item.onSelect();
                }}
              >
                <span className="menu-check" aria-hidden="true">
                  {item.checked && <CheckOutlined />}
                </span>
                <span>{item.label}</span>
              </button>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
