// Server-sent events over fetch: unlike EventSource it shows the status of a refusal, sends Last-Event-ID on the first request as well and can be stopped.
import { ApiError, errorOf, sessionNow } from "./client";

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Takes the stream apart; feed it the text as it arrives, cut anywhere. */
export class EventParser {
  private buffer = "";
  private id = "";
  private event = "";
  private data: string[] = [];

  push(text: string): ServerEvent[] {
    this.buffer += text;
    const events: ServerEvent[] = [];
    for (;;) {
      const end = this.buffer.search(/\r\n|\n|\r/);
      // A lone \r at the very end may be the first half of \r\n.
      if (end < 0 || (this.buffer[end] === "\r" && end === this.buffer.length - 1)) return events;
      const line = this.buffer.slice(0, end);
      this.buffer = this.buffer.slice(end + (this.buffer.startsWith("\r\n", end) ? 2 : 1));
      const event = this.line(line);
      if (event) events.push(event);
    }
  }

  private line(line: string): ServerEvent | null {
    if (line === "") {
      const event = this.data.length > 0 ? { id: this.id, event: this.event || "message", data: this.data.join("\n") } : null;
      this.event = "";
      this.data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }
}

export type StreamState = "connecting" | "live" | "waiting" | "closed";

export interface StreamOptions {
  onEvent: (event: ServerEvent) => void;
  onState?: (state: StreamState) => void;
  /** Whether the stream has said all it will; asked when the server closes it. */
  isDone?: () => boolean;
  /** A silence longer than this (ms) means a dead connection; the server sends a heartbeat every 15 s. */
  silence?: number;
  /** The wait before attempt n (ms). */
  delay?: (attempt: number) => number;
  fetch?: typeof fetch;
}

const defaultDelay = (attempt: number) => Math.min(1000 * 2 ** (attempt - 1), 15_000);

/** Reads `url` until stopped or done, coming back with Last-Event-ID after every break. Answers the function that stops it. */
export function openEvents(url: string, options: StreamOptions): () => void {
  const { onEvent, onState, isDone, silence = 45_000, delay = defaultDelay } = options;
  const doFetch = options.fetch ?? fetch;
  let stopped = false;
  let attempt = 0;
  let lastId = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: AbortController | undefined;

  const retryLater = () => {
    if (stopped) return;
    attempt += 1;
    onState?.("waiting");
    timer = setTimeout(() => void connect(), delay(attempt));
  };

  const close = () => {
    if (stopped) return;
    stopped = true;
    onState?.("closed");
  };

  async function connect(): Promise<void> {
    if (attempt === 0) onState?.("connecting");
    abort = new AbortController();
    const current = abort;
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => current.abort(), silence);
    };
    try {
      alive();
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (lastId) headers["Last-Event-ID"] = lastId;
      const session = sessionNow();
      const response = await doFetch(url, { headers, credentials: "same-origin", cache: "no-store", signal: current.signal });
      if (!response.ok || !response.body) throw await errorOf(response, session);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser();
      onState?.("live");
      for (;;) {
        const { value, done } = await reader.read();
        if (done || stopped) break;
        alive();
        for (const event of parser.push(value)) {
          attempt = 0;
          if (event.id) lastId = event.id;
          onEvent(event);
        }
      }
      if (isDone?.()) close();
      else retryLater();
    } catch (error) {
      const final = error instanceof ApiError && [401, 403, 404].includes(error.status);
      if (final) close();
      else retryLater();
    } finally {
      clearTimeout(watchdog);
    }
  }

  void connect();
  return () => {
    stopped = true;
    clearTimeout(timer);
    abort?.abort();
  };
}
