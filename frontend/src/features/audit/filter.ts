// What is chosen of a log, in the address and as the API takes it.
import type { AuditFilter } from "../../api/audit";
import type { AuditSearch } from "../../app/router";

/** `project`: for operators. */
export type AuditChoice = AuditSearch & { project?: string };

export function filterOf({ cluster, ...rest }: AuditChoice): AuditFilter {
  return { ...rest, cluster_id: cluster };
}

export function isFiltered(choice: AuditChoice): boolean {
  return Object.values(choice).some(Boolean);
}
