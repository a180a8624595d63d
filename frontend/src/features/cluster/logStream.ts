// Following a container's log through the cluster's own API, line by line.
import { ApiError, errorOf, sessionNow } from "../../api/client";

/** Cuts a stream of text into lines, also where one arrives in pieces. */
export class LineCutter {
  private rest = "";

  push(text: string): string[] {
    const parts = (this.rest + text).split("\n");
    this.rest = parts.pop() ?? "";
    return parts.map((line) => line.replace(/\r$/, ""));
  }

  end(): string[] {
    const last = this.rest;
    this.rest = "";
    return last === "" ? [] : [last];
  }
}

export interface LogLine {
  number: number;
  text: string;
}

/** Keeps the newest `limit` lines; numbers go on counting, so a line keeps its own. */
export function append(lines: LogLine[], texts: string[], limit: number): LogLine[] {
  let number = lines.at(-1)?.number ?? 0;
  const added = texts.map((text) => ({ number: ++number, text }));
  const all = [...lines, ...added];
  return all.length > limit ? all.slice(all.length - limit) : all;
}

export interface LogQuery {
  clusterId: string;
  namespace: string;
  pod: string;
  container?: string;
  previous: boolean;
  timestamps: boolean;
  tailLines: number;
}

export function logUrl(query: LogQuery): string {
  const path = `/k8s/clusters/${encodeURIComponent(query.clusterId)}/api/v1/namespaces/${encodeURIComponent(query.namespace)}/pods/${encodeURIComponent(query.pod)}/log`;
  const params = new URLSearchParams({ tailLines: String(query.tailLines) });
  if (query.previous) params.set("previous", "true");
  else params.set("follow", "true");
  if (query.timestamps) params.set("timestamps", "true");
  if (query.container) params.set("container", query.container);
  return `${path}?${params.toString()}`;
}

export type LogState = "connecting" | "following" | "ended";

interface Options {
  signal: AbortSignal;
  onLines: (lines: string[]) => void;
  onState: (state: LogState) => void;
}

/** Reads until the container ends, the reader leaves, or it fails (then it throws an `ApiError` or the network's error). */
export async function followLog(query: LogQuery, { signal, onLines, onState }: Options): Promise<void> {
  onState("connecting");
  const session = sessionNow();
  const response = await fetch(logUrl(query), { signal, credentials: "same-origin", headers: { Accept: "text/plain, */*" } });
  if (!response.ok || !response.body) throw await kubernetesError(response, session);
  onState("following");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const cutter = new LineCutter();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = cutter.push(value);
    if (lines.length > 0) onLines(lines);
  }
  onLines(cutter.end());
  onState("ended");
}

/** The cluster answers in Kubernetes' own form (`Status`), KCS in problem+json. */
async function kubernetesError(response: Response, session: number): Promise<ApiError> {
  const error = await errorOf(response, session);
  const status = error.problem as unknown as { kind?: string; message?: string };
  if (status.kind !== "Status") return error;
  return new ApiError(response.status, { ...error.problem, code: (response.status === 403 ? "KCS-RBAC-001" : response.status === 404 ? "KCS-NOTFOUND-001" : "KCS-API-001") as typeof error.problem.code, cloud_message: status.message ?? "" });
}
