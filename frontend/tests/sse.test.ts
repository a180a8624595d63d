// Event streams: cutting, resuming, giving up.
import { describe, expect, it } from "vitest";
import { EventParser, openEvents, type ServerEvent, type StreamState } from "../src/api/sse";

function body(...chunks: string[]): Response {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  return new Response(stream, { status: 200, headers: { "Content-Type": "text/event-stream" } });
}

/** Runs a stream against prepared answers until it says it is closed. */
async function run(answers: (Response | Error)[], isDone: (events: ServerEvent[]) => boolean) {
  const events: ServerEvent[] = [];
  const states: StreamState[] = [];
  const sent: (string | null)[] = [];
  await new Promise<void>((resolve) => {
    openEvents("/events", {
      delay: () => 0,
      fetch: (_, init) => {
        sent.push(new Headers(init?.headers).get("Last-Event-ID"));
        const answer = answers.shift();
        if (!answer) throw new Error("asked once too often");
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      onEvent: (event) => events.push(event),
      isDone: () => isDone(events),
      onState: (state) => {
        states.push(state);
        if (state === "closed") resolve();
      },
    });
  });
  return { events, states, sent };
}

describe("EventParser", () => {
  it("puts events together however the text is cut", () => {
    const text = "id: 7\r\nevent: operation\r\ndata: {\"a\":1,\r\ndata: \"b\":2}\r\n\r\n: comment\r\n\r\nevent: heartbeat\ndata: {}\n\n";
    for (let size = 1; size <= text.length; size += 1) {
      const parser = new EventParser();
      const events: ServerEvent[] = [];
      for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
      expect(events, `cut by ${size}`).toEqual([
        { id: "7", event: "operation", data: '{"a":1,\n"b":2}' },
        { id: "7", event: "heartbeat", data: "{}" },
      ]);
    }
  });

  it("does not tell what was never finished", () => {
    expect(new EventParser().push("data: half")).toEqual([]);
  });
});

describe("openEvents", () => {
  it("comes back after a break with the id of the last event", async () => {
    const { events, sent, states } = await run(
      [body("id: 1\nevent: operation\ndata: a\n\n"), new Error("network is down"), body("id: 2\nevent: operation\ndata: b\n\n")],
      (seen) => seen.some((event) => event.data === "b"),
    );
    expect(events.map((event) => event.data)).toEqual(["a", "b"]);
    expect(sent).toEqual([null, "1", "1"]);
    expect(states.at(-1)).toBe("closed");
    expect(states.filter((state) => state === "waiting")).toHaveLength(2);
  });

  it("gives up where asking again cannot help", async () => {
    const refusal = new Response(JSON.stringify({ code: "KCS-NOTFOUND-001", title: "Not found", status: 404 }), { status: 404 });
    const { events, sent } = await run([refusal], () => false);
    expect(events).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it("asks again when the server is busy", async () => {
    const busy = new Response("{}", { status: 503 });
    const { events } = await run([busy, body("data: there\n\n")], (seen) => seen.length > 0);
    expect(events.map((event) => event.data)).toEqual(["there"]);
  });
});
