// The audit log: the project's own, or for operators all of it.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";

export interface AuditFilter {
  user?: string;
  action?: string;
  outcome?: string;
  cluster_id?: string;
  project?: string;
  from?: string;
  to?: string;
}

const PAGE = 50;

/** Whose log: this project's, or everybody's. */
export type AuditOf = "project" | "all";

/** Lines, the newest first, page after page. What was read stays as it is until asked for again. */
export function useAudit(of: AuditOf, filter: AuditFilter, enabled = true) {
  return useInfiniteQuery({
    queryKey: ["audit", of, filter],
    queryFn: ({ pageParam: cursor }) => {
      const params = { query: { ...filter, limit: PAGE, cursor } };
      return of === "all" ? unwrap(client.GET("/api/v1/admin/audit", { params })) : unwrap(client.GET("/api/v1/audit", { params }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    enabled,
  });
}

/** Where the browser gets all lines that match, as a file it writes while it reads. */
export function auditExportUrl(of: AuditOf, filter: AuditFilter): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const query = new URLSearchParams(given).toString();
  return `/api/v1/${of === "all" ? "admin/" : ""}audit/export${query && `?${query}`}`;
}
