// Short notices at the edge of the screen, read out politely.
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";
import { Status } from "./Status";

type Notify = (text: string, tone?: "ok" | "bad") => void;

const ToastContext = createContext<Notify>(() => undefined);

export function useToast(): Notify {
  return useContext(ToastContext);
}

export function ToastHost({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<{ id: number; text: string; tone: "ok" | "bad" }[]>([]);
  const nextId = useRef(1);
  const notify = useCallback<Notify>((text, tone = "ok") => {
    const id = nextId.current++;
    setToasts((shown) => [...shown.slice(-2), { id, text, tone }]);
    setTimeout(() => setToasts((shown) => shown.filter((toast) => toast.id !== id)), tone === "bad" ? 8000 : 4000);
  }, []);
  const list = useMemo(
    () => (
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className="toast">
            <Status tone={toast.tone}>{toast.text}</Status>
          </div>
        ))}
      </div>
    ),
    [toasts],
  );
  return (
    <ToastContext value={notify}>
      {children}
      {list}
    </ToastContext>
  );
}
