// The operators' list of people: who holds what, what ends before it ends, one thing or all, and nobody cuts off themselves.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { cutOff, endAccess, useAccess, usePeople } from "../src/api/people";
import type { Held, Holder } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { PeoplePage } from "../src/features/admin/PeoplePage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true, search: undefined as string | undefined, navigate: vi.fn() }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => known.navigate, useSearch: () => ({ search: known.search }) }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator, user: { id: "u-op", name: "operator" } }) }));
vi.mock("../src/api/people", async (original) => ({ ...(await original<typeof import("../src/api/people")>()), MOST_PEOPLE: 3, cutOff: vi.fn(), endAccess: vi.fn(), useAccess: vi.fn(), usePeople: vi.fn() }));

beforeAll(inEnglish);

const ada: Holder = { id: "u-ada", name: "ada", domain: "default", sessions: 2, tokens: 1, kubeconfigs: 0, last_seen_at: "2026-01-01T00:00:00Z" };
const operator: Holder = { id: "u-op", name: "operator", domain: "default", sessions: 1, tokens: 0, kubeconfigs: 0 };

function answer(given: { data?: { items: Holder[] }; error?: unknown }) {
  vi.mocked(usePeople).mockReturnValue({ refetch: vi.fn(), isPlaceholderData: false, ...given } as unknown as ReturnType<typeof usePeople>);
}

function show() {
  const queries = new QueryClient();
  const invalidate = vi.spyOn(queries, "invalidateQueries");
  render(
    <QueryClientProvider client={queries}>
      <ToastHost>
        <PeoplePage />
      </ToastHost>
    </QueryClientProvider>,
  );
  return { invalidate };
}

const ask = () => fireEvent.click(screen.getByRole("button", { name: "Cut off: ada" }));

beforeEach(() => {
  vi.resetAllMocks();
  Object.assign(known, { operator: true, search: undefined });
  answer({ data: { items: [ada, operator] } });
});

describe("the page", () => {
  it("shows what each holds, and offers to cut off everybody but oneself", () => {
    show();
    const [first, second] = screen.getAllByRole("row").slice(1) as [HTMLElement, HTMLElement];
    expect(within(first).getAllByRole("cell").slice(0, 3).map((cell) => cell.textContent)).toEqual(["2", "1", "0"]);
    expect(within(second).queryByRole("button", { name: /Cut off/ })).toBeNull();
    expect(second.textContent).toContain(en.admin.people.self);
    expect(second.textContent).toContain(en.kubeconfig.never);
  });

  it.each([
    [false, {}],
    [true, { error: refusal(403, "KCS-RBAC-002") }],
  ])("is forbidden to others, and asks nothing for them (operator: %s)", (isOperator, given) => {
    known.operator = isOperator;
    answer(given);
    show();
    expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
    expect(usePeople).toHaveBeenCalledWith(undefined, isOperator);
    expect(screen.queryByRole("searchbox")).toBeNull();
  });

  it("tells nobody from nobody of that name", () => {
    answer({ data: { items: [] } });
    known.search = "zoe";
    show();
    expect(usePeople).toHaveBeenCalledWith("zoe", true);
    fireEvent.click(screen.getByRole("button", { name: "Clear filters" }));
    expect(known.navigate).toHaveBeenCalledWith({ search: {} });
  });

  it("says so when there may be more than the server lists", () => {
    answer({ data: { items: Array.from({ length: 2 }, (_, i) => ({ ...ada, id: `u-${i}` })) } });
    show();
    expect(screen.queryByText(/first 3/)).toBeNull();
    answer({ data: { items: Array.from({ length: 3 }, (_, i) => ({ ...ada, id: `u-${i}` })) } });
    show();
    expect(screen.getByText(/first 3/)).toBeTruthy();
  });

  it("says what went wrong when it cannot be loaded", () => {
    answer({ error: refusal(503, "KCS-INTERNAL-001") });
    show();
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-INTERNAL-001"].title);
  });
});

describe("cutting off", () => {
  it("says before what ends, and after what ended", async () => {
    vi.mocked(cutOff).mockResolvedValue({ ...ada, tokens: 3 });
    const { invalidate } = show();
    ask();
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getAllByRole("listitem").map((item) => item.textContent)).toEqual(["2 sessions", "1 API token"]);
    expect(dialog.textContent).toContain(en.admin.people.again);
    expect(cutOff).not.toHaveBeenCalled();
    await act(async () => within(dialog).getByRole("button", { name: "Cut off" }).click());
    expect(cutOff).toHaveBeenCalledExactlyOnceWith("u-ada");
    expect(await screen.findByText("ada is cut off: 2 sessions, 3 API tokens")).toBeTruthy();
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["people"] });
  });

  it("stays open with what went wrong, and looks at the list anew", async () => {
    vi.mocked(cutOff).mockRejectedValue(refusal(404, "KCS-NOTFOUND-001"));
    const { invalidate } = show();
    ask();
    const dialog = await screen.findByRole("dialog");
    await act(async () => within(dialog).getByRole("button", { name: "Cut off" }).click());
    expect((await within(dialog).findByRole("alert")).textContent).toContain("KCS-NOTFOUND-001");
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["people"] });
  });
});

function holding(given: { data?: { items: Held[] }; error?: unknown }) {
  vi.mocked(useAccess).mockReturnValue({ refetch: vi.fn(), ...given } as unknown as ReturnType<typeof useAccess>);
}

async function open() {
  const { invalidate } = show();
  fireEvent.click(screen.getByRole("button", { name: "Show what ada holds" }));
  return { invalidate, dialog: await screen.findByRole("dialog") };
}

describe("one thing that a person holds", () => {
  const project = { id: "p-a", name: "tenant-a" };
  const session: Held = { id: "h-1", kind: "session", project, created_at: "2026-01-01T00:00:00Z", expires_at: "2026-01-02T00:00:00Z" };
  const token: Held = { ...session, id: "h-2", kind: "token", name: "nightly", last_used_at: "2026-01-01T01:00:00Z", last_used_from: "192.0.2.7" };
  const kubeconfig: Held = { ...session, id: "h-3", kind: "kubeconfig", name: "on call", cluster: { id: "c-1", name: "shop" } };

  it("is shown with where and when it was used", async () => {
    holding({ data: { items: [session, token, kubeconfig] } });
    const { dialog } = await open();
    expect(useAccess).toHaveBeenCalledWith("u-ada");
    const rows = within(dialog).getAllByRole("row").slice(1).map((row) => row.textContent ?? "");
    expect(rows[0]).toContain(en.kubeconfig.never);
    expect(rows[1]).toContain("API token: nightly");
    expect(rows[1]).toContain("192.0.2.7");
    expect(rows[2]).toContain("tenant-a / shop");
  });

  it("is ended alone, after a question that says what it is", async () => {
    holding({ data: { items: [session, token] } });
    vi.mocked(endAccess).mockResolvedValue(undefined);
    const { dialog, invalidate } = await open();
    fireEvent.click(within(dialog).getByRole("button", { name: "End API token: nightly" }));
    const question = await screen.findByRole("dialog", { name: "End this access of ada?" });
    expect(question.textContent).toContain("API token: nightly");
    expect(question.textContent).toContain("tenant-a");
    expect(endAccess).not.toHaveBeenCalled();
    await act(async () => within(question).getByRole("button", { name: "End" }).click());
    expect(endAccess).toHaveBeenCalledExactlyOnceWith("u-ada", "h-2");
    expect(cutOff).not.toHaveBeenCalled();
    expect(await screen.findByText("Ended: API token: nightly")).toBeTruthy();
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["people"] });
  });

  it("says what went wrong when it cannot be loaded", async () => {
    holding({ error: refusal(503, "KCS-INTERNAL-001") });
    expect((await open()).dialog.textContent).toContain(en.error["KCS-INTERNAL-001"].title);
  });

  it("says so when there is none", async () => {
    holding({ data: { items: [] } });
    expect((await open()).dialog.textContent).toContain(en.admin.people.accessNone);
  });
});
