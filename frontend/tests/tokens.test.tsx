// API tokens: what is in the form becomes a request that is no wider than chosen; the secret is shown once and leaves with the dialog.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createToken, revokeToken } from "../src/api/tokens";
import type { ApiToken, Permission } from "../src/api/types";
import { AREAS } from "../src/features/access/permissions";
import RevokeTokenDialog from "../src/features/tokens/RevokeTokenDialog";
import TokenDialog from "../src/features/tokens/TokenDialog";
import { draftErrors, emptyDraft, offered, rangeOf, tokenRequest, type TokenDraft } from "../src/features/tokens/tokenDraft";
import { insideNamespaces } from "../src/features/tokens/usePermissionsSomewhere";
import { TokensPage } from "../src/features/tokens/TokensPage";
import { validity } from "../src/features/access/validity";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ tokens: [] as unknown[], permissions: [] as string[], roles: [] as string[], clusters: [] as { id: string; name: string; permissions: string[] }[], places: [] as unknown[], state: undefined as string | undefined }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => vi.fn(), useSearch: () => ({ state: known.state }) }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ permissions: known.permissions, roles: known.roles }) }));
vi.mock("../src/api/members", () => ({ useMembers: () => ({ data: { items: [{ me: true, places: known.places }] } }), useRoles: () => ({ data: { items: [{ id: "r1", permissions: ["kubernetes_exec", "cluster_delete"] }] } }) }));
vi.mock("../src/api/tokens", () => ({ createToken: vi.fn(), revokeToken: vi.fn(), useTokens: () => ({ data: { items: known.tokens } }) }));
vi.mock("../src/api/clusters", () => ({ useClusters: () => ({ data: { items: known.clusters } }), useCluster: () => ({}) }));

beforeAll(inEnglish);

beforeEach(() => {
  vi.mocked(createToken).mockReset();
  vi.mocked(revokeToken).mockReset();
  Object.assign(known, { tokens: [], permissions: [...member], roles: ["member"], clusters: ["shop", "lab"].map((name, i) => ({ id: `c${i + 1}`, name, permissions: [...member] })), places: [], state: undefined });
});

/** What a reader, a member and an owner may do, as the server tells it. */
const reader: ReadonlySet<Permission> = new Set(["kubeconfig_issue", "kubeconfig_revoke", "token_create", "token_revoke"]);
const member: ReadonlySet<Permission> = new Set([...AREAS.flatMap(({ permissions }) => permissions).filter((permission) => permission !== "members_manage"), "token_create", "token_revoke"]);
const owner: ReadonlySet<Permission> = new Set([...member, "members_manage"]);

const place = (role: string, namespace?: string) => ({ cluster: "c1", role, ...(namespace && { namespace }) });
const draft = (part: Partial<TokenDraft>): TokenDraft => ({ ...emptyDraft, name: "ci", ...part });
const DAY = 86_400;

describe("the request", () => {
  it("is for looking only, for thirty days, unless more is chosen", () => {
    expect(tokenRequest(draft({ name: "  ci " }), member)).toEqual({ name: "ci", expires_in: 30 * DAY, permissions: [], cidrs: [] });
  });

  it("leaves out what narrows nothing, and says what does", () => {
    expect(tokenRequest(draft({ may: "all", lifetime: "custom", days: 3 }), member)).toEqual({ name: "ci", expires_in: 3 * DAY, cidrs: [] });
    const narrow = draft({ may: "chosen", permissions: new Set(["node_pool_resize", "kubernetes_write"]), lifetime: "year", allClusters: false, clusters: new Set(["c1"]), namespaces: "web, web\u3001db", cidrs: "192.0.2.7 2001:db8::/32" });
    expect(tokenRequest(narrow, member)).toEqual({ name: "ci", expires_in: 365 * DAY, permissions: ["node_pool_resize", "kubernetes_write"], clusters: ["c1"], namespaces: ["web", "db"], cidrs: ["192.0.2.7/32", "2001:db8::/32"] });
  });

  it("never asks for what such a token could not do", () => {
    const chosen = draft({ may: "chosen", permissions: new Set(["cluster_create", "cluster_delete", "kubeconfig_issue"]) });
    expect(tokenRequest(chosen, reader).permissions).toEqual(["kubeconfig_issue"]);
    expect(tokenRequest({ ...chosen, allClusters: false, clusters: new Set(["c1"]) }, member).permissions).toEqual(["cluster_delete", "kubeconfig_issue"]);
  });

  it("is refused by field before it is sent", () => {
    expect(draftErrors(draft({}), member)).toEqual({});
    // What is chosen but cannot be done is as good as nothing.
    expect(draftErrors(draft({ may: "chosen", permissions: new Set(["cluster_create"]), allClusters: false, clusters: new Set(["c1"]) }), member)).toEqual({ permissions: "token.invalid.permissions" });
    expect(draftErrors(draft({ name: " ", may: "chosen", allClusters: false, namespaces: "Web", cidrs: "10.0.0.0/33" }), member)).toEqual({
      name: "common.required",
      permissions: "token.invalid.permissions",
      clusters: "token.invalid.clusters",
      namespaces: "token.invalid.namespaces",
      cidrs: "token.invalid.cidrs",
    });
  });

  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["2001:db8::1", "2001:db8::1/128"],
    ["::/0", "::/0"],
    ["10.0.0.256/8", null],
    ["10.0.0/8", null],
    ["2001:db8::/129", null],
    ["10.0.0.0/8/8", null],
    ["10.0.0.0/", null],
    ["a:b", null],
  ])("%s is the range %s", (text, range) => expect(rangeOf(text)).toBe(range));
});

describe("what is offered", () => {
  it("is every permission there is, but those about tokens themselves", () => {
    const schemas = (JSON.parse(readFileSync(join(import.meta.dirname, "../../openapi/openapi.json"), "utf8")) as { components: { schemas: Record<string, { enum?: string[] }> } }).components.schemas;
    const all = schemas.Permission?.enum ?? [];
    const here = AREAS.flatMap(({ permissions }) => permissions);
    expect([...here, "token_create", "token_revoke"].toSorted()).toEqual(all.toSorted());
  });

  it("is less to a reader, and for chosen clusters", () => {
    expect(offered(reader, true)).toEqual([{ area: "access", permissions: ["kubeconfig_issue", "kubeconfig_revoke"] }]);
    expect(offered(member, false).some(({ area }) => area === "templates")).toBe(false);
  });

  it("is managing members to owners only", () => {
    expect(offered(member, true).some(({ area }) => area === "members")).toBe(false);
    expect(offered(owner, true).at(-1)).toEqual({ area: "members", permissions: ["members_manage"] });
    expect(offered(owner, false).some(({ area }) => area === "members")).toBe(false);
  });

  it("is what is done inside of namespaces to whoever was given some", () => {
    expect(insideNamespaces([place("member", "web")], [])).toEqual(["kubernetes_write", "kubernetes_exec"]);
    expect(insideNamespaces([place("reader", "web"), place("member")], [])).toEqual([]);
    expect(insideNamespaces([place("r1", "web")], [{ id: "r1", name: "", permissions: ["kubernetes_exec", "cluster_delete"], people: 1, changed_at: "", changed_by: "" }])).toEqual(["kubernetes_exec"]);
  });
});

describe("a token", () => {
  it.each([
    [{ expires_at: "2026-02-01T00:00:00Z" }, "valid"],
    [{ expires_at: "2026-01-01T00:00:00Z" }, "expired"],
    [{ expires_at: "2026-02-01T00:00:00Z", revoked_at: "2025-12-01T00:00:00Z" }, "revoked"],
    [{ expires_at: "2025-02-01T00:00:00Z", revoked_at: "2025-01-01T00:00:00Z" }, "revoked"],
  ] as const)("%o is %s", (token, state) => expect(validity(token, Date.parse("2026-01-01T00:00:00Z"))).toBe(state));
});

const token: ApiToken = { id: "t1", name: "nightly", created_by: "member-a", mine: true, cidrs: [], created_at: "2026-01-01T00:00:00Z", expires_at: "2999-01-01T00:00:00Z" };

function show(what: ReactNode) {
  const queries = new QueryClient();
  const shown = render(<QueryClientProvider client={queries}>{what}</QueryClientProvider>);
  return { ...shown, queries };
}

const press = (name: RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const rows = () => screen.getAllByRole("row").slice(1);

describe("the dialog", () => {
  it("leads to what is wrong, sends what is chosen, and shows the secret once", async () => {
    vi.mocked(createToken).mockResolvedValue({ ...token, secret: "kcs_secret_1" });
    const close = vi.fn();
    const { queries, unmount } = show(<TokenDialog onClose={close} />);
    press(/Create token$/);
    expect(createToken).not.toHaveBeenCalled();
    const name = screen.getByLabelText("Name");
    expect(document.activeElement).toBe(name);
    expect(name.getAttribute("aria-invalid")).toBe("true");
    fireEvent.change(name, { target: { value: "nightly" } });
    fireEvent.click(screen.getByRole("radio", { name: /^Chosen permissions/ }));
    press(/Create token$/);
    expect(screen.getByText(en.token.invalid.permissions)).toBeTruthy();
    fireEvent.click(screen.getByRole("checkbox", { name: "Resize node pools" }));
    fireEvent.click(screen.getByRole("radio", { name: "Chosen clusters" }));
    fireEvent.click(screen.getByRole("checkbox", { name: "shop" }));
    fireEvent.click(screen.getByRole("radio", { name: "1 day" }));
    press(/Create token$/);
    expect((await screen.findByTestId("token")).textContent).toBe("kcs_secret_1");
    expect(createToken).toHaveBeenCalledExactlyOnceWith({ name: "nightly", expires_in: DAY, permissions: ["node_pool_resize"], clusters: ["c1"], cidrs: [] });
    expect(document.activeElement?.textContent).toContain("Copy the token");
    // The example takes it from the environment, so that copying the example does not copy the secret.
    expect(screen.getByText(/^curl/).textContent).not.toContain("kcs_secret_1");
    expect(JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href])).not.toContain("kcs_secret_1");
    unmount();
    await waitFor(() => expect(queries.getMutationCache().getAll()).toEqual([]));
  });

  it("shows what the server says of a field at that field, and anything else below", async () => {
    vi.mocked(createToken).mockRejectedValueOnce(refusal(409, "KCS-INPUT-001", [{ field: "namespaces[0]", message: "is not one" }])).mockRejectedValueOnce(refusal(409, "KCS-QUOTA-003"));
    show(<TokenDialog onClose={vi.fn()} />);
    fireEvent.change(screen.getByLabelText("Name"), { target: { value: "ci" } });
    fireEvent.change(screen.getByLabelText("Namespaces"), { target: { value: "web" } });
    press(/Create token$/);
    expect(await screen.findByText(/is not one/)).toBeTruthy();
    expect(screen.getByLabelText("Namespaces").getAttribute("aria-invalid")).toBe("true");
    expect(screen.queryByRole("alert")).toBeNull();
    press(/Create token$/);
    expect((await screen.findByRole("alert")).textContent).toContain(en.error["KCS-QUOTA-003"].title);
  });

  it("offers a reader what a reader may do", () => {
    known.permissions = [...reader];
    for (const cluster of known.clusters) cluster.permissions = [...reader];
    show(<TokenDialog onClose={vi.fn()} />);
    fireEvent.click(screen.getByRole("radio", { name: /^Chosen permissions/ }));
    expect(screen.getAllByRole("checkbox").map((box) => box.closest("label")?.textContent)).toEqual(["Issue kubeconfigs", "Revoke kubeconfigs"]);
    expect(screen.getByText(en.token.offeredHint)).toBeTruthy();
  });

  it("offers a guest what they may do with their clusters and inside of their namespaces", () => {
    Object.assign(known, { permissions: [...reader], roles: ["guest"], places: [{ cluster: "c2", namespace: "web", role: "r1" }] });
    known.clusters = [{ id: "c1", name: "shop", permissions: [...reader, "cluster_create", "node_pool_resize"] }, { id: "c2", name: "lab", permissions: [...reader] }];
    show(<TokenDialog onClose={vi.fn()} />);
    fireEvent.click(screen.getByRole("radio", { name: /^Chosen permissions/ }));
    expect(screen.getAllByRole("checkbox").map((box) => box.closest("label")?.textContent)).toEqual(["Resize node pools", "Run commands in containers", "Issue kubeconfigs", "Revoke kubeconfigs"]);
  });

  it("asks before it revokes, and says whose it is", async () => {
    vi.mocked(revokeToken).mockResolvedValue(undefined);
    const close = vi.fn();
    show(<RevokeTokenDialog token={{ ...token, mine: false, created_by: "reader-a" }} onClose={close} />);
    expect(screen.getByText(/reader-a's/)).toBeTruthy();
    expect(revokeToken).not.toHaveBeenCalled();
    await act(async () => screen.getByRole("button", { name: "Revoke" }).click());
    expect(revokeToken).toHaveBeenCalledExactlyOnceWith("t1");
    await waitFor(() => expect(close).toHaveBeenCalledOnce());
  });
});

describe("the list", () => {
  it("says what each may do and where, and offers to revoke what is good and one's to revoke", () => {
    known.tokens = [
      { ...token, permissions: [], clusters: ["c1", "gone"], namespaces: ["web", "db"], cidrs: ["192.0.2.0/24"], last_used_at: "2026-01-01T00:00:00Z", last_used_from: "192.0.2.9" },
      { ...token, id: "t2", name: "other's", mine: false, created_by: "reader-a", permissions: ["cluster_create", "cluster_update", "cluster_delete", "node_operate"] },
      { ...token, id: "t3", name: "old", expires_at: "2020-01-01T00:00:00Z" },
    ];
    const { unmount } = show(<TokensPage />);
    const [first, second, third] = rows() as [HTMLElement, HTMLElement, HTMLElement];
    for (const text of ["Look only", "shop", "gone", "web", "db", "192.0.2.0/24", "192.0.2.9", "(me)"]) expect(first.textContent, text).toContain(text);
    expect(within(second).getByText("4 permissions")).toBeTruthy();
    expect(within(second).getByText("All clusters")).toBeTruthy();
    expect(within(third).getByText("Expired")).toBeTruthy();
    expect(screen.getAllByRole("button", { name: /^Revoke / }).map((button) => button.getAttribute("aria-label"))).toEqual(["Revoke nightly", "Revoke other's"]);
    unmount();
    Object.assign(known, { permissions: [...reader], roles: ["reader"] });
    show(<TokensPage />);
    expect(screen.getAllByRole("button", { name: /^Revoke / }).map((button) => button.getAttribute("aria-label"))).toEqual(["Revoke nightly"]);
  });

  it("is narrowed by state, and tells none from none of that state", () => {
    const { unmount } = show(<TokensPage />);
    expect(screen.getByText(en.token.none)).toBeTruthy();
    unmount();
    known.tokens = [token];
    known.state = "revoked";
    show(<TokensPage />);
    expect(screen.getByText(en.common.nothingFound)).toBeTruthy();
  });
});
