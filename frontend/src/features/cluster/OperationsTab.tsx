// What was done to this cluster.
import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useOperations } from "../../api/operations";
import { Card, Empty } from "../../components/Page";
import { OperationTable } from "../operations/OperationTable";

export function OperationsTab() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/app/clusters/$id" });
  const operations = useOperations({ cluster_id: id, limit: 100 });
  return (
    <Card flush title={t("operation.list")}>
      <OperationTable
        operations={operations.data?.items}
        error={operations.error}
        onRetry={() => void operations.refetch()}
        stale={operations.isPlaceholderData}
        withCluster={false}
        empty={<Empty title={t("operation.none")} />}
      />
    </Card>
  );
}
