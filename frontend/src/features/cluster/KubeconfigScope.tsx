// What a kubeconfig may do and where, in two short lines.
import { useTranslation } from "react-i18next";
import type { Permission } from "../../api/types";
import { Namespaces } from "../access/Namespaces";

interface Props {
  readOnly: boolean;
  /** What it was narrowed to; none: to nothing. */
  permissions: Permission[] | null | undefined;
  /** Whether it was made for a role just now: what that names only the server knows. */
  ofRole?: boolean;
  namespaces: string[] | null | undefined;
}

/** Whatever else is named is for what is around clusters, where no kubeconfig leads. */
const INSIDE = ["kubernetes_write", "kubernetes_exec"] as const;

export function KubeconfigScope({ readOnly, permissions, ofRole = false, namespaces }: Props) {
  const { t } = useTranslation();
  const may = () => {
    if (ofRole) return t("kubeconfig.mayOf.role");
    if (readOnly) return t("kubeconfig.mayOf.read");
    if (!permissions) return t("token.mayOf.all");
    return INSIDE.filter((permission) => permissions.includes(permission))
      .map((permission) => t(`permission.of.${permission}`))
      .join(t("create.comma"));
  };
  return (
    <div className="name-cell">
      <span>{may()}</span>
      <Namespaces names={namespaces} />
    </div>
  );
}
