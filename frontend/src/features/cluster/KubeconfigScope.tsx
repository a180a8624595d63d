// What a kubeconfig may do and where, in two short lines.
import { useTranslation } from "react-i18next";
import { Namespaces } from "../access/Namespaces";

export function KubeconfigScope({ readOnly, namespaces }: { readOnly: boolean; namespaces: string[] | null | undefined }) {
  const { t } = useTranslation();
  return (
    <div className="name-cell">
      <span>{t(readOnly ? "token.mayOf.read" : "token.mayOf.all")}</span>
      <Namespaces names={namespaces} />
    </div>
  );
}
