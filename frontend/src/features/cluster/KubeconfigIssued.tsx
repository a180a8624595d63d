// A new kubeconfig, which is nowhere but on this screen, and how it is used.
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../../api/session";
import type { KubeconfigRequest } from "../../api/types";
import { Status } from "../../components/Status";
import { useFormat } from "../../i18n/format";
import { KubeconfigFile } from "./KubeconfigFile";
import { KubeconfigScope } from "./KubeconfigScope";

interface Props {
  issued: { kubeconfig: string; expires_at: string };
  /** What was asked for. */
  request: Pick<KubeconfigRequest, "namespaces" | "read_only" | "permissions" | "role">;
  /** What the file is called after. */
  file: string;
}

/** Something that a narrowed kubeconfig may do. The file's own namespace is the only one it is for, if there is but one. */
function example({ namespaces }: Props["request"]): string | undefined {
  if (!namespaces) return undefined;
  const [first = "", ...more] = namespaces;
  return more.length > 0 ? `-n ${first} get pods` : "get pods";
}

export function KubeconfigIssued({ issued, request, file }: Props) {
  const { t } = useTranslation();
  const { absolute } = useFormat();
  const { user } = useSession();
  const first = useRef<HTMLButtonElement>(null);
  // The button that was pressed is gone with the form: the focus goes to what is to be done now.
  useEffect(() => first.current?.focus(), []);
  return (
    <div className="stack">
      <p>
        <Status tone="ok">{t("kubeconfig.issuedFor", { user: user.name, time: absolute(issued.expires_at) })}</Status>
      </p>
      <KubeconfigScope readOnly={request.read_only ?? false} permissions={request.permissions} ofRole={Boolean(request.role)} namespaces={request.namespaces} />
      <p className="muted">{t("kubeconfig.once")}</p>
      <KubeconfigFile cluster={file} kubeconfig={issued.kubeconfig} call={example(request)} first={first} />
    </div>
  );
}
