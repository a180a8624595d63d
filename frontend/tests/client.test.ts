// The end of a session: told once the server knows it no more, and not by what was asked of the session before.
import { afterEach, beforeEach, expect, it, vi } from "vitest";

type Answer = (response: Response) => void;
const asked: { method: string; path: string; answer: Answer }[] = [];
const ended = vi.fn();

/** Anew for each test: it counts the sessions of a page. */
async function page() {
  vi.resetModules();
  vi.stubGlobal("fetch", (request: Request) => new Promise<Response>((answer) => asked.push({ method: request.method, path: new URL(request.url).pathname, answer })));
  const { client, onSessionEnd, setCsrfToken, unwrap } = await import("../src/api/client");
  const { switchProject } = await import("../src/api/session");
  onSessionEnd(ended);
  setCsrfToken("first");
  return { look: () => unwrap(client.GET("/api/v1/operators" as never)).catch((error: unknown) => error), switchProject };
}

const json = (status: number, body: object) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const gone = () => json(401, { code: "KCS-AUTH-001", detail: "", title: "" });

/** The request that was sent as this one, from 0. */
async function sent(number: number) {
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(number));
  return asked[number] as (typeof asked)[number];
}

beforeEach(() => {
  asked.length = 0;
  ended.mockReset();
});
afterEach(() => vi.unstubAllGlobals());

it("is told when the server knows the session no more", async () => {
  const { look } = await page();
  const answer = look();
  (await sent(0)).answer(gone());
  await answer;
  expect(ended).toHaveBeenCalledOnce();
});

it("is not told by what was asked before another project was entered, nor meanwhile", async () => {
  const { look, switchProject } = await page();
  const before = look();
  const entered = switchProject("tenant-b");
  const meanwhile = look();
  (await sent(2)).answer(gone());
  await meanwhile;
  (await sent(1)).answer(json(200, { csrf_token: "second" }));
  await entered;
  (await sent(0)).answer(gone());
  await before;
  expect(ended).not.toHaveBeenCalled();
  const after = look();
  (await sent(3)).answer(gone());
  await after;
  expect(ended).toHaveBeenCalledOnce();
});

it("is told when it ended before another project could be entered", async () => {
  const { switchProject } = await page();
  const entered = switchProject("tenant-b").catch((error: unknown) => error);
  (await sent(0)).answer(gone());
  await entered;
  expect(ended).toHaveBeenCalledOnce();
});
