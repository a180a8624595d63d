// The kubeconfig without a secret: signing in at one's own computer, the file that everybody shares, and where it ends.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useKubeconfigExec } from "../../api/clusters";
import type { Cluster } from "../../api/types";
import { Loading } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Status } from "../../components/Status";
import { KubeconfigCommand } from "./KubeconfigCommand";
import { KubeconfigFile } from "./KubeconfigFile";

export function KubeconfigExec({ cluster }: { cluster: Cluster }) {
  const { t } = useTranslation();
  // What is signed in to and what the file asks for have to be the same address.
  const server = window.location.origin;
  const file = useKubeconfigExec(cluster.id, server);
  return (
    <>
      <p>{t("kubeconfig.execText")}</p>
      {!window.isSecureContext && (
        <p>
          <Status tone="warn">{t("kubeconfig.loginInsecure")}</Status>
        </p>
      )}
      <KubeconfigCommand label={t("kubeconfig.login")} command={`kcs login ${server}`} hint={t("kubeconfig.loginHint")} />
      {file.data ? (
        <KubeconfigFile cluster={cluster.name} kubeconfig={file.data.kubeconfig} />
      ) : file.error ? (
        <LoadProblem error={file.error} onRetry={() => void file.refetch()} />
      ) : (
        <Loading />
      )}
      <p>
        <Link to="/tokens">{t("kubeconfig.toTokens")}</Link>
      </p>
    </>
  );
}
