// Storage of a cluster: which volumes claims get, and those that there are.
import { useParams } from "@tanstack/react-router";
import { useCluster } from "../../api/clusters";
import { StorageClasses } from "./StorageClasses";
import { Volumes } from "./Volumes";

export function StorageTab() {
  const { id } = useParams({ from: "/app/clusters/$id" });
  const cluster = useCluster(id).data;
  if (!cluster) return null;
  return (
    <div className="stack">
      <StorageClasses cluster={cluster} />
      <Volumes clusterId={id} />
    </div>
  );
}
