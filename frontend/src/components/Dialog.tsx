// A dialog that is there as long as its component is: focus goes in, stays in, and returns to where it was.
import { Modal, type ModalProps } from "antd";
import { useEffect, useState } from "react";

export function Dialog(props: Omit<ModalProps, "open">) {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // After the dialog has left the page: what stood before may be gone too, then the focus stays with the page.
      setTimeout(() => {
        if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) before.focus();
      });
    },
    [before],
  );
  return <Modal {...props} open />;
}
