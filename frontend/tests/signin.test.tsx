// Signing in: the password once, the passcode where it is asked for, and application credentials by id or by whose they are.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { beginFederation, signIn, signInByCredential } from "../src/api/session";
import type { Session } from "../src/api/types";
import { SignInPage } from "../src/features/signin/SignInPage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ search: {} as { next?: string; reason?: string; refused?: string }, providers: [] as { id: string; label: string; label_zh: string }[], navigate: undefined as unknown, push: undefined as unknown }));
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => known.navigate, useRouter: () => ({ history: { push: known.push } }), useSearch: () => known.search }));
vi.mock("../src/api/session", () => ({ forgetData: vi.fn(), sessionKey: ["session"], signIn: vi.fn(), signInByCredential: vi.fn(), beginFederation: vi.fn(), useAbout: () => ({}), useFederation: () => known.providers }));
vi.mock("../src/app/settings", () => ({ useSettings: () => ({ language: "en-US" }) }));
vi.mock("../src/app/HeaderMenus", () => ({ Language: () => null, ThemeMenu: () => null }));

const session = { csrf_token: "c" } as Session;
beforeAll(inEnglish);

beforeEach(() => {
  vi.mocked(signIn).mockReset();
  vi.mocked(signInByCredential).mockReset();
  vi.mocked(beginFederation).mockReset();
  Object.assign(known, { search: {}, providers: [], navigate: vi.fn(), push: vi.fn() });
});

const show = () =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SignInPage />
    </QueryClientProvider>,
  );
const field = (label: string) => screen.getByLabelText<HTMLInputElement>(label);
const type = (label: string, value: string) => fireEvent.change(field(label), { target: { value } });
// A button that was busy tells so for a moment longer, before its own words.
const press = (name: string) => act(async () => screen.getByRole("button", { name: new RegExp(`${name}$`) }).click());

describe("a password", () => {
  it("is sent once both are typed, and leads to where one was", async () => {
    vi.mocked(signIn).mockResolvedValue(session);
    known.search = { next: "/clusters" };
    show();
    type("User name", " member-a ");
    await press("Sign in");
    expect(signIn).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(field("Password"));
    type("Password", "right");
    await press("Sign in");
    expect(signIn).toHaveBeenCalledExactlyOnceWith({ username: "member-a", password: "right", domain: undefined });
    expect(known.push).toHaveBeenCalledExactlyOnceWith("/clusters");
  });

  it("does not lead away from the console", async () => {
    vi.mocked(signIn).mockResolvedValue(session);
    known.search = { next: "//elsewhere.example" };
    show();
    type("User name", "member-a");
    type("Password", "right");
    await press("Sign in");
    expect(known.push).not.toHaveBeenCalled();
    expect(known.navigate).toHaveBeenCalledExactlyOnceWith({ to: "/" });
  });

  it("is forgotten when it is refused", async () => {
    vi.mocked(signIn).mockRejectedValue(refusal(401, "KCS-AUTH-003"));
    show();
    type("User name", "member-a");
    type("Password", "wrong");
    await press("Sign in");
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-AUTH-003"].title);
    expect(field("Password").value).toBe("");
    expect(field("Password").getAttribute("aria-invalid")).toBeNull();
  });
});

/** A right password that is not enough. */
const begin = async () => {
  vi.mocked(signIn).mockRejectedValueOnce(refusal(401, "KCS-AUTH-012"));
  show();
  type("User name", "totp-a");
  type("Password", "right");
  await press("Sign in");
};

describe("a passcode", () => {
  it("is asked for in a second step, and sent together with the password", async () => {
    await begin();
    expect(screen.queryByRole("alert")).toBeNull();
    expect(document.activeElement).toBe(field("Passcode"));
    expect(field("Passcode").autocomplete).toBe("one-time-code");
    vi.mocked(signIn).mockResolvedValue(session);
    type("Passcode", "123 456");
    await press("Sign in");
    expect(signIn).toHaveBeenLastCalledWith({ username: "totp-a", password: "right", domain: undefined, passcode: "123456" });
    expect(known.navigate).toHaveBeenCalledExactlyOnceWith({ to: "/" });
  });

  it("is not sent when it cannot be one, and may be tried again when it was refused", async () => {
    await begin();
    type("Passcode", "12345x");
    await press("Sign in");
    expect(signIn).toHaveBeenCalledOnce();
    expect(field("Passcode").getAttribute("aria-invalid")).toBe("true");
    vi.mocked(signIn).mockRejectedValueOnce(refusal(401, "KCS-AUTH-003"));
    type("Passcode", "000000");
    await press("Sign in");
    expect(screen.getByText(en.shell.signIn.passcodeRefused)).toBeTruthy();
    expect(field("Passcode").value).toBe("");
    vi.mocked(signIn).mockRejectedValueOnce(refusal(401, "KCS-RATE-001"));
    type("Passcode", "000001");
    await press("Sign in");
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-RATE-001"].title);
  });

  it("keeps no password for whoever goes back", async () => {
    await begin();
    await press("Sign in as somebody else");
    expect(field("Password").value).toBe("");
    expect(field("User name").value).toBe("totp-a");
  });
});

describe("an application credential", () => {
  it("is named by its id, or by its name and whose it is", async () => {
    vi.mocked(signInByCredential).mockRejectedValueOnce(refusal(401, "KCS-AUTH-011")).mockResolvedValue(session);
    show();
    await press("Application credential");
    await press("Sign in");
    expect(document.activeElement).toBe(field("Credential ID"));
    type("Credential ID", "0123");
    type("Secret", "s");
    await press("Sign in");
    expect(signInByCredential).toHaveBeenLastCalledWith({ id: "0123", secret: "s" });
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-AUTH-011"].title);
    expect(field("Secret").value).toBe("");
    fireEvent.click(screen.getByLabelText("By name"));
    type("Credential name", "ci");
    type("Name of its owner", "member-a");
    type("Secret", "s");
    await press("Sign in");
    expect(signInByCredential).toHaveBeenLastCalledWith({ name: "ci", username: "member-a", domain: undefined, secret: "s" });
    expect(known.navigate).toHaveBeenCalledExactlyOnceWith({ to: "/" });
  });

  it("leads back to the password", async () => {
    show();
    await press("Application credential");
    await press("User name and password");
    expect(document.activeElement).toBe(field("User name"));
  });
});

describe("an identity provider", () => {
  beforeEach(() => {
    known.providers = [{ id: "corp", label: "Corporate account", label_zh: "zh" }];
  });

  it("is a button that leads away, with where to go on", async () => {
    const assign = vi.spyOn(window.location, "assign").mockImplementation(() => {});
    vi.mocked(beginFederation).mockResolvedValue("https://keystone.example/websso");
    known.search = { next: "/clusters" };
    show();
    await press("Sign in with Corporate account");
    expect(beginFederation).toHaveBeenCalledExactlyOnceWith("corp", "/clusters");
    expect(assign).toHaveBeenCalledExactlyOnceWith("https://keystone.example/websso");
    assign.mockRestore();
  });

  it("says why it came to nothing", async () => {
    vi.mocked(beginFederation).mockRejectedValue(refusal(401, "KCS-STORE-001"));
    known.search = { refused: "KCS-AUTH-013" };
    show();
    expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-AUTH-013"].title);
    await press("Sign in with Corporate account");
    expect(screen.getAllByRole("alert").map((alert) => alert.textContent).join(" ")).toContain(en.error["KCS-STORE-001"].title);
  });
});
