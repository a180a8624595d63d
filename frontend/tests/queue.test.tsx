// The operators' queue: what is offered for each operation, and that the engine is held back with a reason only.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { cancelAny, pause, resume, retryAny, useAdminOperations, useQueue } from "../src/api/queue";
import type { AdminOperation, Queue } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { QueuePage } from "../src/features/queue/QueuePage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true, search: {} as Record<string, unknown>, navigate: vi.fn() }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => known.navigate, useSearch: () => known.search }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator }) }));
vi.mock("../src/api/queue", async (original) => ({
  ...(await original<typeof import("../src/api/queue")>()),
  useQueue: vi.fn(),
  useAdminOperations: vi.fn(),
  retryAny: vi.fn(),
  cancelAny: vi.fn(),
  pause: vi.fn(),
  resume: vi.fn(),
}));

beforeAll(inEnglish);

const held = { everything: false, reason: "its network is moved", since: "2026-01-01T00:00:00Z", by: "operator" };
const blocked = {
  id: "o-1",
  cluster: { id: "c-1", name: "web" },
  project: { id: "p-1", name: "tenant-a" },
  kind: "node_pool_resize",
  state: "blocked",
  progress: 40,
  steps: [],
  fault: { code: "KCS-QUOTA-001", title: "", remedy: "", message: "Quota exceeded for cores", retryable: true },
  created_at: "2026-01-01T00:00:00Z",
  created_by: "ada",
  deadline_at: "2026-01-01T01:00:00Z",
  next_attempt_at: "2026-01-01T00:10:00Z",
  retries: 2,
  nodes: [],
  can_retry: true,
  can_cancel: true,
} as AdminOperation;
const ended: AdminOperation = { ...blocked, id: "o-2", cluster: { id: "c-2", name: "old" }, state: "succeeded", fault: undefined, next_attempt_at: undefined, can_retry: false, can_cancel: false };
const working: Queue = { pending: 0, running: 0, blocked: 1, in_work: 2, due: 3, paused_clusters: 0 };

function answer(operations: { data?: { items: AdminOperation[] }; error?: unknown }, queue: Queue = working) {
  vi.mocked(useAdminOperations).mockReturnValue({ refetch: vi.fn(), isPlaceholderData: false, ...operations } as unknown as ReturnType<typeof useAdminOperations>);
  vi.mocked(useQueue).mockReturnValue({ refetch: vi.fn(), data: queue } as unknown as ReturnType<typeof useQueue>);
}

function show() {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ToastHost>
        <QueuePage />
      </ToastHost>
    </QueryClientProvider>,
  );
}

const open = () => fireEvent.click(screen.getByRole("button", { name: "Actions: Resize node pool, web" }));

beforeEach(() => {
  vi.resetAllMocks();
  Object.assign(known, { operator: true, search: {} });
  answer({ data: { items: [blocked, ended] } });
});

describe("the list", () => {
  it("says what stands still in the cloud's words, how often it was tried, and offers nothing for history", () => {
    show();
    expect(screen.getByText(/Quota exceeded for cores/)).toBeTruthy();
    const row = screen.getByRole("row", { name: /web/ });
    expect(row.textContent).toContain("tenant-a");
    expect(within(row).getAllByRole("cell")[3]?.textContent).toMatch(/^3next in/);
    expect(within(screen.getByRole("row", { name: /old/ })).queryByRole("button")).toBeNull();
  });

  it.each(["succeeded", "cancelled", "running"] as const)("has the receipt of a deletion that is over, also of a cluster that was written off (%s)", (state) => {
    answer({ data: { items: [{ ...ended, kind: "cluster_delete", state }] } });
    show();
    const link = screen.queryByRole("link", { name: "Receipt old" });
    expect(link?.getAttribute("href")).toBe(state === "running" ? undefined : "/api/v1/admin/operations/o-2/receipt?format=text");
  });

  it("asks for those that have not ended in the server's words", () => {
    known.search = { state: "open", project: "tenant-a" };
    show();
    expect(useAdminOperations).toHaveBeenCalledWith({ ended: false, project: "tenant-a" }, true);
  });

  it.each([
    [false, {}],
    [true, { error: refusal(403, "KCS-RBAC-002") }],
  ])("is forbidden to others, and asks nothing for them (operator: %s)", (operator, given) => {
    known.operator = operator;
    answer(given);
    show();
    expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
    expect(useAdminOperations).toHaveBeenCalledWith({ state: undefined }, operator);
    expect(useQueue).not.toHaveBeenCalled();
  });

  it("says what went wrong when it cannot be loaded", () => {
    answer({ error: refusal(503, "KCS-INTERNAL-001") });
    show();
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-INTERNAL-001"].title);
  });
});

describe("the verbs", () => {
  it("tries again at once", async () => {
    vi.mocked(retryAny).mockResolvedValue({ ...blocked, state: "pending" });
    show();
    open();
    await act(async () => screen.getByRole("menuitem", { name: "Retry" }).click());
    expect(retryAny).toHaveBeenCalledExactlyOnceWith("o-1");
    expect(await screen.findByText(en.admin.queue.retried)).toBeTruthy();
  });

  it("cancels after it has asked", async () => {
    vi.mocked(cancelAny).mockRejectedValue(refusal(409, "KCS-OP-004"));
    show();
    open();
    fireEvent.click(screen.getByRole("menuitem", { name: "Cancel operation" }));
    const dialog = await screen.findByRole("dialog");
    expect(cancelAny).not.toHaveBeenCalled();
    await act(async () => within(dialog).getByRole("button", { name: "Cancel operation" }).click());
    expect((await within(dialog).findByRole("alert")).textContent).toContain("KCS-OP-004");
  });

  it("holds a cluster back with a reason only", async () => {
    vi.mocked(pause).mockResolvedValue(working);
    show();
    open();
    fireEvent.click(screen.getByRole("menuitem", { name: "Hold back" }));
    const dialog = await screen.findByRole("dialog");
    const submit = within(dialog).getByRole("button", { name: "Hold back" });
    await act(async () => submit.click());
    expect(pause).not.toHaveBeenCalled();
    expect(dialog.textContent).toContain(en.common.required);
    fireEvent.change(within(dialog).getByRole("textbox"), { target: { value: " its network is moved " } });
    await act(async () => submit.click());
    expect(pause).toHaveBeenCalledExactlyOnceWith("c-1", "its network is moved");
  });

  it("lets a cluster go on that is held back, and says that it is", async () => {
    vi.mocked(resume).mockResolvedValue(working);
    answer({ data: { items: [{ ...blocked, paused: held }] } });
    show();
    expect(screen.getByRole("row", { name: /web/ }).textContent).toContain(en.common.paused.short);
    open();
    expect(screen.queryByRole("menuitem", { name: "Hold back" })).toBeNull();
    await act(async () => screen.getByRole("menuitem", { name: "Let it go on" }).click());
    expect(resume).toHaveBeenCalledExactlyOnceWith("c-1");
  });

  it("lets everything go on, and says why it was held back", async () => {
    vi.mocked(resume).mockResolvedValue(working);
    answer({ data: { items: [] } }, { ...working, paused: { ...held, everything: true } });
    show();
    expect(screen.getByText("its network is moved")).toBeTruthy();
    await act(async () => screen.getByRole("button", { name: "Let it go on" }).click());
    expect(resume).toHaveBeenCalledExactlyOnceWith(undefined);
  });
});
