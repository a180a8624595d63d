// The page of one operation.
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { useOperation } from "../../api/operations";
import { NotFoundPage } from "../../app/FallbackPages";
import { Loading, Page } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { OperationView } from "./OperationView";
import { windowTitle } from "./timeline";

export function OperationPage() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/operations/$id" });
  const { operation, feed, error, refetch } = useOperation(id);
  if (!operation) {
    if (isApiError(error) && (error.status === 404 || error.status === 400)) return <NotFoundPage />;
    return (
      <Page title={t("operation.title")} crumbs={[{ label: t("operation.list"), to: "/operations" }]}>
        {error ? <LoadProblem error={error} onRetry={refetch} /> : <Loading rows={6} />}
      </Page>
    );
  }
  const kind = t(`operation.kind.${operation.kind}`);
  const gone = operation.kind === "cluster_delete" && operation.state === "succeeded";
  return (
    <Page
      title={`${kind} · ${operation.cluster.name}`}
      windowTitle={windowTitle(operation, `${kind} ${t(`status.operation.${operation.state}`)}`)}
      crumbs={[{ label: t("operation.list"), to: "/operations" }]}
      actions={
        gone ? (
          <Link to="/clusters" className="link-button">
            {t("operation.toClusters")}
          </Link>
        ) : (
          <Link to="/clusters/$id" params={{ id: operation.cluster.id }} className={`link-button ${operation.state === "succeeded" ? "primary" : ""}`}>
            {t("operation.toCluster")}
          </Link>
        )
      }
    >
      <OperationView operation={operation} feed={feed} />
    </Page>
  );
}
