// Announcements: what everybody is shown and may put away, and how operators say it.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { announce, endAnnouncement, useAllAnnouncements, useAnnouncements } from "../src/api/announcements";
import type { AdminAnnouncement, Announcement } from "../src/api/types";
import { Announcements } from "../src/app/Announcements";
import { ToastHost } from "../src/components/Toast";
import { AnnouncementsPage } from "../src/features/announcements/AnnouncementsPage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true, language: "en-US" }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a> }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator }) }));
vi.mock("../src/app/settings", () => ({ useSettings: () => ({ language: known.language }) }));
vi.mock("../src/api/announcements", async (original) => ({
  ...(await original<typeof import("../src/api/announcements")>()),
  useAnnouncements: vi.fn(),
  useAllAnnouncements: vi.fn(),
  announce: vi.fn(),
  endAnnouncement: vi.fn(),
}));

beforeAll(inEnglish);

const notice: Announcement = { id: "a-1", kind: "notice", severity: "info", zh: "\u5b57", en: "New versions are here", from: "2026-01-01T00:00:00Z", changed_at: "2026-01-01T00:00:00Z" };
const listed: AdminAnnouncement = { ...notice, state: "current", created_at: "2026-01-01T00:00:00Z", created_by: "operator" };

function told(items: Announcement[]) {
  vi.mocked(useAnnouncements).mockReturnValue({ data: { items } } as unknown as ReturnType<typeof useAnnouncements>);
}

function answer(given: { data?: { items: AdminAnnouncement[] }; error?: unknown }) {
  vi.mocked(useAllAnnouncements).mockReturnValue({ refetch: vi.fn(), ...given } as unknown as ReturnType<typeof useAllAnnouncements>);
}

function show(page: ReactNode) {
  return render(
    <QueryClientProvider client={new QueryClient()}>
      <ToastHost>{page}</ToastHost>
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  vi.resetAllMocks();
  sessionStorage.clear();
  Object.assign(known, { operator: true, language: "en-US" });
  told([notice]);
  answer({ data: { items: [listed, { ...listed, id: "a-2", en: "It was so", state: "ended", ended_by: "operator" }] } });
});

describe("the banner", () => {
  it("speaks the reader's language, and a window tells its times", () => {
    told([notice, { ...notice, id: "a-2", kind: "maintenance", until: "2026-01-01T02:00:00Z" }]);
    show(<Announcements />);
    expect(screen.getByRole("complementary", { name: "Announcement" }).textContent).toContain("New versions are here");
    expect(screen.getByRole("complementary", { name: "Maintenance" }).textContent).toMatch(/2026.*–.*2026/);
  });

  it("stays away once it was put away, until it is said otherwise", () => {
    const first = show(<Announcements />);
    fireEvent.click(screen.getByRole("button"));
    expect(screen.queryByRole("complementary")).toBeNull();
    first.unmount();
    show(<Announcements />).unmount();
    expect(screen.queryByRole("complementary")).toBeNull();
    told([{ ...notice, changed_at: "2026-01-02T00:00:00Z" }]);
    show(<Announcements />);
    expect(screen.getByRole("complementary")).toBeTruthy();
  });

  it("cannot be put away when it is critical", () => {
    told([{ ...notice, severity: "critical" }]);
    show(<Announcements />);
    expect(screen.getByRole("complementary").className).toContain("notice-critical");
    expect(screen.queryByRole("button")).toBeNull();
  });
});

describe("the page", () => {
  it.each([
    [false, {}],
    [true, { error: refusal(403, "KCS-RBAC-002") }],
  ])("is forbidden to others, and asks nothing for them (operator: %s)", (operator, given) => {
    known.operator = operator;
    answer(given);
    show(<AnnouncementsPage />);
    expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
    expect(useAllAnnouncements).toHaveBeenCalledWith(operator);
  });

  it("says it in both languages only, and a window with its end", async () => {
    vi.mocked(announce).mockRejectedValue(refusal(400, "KCS-INPUT-001", [{ field: "until", message: "must be in the future" }]));
    show(<AnnouncementsPage />);
    fireEvent.click(screen.getByRole("button", { name: "New announcement" }));
    const dialog = await screen.findByRole("dialog");
    const submit = () => act(async () => within(dialog).getByRole("button", { name: "Announce" }).click());
    await submit();
    expect(within(dialog).getAllByText(en.common.required)).toHaveLength(2);
    fireEvent.change(within(dialog).getByLabelText("Text in Chinese"), { target: { value: " \u5b57 " } });
    fireEvent.change(within(dialog).getByLabelText("Text in English"), { target: { value: "words" } });
    fireEvent.change(within(dialog).getByLabelText("Kind"), { target: { value: "maintenance" } });
    await submit();
    expect(within(dialog).getAllByText(en.common.required)).toHaveLength(1);
    expect(announce).not.toHaveBeenCalled();
    fireEvent.change(within(dialog).getByLabelText("Until"), { target: { value: "2026-01-01T02:00" } });
    await submit();
    const until = new Date("2026-01-01T02:00").toISOString();
    expect(announce).toHaveBeenCalledExactlyOnceWith(undefined, { kind: "maintenance", severity: "info", zh: "\u5b57", en: "words", from: undefined, until });
    expect(within(dialog).getByLabelText("Until").getAttribute("aria-invalid")).toBe("true");
  });

  it("offers to change and to end what has not ended", async () => {
    vi.mocked(endAnnouncement).mockResolvedValue({ ...listed, state: "ended" });
    show(<AnnouncementsPage />);
    expect(within(screen.getByRole("row", { name: /It was so/ })).queryByRole("button")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: /^End: New/ }));
    const dialog = await screen.findByRole("dialog");
    expect(endAnnouncement).not.toHaveBeenCalled();
    await act(async () => within(dialog).getByRole("button", { name: "End" }).click());
    expect(endAnnouncement).toHaveBeenCalledExactlyOnceWith("a-1");
  });
});
