// The namespaces that a token or a kubeconfig may go into.
import { useTranslation } from "react-i18next";

export function Namespaces({ names }: { names: string[] | null | undefined }) {
  const { t } = useTranslation();
  return <span className="small break">{names ? `${t("token.namespaces")} ${names.join(t("create.comma"))}` : <span className="muted">{t("token.allNamespaces")}</span>}</span>;
}
