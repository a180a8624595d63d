// Signing in a program: the code is read as people type it, what asks is shown before any answer, and the answer is sent once.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { answerDevice } from "../src/api/device";
import type { DeviceSignIn } from "../src/api/types";
import { DevicePage } from "../src/features/device/DevicePage";
import { codeOf } from "../src/features/device/userCode";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ code: undefined as string | undefined, asked: {} as Record<string, unknown>, looked: [] as string[], navigate: undefined as unknown, projects: [{ id: "p-a", name: "tenant-a" }] }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children, to }: { children: ReactNode; to: string }) => <a href={to}>{children}</a>, useNavigate: () => known.navigate, useSearch: () => ({ code: known.code }) }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ user: { name: "member-a" }, project: { id: "p-a", name: "tenant-a" }, projects: known.projects }) }));
vi.mock("../src/api/device", () => ({
  answerDevice: vi.fn(),
  useDeviceSignIn: (code: string) => {
    known.looked.push(code);
    return { refetch: vi.fn(), ...known.asked };
  },
}));

beforeAll(inEnglish);

beforeEach(() => {
  vi.mocked(answerDevice).mockReset();
  Object.assign(known, { code: undefined, asked: {}, looked: [], navigate: vi.fn(), projects: [{ id: "p-a", name: "tenant-a" }] });
});

const asked: DeviceSignIn = { client_name: "kcs 0.1.0", host_name: "laptop", source: "192.0.2.9", created_at: "2026-01-01T00:00:00Z", expires_at: "2026-01-01T00:10:00Z" };

function show() {
  return render(
    <QueryClientProvider client={new QueryClient()}>
      <DevicePage />
    </QueryClientProvider>,
  );
}

const press = (name: RegExp) => act(async () => screen.getByRole("button", { name }).click());

describe("a code", () => {
  it.each([
    ["BCDF-GHJK", "BCDF-GHJK"],
    [" bcdf ghjk ", "BCDF-GHJK"],
    ["bcdfghjk", "BCDF-GHJK"],
    ["BCDF-GHJ", null],
    ["BCDF-GHJKL", null],
    ["AEIO-UYAE", null],
    ["BCDF-GHJ1", null],
    ["", null],
  ])("%s is %s", (text, code) => expect(codeOf(text)).toBe(code));
});

describe("the page", () => {
  it("asks for the code, and for no other than one that can be", async () => {
    show();
    const field = screen.getByLabelText("Code");
    fireEvent.change(field, { target: { value: "nonsense" } });
    await press(/Continue/);
    expect(field.getAttribute("aria-invalid")).toBe("true");
    expect(document.activeElement).toBe(field);
    expect(known.looked).toEqual([]);
    fireEvent.change(field, { target: { value: "bcdf ghjk" } });
    await press(/Continue/);
    expect(known.navigate).toHaveBeenCalledExactlyOnceWith({ search: { code: "BCDF-GHJK" } });
  });

  it("does not ask the server about what is no code", () => {
    known.code = "../session";
    show();
    expect(screen.getByRole("alert").textContent).toContain(en.device.unknown);
    expect(known.looked).toEqual([]);
  });

  it("shows what asks, from where, for whom and for how long, and warns, before it allows", async () => {
    Object.assign(known, { code: "bcdfghjk", asked: { data: asked } });
    vi.mocked(answerDevice).mockResolvedValue(undefined);
    show();
    const page = document.body.textContent ?? "";
    for (const text of ["kcs 0.1.0", "laptop", "192.0.2.9", "member-a", "tenant-a", en.device.phishing]) expect(page, text).toContain(text);
    expect(page).not.toContain(en.device.otherProject);
    expect(screen.getByTestId("code").textContent).toBe("BCDF-GHJK");
    expect(screen.getByRole<HTMLInputElement>("radio", { name: "8 hours" }).checked).toBe(true);
    fireEvent.click(screen.getByRole("radio", { name: "30 days" }));
    expect(answerDevice).not.toHaveBeenCalled();
    await press(/^Allow$/);
    expect(answerDevice).toHaveBeenCalledExactlyOnceWith("BCDF-GHJK", { allow: true, expires_in: 2_592_000 });
    const answered = await screen.findByRole("status");
    expect(answered.textContent).toContain(en.device.then.allowed);
    expect(document.activeElement).toBe(answered);
    expect(screen.queryByRole("button", { name: /Allow|Deny/ })).toBeNull();
  });

  it("denies, and says what that may have been", async () => {
    Object.assign(known, { code: "BCDF-GHJK", asked: { data: asked }, projects: [{ id: "p-a" }, { id: "p-b" }] });
    vi.mocked(answerDevice).mockResolvedValue(undefined);
    show();
    expect(document.body.textContent).toContain(en.device.otherProject);
    await press(/^Deny$/);
    expect(vi.mocked(answerDevice).mock.calls[0]?.[1].allow).toBe(false);
    expect((await screen.findByRole("status")).textContent).toContain(en.device.then.denied);
    expect(screen.queryByText(en.device.toTokens)).toBeNull();
  });

  it("tells a code that is over while one reads from other troubles", async () => {
    Object.assign(known, { code: "BCDF-GHJK", asked: { data: asked } });
    vi.mocked(answerDevice).mockRejectedValueOnce(refusal(429, "KCS-RATE-001")).mockRejectedValueOnce(refusal(404, "KCS-NOTFOUND-001"));
    show();
    await press(/^Allow$/);
    expect((await screen.findByRole("alert")).textContent).toContain("KCS-RATE-001");
    await press(/^Allow$/);
    expect((await screen.findByText(en.device.over)).getAttribute("role")).toBe("alert");
    expect(screen.getByRole<HTMLButtonElement>("button", { name: /^Allow$/ }).disabled).toBe(true);
  });

  it("offers to type again what is unknown, and says who may not", () => {
    Object.assign(known, { code: "BCDF-GHJK", asked: { error: refusal(404, "KCS-NOTFOUND-001") } });
    const { unmount } = show();
    expect(screen.getByRole("alert").textContent).toContain(en.device.unknown);
    expect(screen.getByLabelText("Code")).toBeTruthy();
    unmount();
    known.asked = { error: refusal(403, "KCS-RBAC-001") };
    const forbidden = show();
    expect(document.body.textContent).toContain(en.device.forbidden);
    forbidden.unmount();
    known.asked = {};
    show();
    expect(screen.getByRole("status", { name: en.common.loading })).toBeTruthy();
  });
});
