// Storage of a cluster: which volumes claims get.
import { useParams } from "@tanstack/react-router";
import { useCluster } from "../../api/clusters";
import { StorageClasses } from "./StorageClasses";

export function StorageTab() {
  const { id } = useParams({ from: "/app/clusters/$id" });
  const cluster = useCluster(id).data;
  if (!cluster) return null;
  return (
    <div className="stack">
      <StorageClasses cluster={cluster} />
    </div>
  );
}
