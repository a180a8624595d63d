// A dialog that is there as long as its component is: focus goes in, stays in, and returns to where it was.
import { Modal, type ModalProps } from "antd";
import { useEffect, useState } from "react";

/** What stands behind dialogs. Toasts do not: they are read out meanwhile. */
const behind = () => document.querySelectorAll<HTMLElement>("#root > :not(.toasts)");
let open = 0;

export function Dialog(props: Omit<ModalProps, "open">) {
  const [before] = useState(() => document.activeElement);
  useEffect(() => {
    open += 1;
    for (const element of behind()) element.inert = true;
    return () => {
      open -= 1;
      if (open === 0) for (const element of behind()) element.inert = false;
      // After the dialog has left the page: what stood before may be gone too, then the focus stays with the page.
      setTimeout(() => {
        if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) before.focus();
      });
    };
  }, [before]);
  return <Modal {...props} open />;
}
