// Copying to the clipboard, also where the browser offers no clipboard interface (plain http).
import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useToast } from "./Toast";

export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by the browser: the old way may still work.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export function useCopy(): { copied: boolean; copy: (text: string) => void } {
  const { t } = useTranslation();
  const notify = useToast();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (text: string) => {
    void copyText(text).then((done) => {
      setCopied(done);
      notify(done ? t("common.copied") : t("common.copyFailed"), done ? "ok" : "bad");
    });
  };
  return { copied, copy };
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const { t } = useTranslation();
  const { copied, copy } = useCopy();
  return (
    <button type="button" className="icon-button" aria-label={t("common.copyWhat", { what })} title={t("common.copyWhat", { what })} onClick={() => copy(text)}>
      {copied ? <CheckOutlined aria-hidden="true" /> : <CopyOutlined aria-hidden="true" />}
    </button>
  );
}

/** Saves text as a file of the reader's computer. */
export function saveFile(name: string, text: string, type = "text/plain"): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
