// Kubeconfigs: which of the kinds, what is in the form becomes a request that is no wider than chosen, refusals stand at their field, and revoking says how much ends.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { issueCertificate, issueKubeconfig, revokeAllKubeconfigs, revokeKubeconfig, useKubeconfigExec } from "../src/api/clusters";
import type { Cluster, Kubeconfig } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import KubeconfigDialog from "../src/features/cluster/KubeconfigDialog";
import { certificateRequest, draftErrors, emptyDraft, kubeconfigRequest } from "../src/features/cluster/kubeconfigDraft";
import { KubeconfigsTab } from "../src/features/cluster/KubeconfigsTab";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ kubeconfigs: [] as unknown[], permissions: [] as string[], everywhere: [] as string[], roles: [] as string[], exec: {} as Record<string, unknown>, direct: false, certificates: [] as unknown[] }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children, to }: { children: ReactNode; to: string }) => <a href={to}>{children}</a>, useParams: () => ({ id: "c1" }) }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ user: { id: "u1", name: "member-a" }, permissions: known.everywhere, roles: known.roles }), useAbout: () => ({ data: { direct_access: known.direct } }) }));
vi.mock("../src/api/clusters", () => ({
  issueCertificate: vi.fn(),
  issueKubeconfig: vi.fn(),
  revokeKubeconfig: vi.fn(),
  revokeAllKubeconfigs: vi.fn(),
  useCluster: () => ({ data: { id: "c1", name: "shop", permissions: known.permissions, spec: { direct_access: known.direct } } }),
  useCertificates: () => ({ data: { items: known.certificates } }),
  useKubeconfigExec: vi.fn(() => known.exec),
  useKubeconfigs: () => ({ data: { items: known.kubeconfigs } }),
}));

vi.mock("../src/api/members", () => ({ useRoles: () => ({ data: { items: [{ id: "r1", name: "deployer" }] } }) }));

beforeAll(inEnglish);

beforeEach(() => {
  vi.resetAllMocks();
  vi.stubGlobal("isSecureContext", true);
  Object.assign(known, { kubeconfigs: [], permissions: ["kubeconfig_issue", "kubeconfig_revoke", "kubeconfig_revoke_all"], everywhere: ["token_create"], roles: ["member"], exec: {}, direct: false, certificates: [] });
});

const HOUR = 3600;
const cluster = { id: "c1", name: "shop", spec: { direct_access: true } } as Cluster;
const kubeconfig = (id: string, more: Partial<Kubeconfig>): Kubeconfig => ({ id, name: id, created_by: "member-a", created_by_id: "u1", mine: true, read_only: false, created_at: "2026-01-01T00:00:00Z", expires_at: "2999-01-01T00:00:00Z", ...more });
const mine = kubeconfig("laptop", {});
const theirs = [kubeconfig("wall", { created_by: "reader-a", created_by_id: "u2", mine: false, read_only: true, namespaces: ["web", "db"] }), kubeconfig("desk", { created_by: "reader-a", created_by_id: "u2", mine: false })];
const dead = [kubeconfig("old", { expires_at: "2020-01-01T00:00:00Z" }), kubeconfig("lost", { created_by: "reader-a", created_by_id: "u2", mine: false, revoked_at: "2026-01-02T00:00:00Z" })];
const namesake = kubeconfig("mine-too", { created_by: "reader-a" });

function show(what: ReactNode) {
  const queries = new QueryClient();
  const shown = render(
    <QueryClientProvider client={queries}>
      <ToastHost>{what}</ToastHost>
    </QueryClientProvider>,
  );
  return { ...shown, queries };
}

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const choose = (name: string | RegExp) => fireEvent.click(screen.getByRole("radio", { name }));
const issue = () => fireEvent.click(screen.getByRole("button", { name: /Issue kubeconfig$/ }));

describe("the request", () => {
  it("is for all that one may do, for a day, unless it is narrowed", () => {
    expect(kubeconfigRequest(emptyDraft)).toEqual({ expires_in: 24 * HOUR, name: undefined, read_only: false, namespaces: undefined });
    expect(kubeconfigRequest({ ...emptyDraft, lifetime: "custom", hours: 3, may: "read", allNamespaces: false, namespaces: "web, db\u3001web", name: " laptop " })).toEqual({ expires_in: 3 * HOUR, name: "laptop", read_only: true, namespaces: ["web", "db"] });
  });

  it.each([
    ["write", { permissions: ["kubernetes_write"] }],
    ["exec", { permissions: ["kubernetes_exec"] }],
    ["role", { role: "r1" }],
  ] as const)("is for %s and no more where that is chosen, and a certificate then for looking", (may, narrowed) => {
    const draft = { ...emptyDraft, may, role: "r1" };
    expect(kubeconfigRequest(draft)).toEqual({ expires_in: 24 * HOUR, ...narrowed });
    expect(certificateRequest(draft).read_only).toBe(true);
  });

  it("is for a role only where one is chosen", () => {
    expect(draftErrors({ ...emptyDraft, may: "role" })).toEqual({ role: "kubeconfig.invalid.role" });
    expect(draftErrors({ ...emptyDraft, may: "role", role: "r1" })).toEqual({});
    expect(kubeconfigRequest({ ...emptyDraft, role: "r1" })).not.toHaveProperty("role");
  });

  it("is not narrowed by what was typed before all namespaces were chosen", () => {
    expect(kubeconfigRequest({ ...emptyDraft, namespaces: "web" }).namespaces).toBeUndefined();
    expect(draftErrors({ ...emptyDraft, namespaces: "Not One" })).toEqual({});
  });

  it.each([
    ["", "kubeconfig.invalid.namespaces"],
    [" , ", "kubeconfig.invalid.namespaces"],
    ["web, Shop_2", "token.invalid.namespaces"],
    ["a".repeat(64), "token.invalid.namespaces"],
  ])("is never sent for the namespaces %j", (namespaces, text) => expect(draftErrors({ ...emptyDraft, allNamespaces: false, namespaces })).toEqual({ namespaces: text }));
});

describe("the dialog", () => {
  it("leads to what is wrong, sends what is chosen, and shows the file once, with a call that it may make", async () => {
    vi.mocked(issueKubeconfig).mockResolvedValue({ id: "k", kubeconfig: "token: kcs_secret_1", expires_at: "2999-01-01T00:00:00Z" });
    const { queries, unmount } = show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    choose(/^Look only/);
    choose("Chosen namespaces");
    issue();
    const names = screen.getByLabelText("Names of namespaces");
    expect(issueKubeconfig).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(names);
    expect(names.getAttribute("aria-invalid")).toBe("true");
    fireEvent.change(names, { target: { value: "web, db" } });
    issue();
    expect((await screen.findByTestId("kubeconfig")).textContent).toBe("token: kcs_secret_1");
    expect(issueKubeconfig).toHaveBeenCalledExactlyOnceWith("c1", { expires_in: 24 * HOUR, name: undefined, read_only: true, namespaces: ["web", "db"] });
    expect(screen.getByText(/kubectl -n web get pods$/)).toBeTruthy();
    expect(document.activeElement?.textContent).toContain("Download");
    expect(JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href])).not.toContain("kcs_secret_1");
    unmount();
    await waitFor(() => expect(queries.getMutationCache().getAll()).toEqual([]));
  });

  it("offers the project's roles, asks for one, and says whose permissions it has", async () => {
    vi.mocked(issueKubeconfig).mockResolvedValue({ id: "k", kubeconfig: "token: kcs_secret_1", expires_at: "2999-01-01T00:00:00Z" });
    show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    choose(/^A role of the project/);
    issue();
    const role = screen.getByLabelText("Role");
    expect(issueKubeconfig).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(role);
    fireEvent.change(role, { target: { value: "r1" } });
    issue();
    await screen.findByTestId("kubeconfig");
    expect(issueKubeconfig).toHaveBeenCalledExactlyOnceWith("c1", { expires_in: 24 * HOUR, name: undefined, role: "r1", namespaces: undefined });
    expect(screen.getByText("A role of the project")).toBeTruthy();
  });

  it("says at the lifetime that it is longer than the operator allows, until another is chosen", async () => {
    vi.mocked(issueKubeconfig).mockRejectedValue(refusal(400, "KCS-INPUT-001", [{ field: "expires_in", message: "must be 3600 to 604800 seconds" }]));
    show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    choose("30 days");
    issue();
    const lifetimes = screen.getByRole("group", { name: "Valid for" });
    expect(await within(lifetimes).findByText(/does not allow this long.*604800/)).toBeTruthy();
    expect(document.activeElement).toBe(lifetimes);
    expect(screen.queryByRole("alert")).toBeNull();
    choose("Custom");
    expect(screen.queryByText(/604800/)).toBeNull();
    issue();
    await waitFor(() => expect(screen.getByLabelText("Hours").getAttribute("aria-invalid")).toBe("true"));
  });

  it("shows what the server says of a namespace at their field, and anything else below", async () => {
    vi.mocked(issueKubeconfig).mockRejectedValueOnce(refusal(400, "KCS-INPUT-001", [{ field: "namespaces[1]", message: "is not one" }])).mockRejectedValueOnce(refusal(403, "KCS-RBAC-001"));
    show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    choose("Chosen namespaces");
    const names = screen.getByLabelText("Names of namespaces");
    fireEvent.change(names, { target: { value: "web, db" } });
    issue();
    await waitFor(() => expect(names.getAttribute("aria-invalid")).toBe("true"));
    expect(screen.queryByRole("alert")).toBeNull();
    issue();
    expect((await screen.findByRole("alert")).textContent).toContain(en.error["KCS-RBAC-001"].title);
    expect(names.getAttribute("aria-invalid")).toBeNull();
  });
});

describe("the kubeconfig without a secret", () => {
  const EXEC = "Without a secret: kcs asks who you are";
  const DATA = { data: { kubeconfig: "command: kcs" } };
  const open = () => {
    show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    choose(new RegExp(`^${EXEC}`));
    return screen.getByRole("dialog");
  };

  it("is chosen in place of a token, has nothing to choose and nothing to issue, and forgets nothing of the other", async () => {
    known.exec = DATA;
    show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    expect(screen.getByRole<HTMLInputElement>("radio", { name: /^With a token in the file/ }).checked).toBe(true);
    expect(useKubeconfigExec).not.toHaveBeenCalled();
    choose(/^Look only/);
    choose(new RegExp(`^${EXEC}`));
    expect(screen.getAllByRole("radio")).toHaveLength(2);
    expect(screen.queryByRole("textbox")).toBeNull();
    expect(screen.queryByRole("button", { name: /Issue kubeconfig$/ })).toBeNull();
    expect(screen.getByRole("dialog").textContent).toContain("what their own role allows, for as long as they allowed kcs login");
    choose(/^With a token in the file/);
    issue();
    await waitFor(() => expect(issueKubeconfig).toHaveBeenCalledExactlyOnceWith("c1", expect.objectContaining({ read_only: true })));
  });

  it("is for the address that is signed in to, and says both commands, each to be copied", async () => {
    known.exec = DATA;
    const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    const dialog = open();
    const { origin } = window.location;
    expect(useKubeconfigExec).toHaveBeenCalledWith("c1", origin);
    for (const text of [`kcs login ${origin}`, "KUBECONFIG=./kcs-shop.yaml kubectl get nodes"]) expect(within(dialog).getByText(text)).toBeTruthy();
    expect(dialog.textContent).toContain("must be in the PATH");
    for (const name of ["Copy Sign in on this computer", "Copy Run where it was saved", "Copy"]) await act(async () => press(name));
    expect(written.mock.calls).toEqual([[`kcs login ${origin}`], ["KUBECONFIG=./kcs-shop.yaml kubectl get nodes"], ["command: kcs"]]);
    expect(screen.getByRole("link").getAttribute("href")).toBe("/tokens");
  });

  it("is saved under the name that the command asks for", () => {
    known.exec = DATA;
    const saved: string[] = [];
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function name(this: HTMLAnchorElement) {
      saved.push(this.download);
    });
    open();
    press("Download");
    expect(saved).toEqual(["kcs-shop.yaml"]);
    click.mockRestore();
  });

  it("asks a guest to try what is not around their namespaces", () => {
    Object.assign(known, { exec: DATA, roles: ["guest"] });
    open();
    expect(screen.getByText("KUBECONFIG=./kcs-shop.yaml kubectl version")).toBeTruthy();
  });

  it("shows how to sign in while the file is on its way, and what went wrong where it does not come", async () => {
    const dialog = open();
    expect(within(dialog).getByRole("status", { name: "Loading" })).toBeTruthy();
    expect(within(dialog).getByText(/^kcs login /)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Download" })).toBeNull();
    choose(/^With a token in the file/);
    const refetch = vi.fn();
    known.exec = { error: refusal(403, "KCS-RBAC-001"), refetch };
    choose(new RegExp(`^${EXEC}`));
    expect((await screen.findByRole("alert")).textContent).toContain(en.error["KCS-RBAC-001"].title);
    press("Try again");
    expect(refetch).toHaveBeenCalledOnce();
  });

  it("says where the sign-in would cross a network in the clear", () => {
    known.exec = DATA;
    const dialog = open();
    expect(dialog.textContent).not.toContain("plain http");
    vi.stubGlobal("isSecureContext", false);
    choose(/^With a token in the file/);
    choose(new RegExp(`^${EXEC}`));
    expect(dialog.textContent).toContain("plain http");
  });

  it("is not offered to who may not sign in a program", () => {
    known.everywhere = [];
    show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    expect(screen.queryByRole("radio", { name: new RegExp(`^${EXEC}`) })).toBeNull();
    expect(screen.getByRole("button", { name: /Issue kubeconfig$/ })).toBeTruthy();
  });
});

describe("the list", () => {
  it("says what each may do and where", () => {
    known.kubeconfigs = [mine, ...theirs];
    show(<KubeconfigsTab />);
    const [first, second] = screen.getAllByRole("row").slice(1) as [HTMLElement, HTMLElement];
    for (const text of ["All that its owner may do", "All namespaces", "(me)"]) expect(first.textContent, text).toContain(text);
    for (const text of ["Look only", "web, db"]) expect(second.textContent, text).toContain(text);
  });

  it("lets a reader issue some and revoke their own one by one, and nothing else", () => {
    Object.assign(known, { kubeconfigs: [mine, kubeconfig("phone", {})], permissions: ["kubeconfig_issue", "kubeconfig_revoke"] });
    show(<KubeconfigsTab />);
    expect(screen.getByRole("button", { name: /Issue kubeconfig$/ })).toBeTruthy();
    expect(screen.getAllByRole("button", { name: /^Revoke/ }).map((button) => button.getAttribute("aria-label"))).toEqual(["Revoke laptop", "Revoke phone"]);
  });

  it("offers nothing to revoke where nothing is good any more", () => {
    known.kubeconfigs = dead;
    show(<KubeconfigsTab />);
    expect(screen.queryByRole("button", { name: /^Revoke/ })).toBeNull();
  });

  it("revokes everybody's in one call, after it said how many that are and whose, and tells the server's count", async () => {
    vi.mocked(revokeAllKubeconfigs).mockResolvedValue({ count: 4 });
    known.kubeconfigs = [mine, ...theirs, ...dead];
    show(<KubeconfigsTab />);
    press("Revoke all");
    const dialog = await screen.findByRole("dialog");
    for (const text of ["of shop?", "3 valid kubeconfigs end at once", "member-a (1)", "reader-a (2)", "terminals"]) expect(dialog.textContent, text).toContain(text);
    expect(revokeAllKubeconfigs).not.toHaveBeenCalled();
    await act(async () => within(dialog).getByRole("button", { name: "Revoke all" }).click());
    expect(revokeAllKubeconfigs).toHaveBeenCalledExactlyOnceWith("c1", undefined);
    expect(await screen.findByText("4 kubeconfigs revoked")).toBeTruthy();
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("revokes one person's, and of nobody else, not even one's own under the same name", async () => {
    vi.mocked(revokeAllKubeconfigs).mockResolvedValue({ count: 2 });
    known.kubeconfigs = [mine, namesake, ...theirs, ...dead];
    show(<KubeconfigsTab />);
    fireEvent.click(screen.getAllByRole("button", { name: "Revoke all theirs (2): reader-a" })[0] as HTMLElement);
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getAllByRole("listitem").map((item) => item.textContent)).toEqual(["wall", "desk"]);
    await act(async () => within(dialog).getByRole("button", { name: "Revoke all" }).click());
    expect(revokeAllKubeconfigs).toHaveBeenCalledExactlyOnceWith("c1", "u2");
    expect(revokeKubeconfig).not.toHaveBeenCalled();
    expect(await screen.findByText("2 kubeconfigs revoked")).toBeTruthy();
  });

  it("stays open with what went wrong, and looks at the list anew", async () => {
    vi.mocked(revokeAllKubeconfigs).mockRejectedValueOnce(refusal(403, "KCS-RBAC-001"));
    known.kubeconfigs = theirs;
    const { queries } = show(<KubeconfigsTab />);
    const invalidate = vi.spyOn(queries, "invalidateQueries");
    fireEvent.click(screen.getAllByRole("button", { name: /^Revoke all theirs/ })[0] as HTMLElement);
    const dialog = await screen.findByRole("dialog");
    await act(async () => within(dialog).getByRole("button", { name: "Revoke all" }).click());
    expect((await within(dialog).findByRole("alert")).textContent).toContain(en.error["KCS-RBAC-001"].title);
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["cluster", "c1", "kubeconfigs"] });
    expect(screen.queryByText(/kubeconfigs? revoked/)).toBeNull();
  });
});

describe("a certificate past the gate", () => {
  it("is offered only where operator and project have switched that on", () => {
    const { unmount } = show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    expect(screen.queryByRole("radio", { name: /past the gate/ })).toBeNull();
    unmount();
    known.direct = true;
    show(<KubeconfigDialog cluster={{ ...cluster, spec: { ...cluster.spec, direct_access: false } }} onClose={vi.fn()} />);
    expect(screen.queryByRole("radio", { name: /past the gate/ })).toBeNull();
  });

  it("is for an hour at most and for no namespaces, and its file leaves with the dialog", async () => {
    known.direct = true;
    vi.mocked(issueCertificate).mockResolvedValue({ id: "k", kubeconfig: "client-key-data: a2V5", expires_at: "2999-01-01T00:00:00Z" });
    const { queries, unmount } = show(<KubeconfigDialog cluster={cluster} onClose={vi.fn()} />);
    choose("Chosen namespaces");
    choose(/past the gate/);
    expect(screen.queryByRole("radio", { name: "Chosen namespaces" })).toBeNull();
    expect(screen.queryByRole("radio", { name: "30 days" })).toBeNull();
    expect(screen.getByText(en.kubeconfig.directText)).toBeTruthy();
    choose("15 minutes");
    choose(/^Look only/);
    issue();
    expect((await screen.findByTestId("kubeconfig")).textContent).toBe("client-key-data: a2V5");
    expect(issueCertificate).toHaveBeenCalledExactlyOnceWith("c1", { expires_in: 900, name: undefined, read_only: true });
    expect(issueKubeconfig).not.toHaveBeenCalled();
    expect(screen.getByText(/kcs-shop-direct\.yaml/)).toBeTruthy();
    unmount();
    await waitFor(() => expect(queries.getMutationCache().getAll()).toEqual([]));
  });

  it("is listed where there are any, and where one may be had", () => {
    const { unmount } = show(<KubeconfigsTab />);
    expect(screen.queryByText(en.kubeconfig.certificates)).toBeNull();
    unmount();
    known.certificates = [{ id: "k", name: "night shift", created_by: "member-a", mine: true, group: "kcs:member", fingerprint: "ab12", created_at: "2026-01-01T00:00:00Z", expires_at: "2026-01-01T01:00:00Z" }];
    show(<KubeconfigsTab />);
    const table = screen.getByRole("region", { name: en.kubeconfig.certificates });
    expect(table.textContent).toContain("night shift");
    expect(table.textContent).toContain("ab12");
    expect(within(table).queryByRole("button")).toBeNull();
  });
});
