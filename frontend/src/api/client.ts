// The typed client: one place for the CSRF header, problem+json and the end of a session.
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { Problem } from "./types";

/** An answer that is not a success, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.detail || problem.title);
    this.status = status;
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }
}

/** The code of a request that got no answer; the console's own, the server never sends it. */
export const UNREACHABLE = "CONSOLE-NET-001";

function problemFrom(status: number, body: unknown): Problem {
  const given = typeof body === "object" && body !== null ? (body as Partial<Problem>) : {};
  return {
    type: "about:blank",
    title: "",
    status,
    detail: typeof body === "string" ? body.slice(0, 500) : "",
    params: {},
    retryable: status === 0 || status >= 500,
    remedy: "",
    request_id: "",
    ...given,
    code: given.code ?? ((status === 0 ? UNREACHABLE : `HTTP-${status}`) as Problem["code"]),
  };
}

let csrfToken = "";
/** Counts the sessions of this page: that a request of an earlier one is refused says nothing of this one. */
let session = 0;
let changing = false;

/** Remembers the token that writes of this session carry. */
export function setCsrfToken(token: string): void {
  if (token !== csrfToken) session += 1;
  csrfToken = token;
}

/** The session that a request which begins now belongs to. */
export function sessionNow(): number {
  return session;
}

/** Puts another session in the place of this one: the server may end the old one before it is known here that there is a new one. */
export async function changeSession<T>(change: () => Promise<T>): Promise<T> {
  changing = true;
  session += 1;
  try {
    return await change();
  } catch (error) {
    if (isApiError(error) && error.status === 401) announceSessionEnd();
    throw error;
  } finally {
    changing = false;
  }
}

const sessionEndListeners = new Set<() => void>();

/** Calls `listener` when the server no longer knows the session. */
export function onSessionEnd(listener: () => void): () => void {
  sessionEndListeners.add(listener);
  return () => sessionEndListeners.delete(listener);
}

function announceSessionEnd(): void {
  for (const listener of sessionEndListeners) listener();
}

/** An error for an answer; outside the typed client (log and event streams) with the session that its request belonged to. */
export async function errorOf(response: Response, of: number): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy in between may answer with a page of its own.
  }
  const error = new ApiError(response.status, problemFrom(response.status, body));
  if (response.status === 401 && error.code !== "KCS-AUTH-003" && of === session && !changing) announceSessionEnd();
  return error;
}

export const client = createClient<paths>({ baseUrl: "/", credentials: "same-origin" });

const sessions = new WeakMap<Request, number>();

client.use({
  onRequest({ request }) {
    sessions.set(request, session);
    if (request.method !== "GET" && csrfToken) request.headers.set("X-CSRF-Token", csrfToken);
    return request;
  },
  async onResponse({ request, response }) {
    if (!response.ok) throw await errorOf(response, sessions.get(request) ?? session);
    return undefined;
  },
  onError() {
    return new ApiError(0, problemFrom(0, null));
  },
});

/** The data of an answer; anything but success was thrown before. */
export async function unwrap<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

export function isApiError(error: unknown): error is ApiError {
  return error instanceof ApiError;
}

/** A random key under which the server recognises a repeated create. Works on plain http, where `randomUUID` is missing. */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
