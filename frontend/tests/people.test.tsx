// The operators' list of people: who holds what, what ends before it ends, and nobody cuts off themselves.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { cutOff, usePeople } from "../src/api/people";
import type { Holder } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { PeoplePage } from "../src/features/admin/PeoplePage";
import en from "../src/locales/en-US";
import { inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true, search: undefined as string | undefined, navigate: vi.fn() }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => known.navigate, useSearch: () => ({ search: known.search }) }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator, user: { id: "u-op", name: "operator" } }) }));
vi.mock("../src/api/people", async (original) => ({ ...(await original<typeof import("../src/api/people")>()), MOST_PEOPLE: 3, cutOff: vi.fn(), usePeople: vi.fn() }));

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
    expect(within(second).queryByRole("button")).toBeNull();
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
