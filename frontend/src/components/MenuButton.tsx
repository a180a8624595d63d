// A button that opens a menu: arrow keys move, Escape closes and gives the focus back.
import { CheckOutlined, DownOutlined } from "@ant-design/icons";
import { useEffect, useId, useLayoutEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from "react";

export interface MenuItem {
  key: string;
  label: ReactNode;
  /** Given for items of a choice: whether it is the one chosen. */
  checked?: boolean;
  /** A line above the item that begins a group. */
  group?: string;
  /** Why it cannot be chosen now; it stays in reach of the keyboard, so that the reason is. */
  unavailable?: string;
  danger?: boolean;
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
  /** Stands above whatever would cut it off, as the scrolling box of a table does. */
  floating?: boolean;
}

/** Where a floating menu stands: below its button, or above it where there is no room. */
function place(button: DOMRect, menu: DOMRect): CSSProperties {
  const below = button.bottom + 4;
  const top = below + menu.height > window.innerHeight ? Math.max(4, button.top - menu.height - 4) : below;
  return { position: "fixed", insetBlockStart: top, insetInlineStart: Math.max(4, button.right - menu.width), insetInlineEnd: "auto" };
}

export function MenuButton({ label, name, items, icon, disabled, align = "right", className = "", floating }: Props) {
  const [open, setOpen] = useState(false);
  const [style, setStyle] = useState<CSSProperties>();
  const menu = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return undefined;
    const entries = box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]");
    const chosen = box.current?.querySelector<HTMLElement>("[aria-checked=true]");
    (chosen ?? entries?.[0])?.focus({ preventScroll: true });
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  useLayoutEffect(() => {
    if (!open || !floating) return undefined;
    const follow = () => {
      if (button.current && menu.current) setStyle(place(button.current.getBoundingClientRect(), menu.current.getBoundingClientRect()));
    };
    follow();
    window.addEventListener("scroll", follow, { capture: true });
    window.addEventListener("resize", follow);
    return () => {
      window.removeEventListener("scroll", follow, { capture: true });
      window.removeEventListener("resize", follow);
    };
  }, [open, floating]);

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
        <div id={id} ref={menu} role="menu" tabIndex={-1} style={floating ? style : undefined} aria-label={name} className={`menu menu-${align}`} onKeyDown={onKeyDown}>
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
                aria-disabled={item.unavailable ? true : undefined}
                className={`menu-item ${item.danger ? "menu-item-danger" : ""}`}
                onClick={() => {
                  if (item.unavailable) return;
                  close();
                  item.onSelect();
                }}
              >
                {item.checked !== undefined && (
                  <span className="menu-check" aria-hidden="true">
                    {item.checked && <CheckOutlined />}
                  </span>
                )}
                <span>
                  {item.label}
                  {item.unavailable && <span className="menu-reason">{item.unavailable}</span>}
                </span>
              </button>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
