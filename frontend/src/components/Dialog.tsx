// A dialog that is there as long as its component is: focus goes in, stays in, and returns to where it was.
import { Modal, type ModalProps } from "antd";
import { useEffect, useState } from "react";

/** What stands behind dialogs. Toasts do not: they are read out meanwhile. */
const behind = () => document.querySelectorAll<HTMLElement>("#root > :not(.toasts)");
let open = 0;
/** What of the page had the focus before: a dialog that takes another's place finds the focus in that one, which is gone afterwards. */
let ofPage: Element | null = null;

export function Dialog(props: Omit<ModalProps, "open">) {
  const [before] = useState(() => document.activeElement);
  useEffect(() => {
    if (!before?.closest("[role=dialog]")) ofPage = before;
    open += 1;
    for (const element of behind()) element.inert = true;
    return () => {
      open -= 1;
      if (open === 0) for (const element of behind()) element.inert = false;
      // After the dialog has left the page: what stood before may be gone too, then the focus stays with the page.
      setTimeout(() => {
        const back = before?.isConnected ? before : ofPage;
        if (back instanceof HTMLElement && back.isConnected && document.activeElement === document.body) back.focus();
      });
    };
  }, [before]);
  return <Modal {...props} open />;
}
