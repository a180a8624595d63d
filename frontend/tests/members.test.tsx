// Members and roles: what is in the form becomes what is asked for, refusals stand at their row, and nobody is offered what they may not do.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createRole, deleteRole, giveMember, resetMember, revokeKubeconfigsOf, updateRole } from "../src/api/members";
import type { CustomRole, Member } from "../src/api/types";
import { ToastHost } from "../src/components/Toast";
import { OF_ROLES } from "../src/features/access/permissions";
import { draftErrors, draftOf, memberRequest, withPlace, type MemberDraft } from "../src/features/members/memberDraft";
import { MembersPage } from "../src/features/members/MembersPage";
import { press } from "./press";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ members: [] as unknown[], roles: [] as unknown[], permissions: [] as string[], builtIn: [] as string[], search: {} as { tab?: "roles"; search?: string } }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a>, useNavigate: () => vi.fn(), useSearch: () => known.search }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ permissions: known.permissions, roles: known.builtIn }) }));
vi.mock("../src/api/clusters", () => ({ useClusters: () => ({ data: { items: [{ id: "c1", name: "shop" }, { id: "c2", name: "lab" }] } }), useCluster: () => ({}) }));
vi.mock("../src/api/kubernetes", () => ({ useNamespaces: () => ({ data: { items: [{ name: "web" }] } }) }));
vi.mock("../src/api/members", () => ({
  membersKey: ["members"],
  rolesKey: ["roles"],
  useMembers: () => ({ data: { items: known.members } }),
  useRoles: () => ({ data: { items: known.roles } }),
  giveMember: vi.fn(),
  resetMember: vi.fn(),
  revokeKubeconfigsOf: vi.fn(),
  createRole: vi.fn(),
  updateRole: vi.fn(),
  deleteRole: vi.fn(),
}));

beforeAll(inEnglish);

const person = (name: string, more: Partial<Member>): Member => ({ id: `u-${name}`, name, domain: "default", me: false, keystone: "member", places: [], ...more });
const ada = person("ada", {});
const guest = person("gil", { keystone: "reader", role: "guest", places: [{ cluster: "c1", namespace: "web", role: "r1" }, { cluster: "c2", role: "member" }], changed_at: "2026-01-01T00:00:00Z", changed_by: "olga" });
const me = person("olga", { me: true, keystone: "owner" });
const gone = person("left", { keystone: undefined, role: "member", changed_at: "2026-01-01T00:00:00Z", changed_by: "olga" });
const onCall: CustomRole = { id: "r1", name: "On call", permissions: ["node_operate", "cluster_repair"], people: 2, changed_at: "2026-01-01T00:00:00Z", changed_by: "olga" };
const unused: CustomRole = { ...onCall, id: "r2", name: "Auditor", permissions: [], people: 0 };

beforeEach(() => {
  vi.resetAllMocks();
  Object.assign(known, { members: [ada, guest, gone, me], roles: [onCall, unused], permissions: ["members_manage"], builtIn: ["owner"], search: {} });
});

function show() {
  const queries = new QueryClient();
  const invalidate = vi.spyOn(queries, "invalidateQueries");
  const shown = render(
    <QueryClientProvider client={queries}>
      <ToastHost>
        <MembersPage />
      </ToastHost>
    </QueryClientProvider>,
  );
  return { ...shown, invalidate };
}

const row = (name: string) => screen.getByRole("rowheader", { name: new RegExp(`^${name}`) }).closest("tr") as HTMLElement;

async function choose(name: string, item: string) {
  fireEvent.click(screen.getByRole("button", { name: `Actions for ${name}` }));
  fireEvent.click(screen.getByRole("menuitem", { name: item }));
  return screen.findByRole("dialog");
}

const draft = (...places: Partial<MemberDraft["places"][number]>[]): MemberDraft => ({ role: "guest", places: places.map((place, key) => ({ key, cluster: "c1", whole: false, namespace: "web", role: "reader", ...place })) });

describe("the request", () => {
  it("says again what counts now, unless something is changed", () => {
    expect(memberRequest(draftOf(guest))).toEqual({ role: "guest", places: guest.places });
    expect(memberRequest(draftOf(ada))).toEqual({ role: "member", places: [] });
  });

  it("gives all of a cluster only where that was said, never by an empty field", () => {
    expect(draftErrors(draft({ namespace: " " }))).toEqual({ "places[0].namespace": "common.required" });
    expect(memberRequest(draft({ whole: true })).places).toEqual([{ cluster: "c1", role: "reader" }]);
    expect(withPlace(draft()).places).toEqual([{ key: 0, cluster: "", whole: false, namespace: "", role: "reader" }]);
  });

  it("is refused by row before it is sent", () => {
    expect(draftErrors(draft({ cluster: "" }, { namespace: "Web" }, { namespace: "a, b" }))).toEqual({ "places[0].cluster": "common.required", "places[1].namespace": "member.invalid.namespace", "places[2].namespace": "member.invalid.namespace" });
    expect(draftErrors(draft({}, { namespace: "db" }, { namespace: "web " }, { whole: true }, { whole: true, namespace: "x" }))).toEqual({ "places[2]": "member.invalid.twice", "places[4]": "member.invalid.twice" });
  });

  it("tells rows apart after one in the middle is gone", () => {
    const three = draft({}, {}, {});
    const two = { ...three, places: three.places.filter((place) => place.key !== 1) };
    expect(new Set(withPlace(two).places.map((place) => place.key)).size).toBe(3);
  });
});

describe("the list", () => {
  it("says what Keystone says, what was given here and where, by whom, and who is gone", () => {
    show();
    for (const text of ["Reader", "Guest", "shop", "web", "On call", "lab", "(all of it)", "olga"]) expect(row("gil").textContent, text).toContain(text);
    expect(row("ada").textContent).toContain(en.member.keystoneCounts);
    expect(row("left").textContent).toContain(en.member.gone);
    expect(row("gil").textContent).not.toContain(en.member.gone);
  });

  it("offers an owner to change everybody but themselves, and of whom Keystone knows nothing only to take back", () => {
    show();
    expect(within(row("olga")).queryByRole("button")).toBeNull();
    expect(row("olga").textContent).toContain(en.member.self);
    fireEvent.click(screen.getByRole("button", { name: "Actions for left" }));
    expect(within(row("left")).getByRole("menuitem", { name: /^Change/ }).getAttribute("aria-disabled")).toBe("true");
    expect(within(row("left")).getByRole("menuitem", { name: "Back to Keystone's role" }).getAttribute("aria-disabled")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Actions for ada" }));
    expect(within(row("ada")).getByRole("menuitem", { name: /^Back to/ }).getAttribute("aria-disabled")).toBe("true");
  });

  it("offers nobody else anything, and says whom to ask", () => {
    Object.assign(known, { permissions: [], builtIn: ["member"] });
    const { unmount } = show();
    expect(screen.queryByRole("button", { name: /^Actions/ })).toBeNull();
    expect(screen.getByText("Only owners change this: olga")).toBeTruthy();
    unmount();
    // Whom Keystone took the role from is an owner no more, whatever was given.
    known.members = [ada, person("olga", { keystone: undefined, role: "owner" })];
    const second = show();
    expect(screen.getByText(en.member.noOwner)).toBeTruthy();
    second.unmount();
    Object.assign(known, { builtIn: ["guest"], members: [guest] });
    show();
    expect(screen.getByText(en.member.ownOnly)).toBeTruthy();
  });
});

describe("changing a person", () => {
  it("asks for the role and the places, and tells that open streams are cut", async () => {
    vi.mocked(giveMember).mockResolvedValue(ada);
    const { invalidate } = show();
    const dialog = await choose("ada", "Change");
    expect(dialog.textContent).toContain("open terminals, logs and connections of ada are cut");
    fireEvent.click(within(dialog).getByRole("radio", { name: /^Guest/ }));
    expect(dialog.textContent).toContain("cannot enter this project at all");
    fireEvent.click(within(dialog).getByRole("button", { name: /Add a place/ }));
    expect(dialog.textContent).not.toContain("cannot enter this project at all");
    const place = within(within(dialog).getByRole("group", { name: "Place 1" }));
    fireEvent.click(within(dialog).getByRole("button", { name: /Save$/ }));
    expect(giveMember).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(place.getByLabelText("Cluster"));
    fireEvent.change(place.getByLabelText("Cluster"), { target: { value: "c2" } });
    fireEvent.change(place.getByLabelText("Namespace"), { target: { value: "web" } });
    fireEvent.change(place.getByLabelText("Role there"), { target: { value: "r1" } });
    fireEvent.click(within(dialog).getByRole("button", { name: /Save$/ }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(giveMember).toHaveBeenCalledExactlyOnceWith("u-ada", { role: "guest", places: [{ cluster: "c2", namespace: "web", role: "r1" }] });
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["members"] });
    // How many have a role is another list.
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["roles"] });
  });

  it("offers in a place neither what is for all of the project nor nothing", async () => {
    show();
    const dialog = await choose("gil", "Change");
    const options = within(within(dialog).getByRole("group", { name: "Place 2" })).getByLabelText("Role there").querySelectorAll("option");
    expect([...options].map((option) => option.textContent)).toEqual(["Member", "Reader", "On call", "Auditor"]);
  });

  it("shows what the server says of a row at that row, and anything else below", async () => {
    vi.mocked(giveMember)
      .mockRejectedValueOnce(refusal(400, "KCS-INPUT-001", [{ field: "places[1].cluster", message: "there is no such cluster" }]))
      .mockRejectedValueOnce(refusal(403, "KCS-RBAC-001"));
    show();
    const dialog = await choose("gil", "Change");
    fireEvent.click(within(dialog).getByRole("button", { name: /Save$/ }));
    const second = within(within(dialog).getByRole("group", { name: "Place 2" }));
    expect(await second.findByText(/there is no such cluster/)).toBeTruthy();
    expect(second.getByLabelText("Cluster").getAttribute("aria-invalid")).toBe("true");
    expect(within(dialog).queryByRole("alert")).toBeNull();
    fireEvent.click(within(dialog).getByRole("button", { name: /Save$/ }));
    expect((await within(dialog).findByRole("alert")).textContent).toContain(en.error["KCS-RBAC-001"].title);
  });

  it("shows a refusal of the person below, for there is no field for it", async () => {
    vi.mocked(giveMember).mockRejectedValue(refusal(400, "KCS-INPUT-001", [{ field: "id", message: "has no role in the project" }]));
    show();
    const dialog = await choose("gil", "Change");
    fireEvent.click(within(dialog).getByRole("button", { name: /Save$/ }));
    expect(await within(dialog).findByRole("alert")).toBeTruthy();
  });

  it("takes all of it back after saying what then counts", async () => {
    vi.mocked(resetMember).mockResolvedValue(undefined);
    show();
    const dialog = await choose("gil", "Back to Keystone's role");
    for (const text of ["Reader", "open terminals, logs and connections of gil are cut"]) expect(dialog.textContent, text).toContain(text);
    expect(resetMember).not.toHaveBeenCalled();
    await act(async () => within(dialog).getByRole("button", { name: "Back to Keystone's role" }).click());
    expect(resetMember).toHaveBeenCalledExactlyOnceWith("u-gil");
  });

  it("says that nothing is left to whom Keystone does not know", async () => {
    show();
    expect((await choose("left", "Back to Keystone's role")).textContent).toContain("nothing is left");
  });
});

describe("revoking a person's kubeconfigs", () => {
  it("asks first, says what stays, and how many ended", async () => {
    vi.mocked(revokeKubeconfigsOf).mockResolvedValue({ count: 2 });
    const { invalidate } = show();
    const dialog = await choose("gil", "Revoke all kubeconfigs");
    for (const text of ["Revoke all kubeconfigs of gil?", "in every cluster of this project", "API tokens", "There is no way back"]) expect(dialog.textContent, text).toContain(text);
    expect(revokeKubeconfigsOf).not.toHaveBeenCalled();
    await act(async () => within(dialog).getByRole("button", { name: "Revoke all" }).click());
    expect(revokeKubeconfigsOf).toHaveBeenCalledExactlyOnceWith("u-gil");
    expect(await screen.findByText("2 kubeconfigs revoked")).toBeTruthy();
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["cluster"] });
  });

  it("takes it for done when there was none, and says why when it was refused", async () => {
    vi.mocked(revokeKubeconfigsOf).mockRejectedValueOnce(refusal(404, "KCS-NOTFOUND-001"));
    show();
    let dialog = await choose("left", "Revoke all kubeconfigs");
    await act(async () => within(dialog).getByRole("button", { name: "Revoke all" }).click());
    expect(await screen.findByText("0 kubeconfigs revoked")).toBeTruthy();
    vi.mocked(revokeKubeconfigsOf).mockRejectedValueOnce(refusal(403, "KCS-RBAC-001"));
    dialog = await choose("gil", "Revoke all kubeconfigs");
    await act(async () => within(dialog).getByRole("button", { name: "Revoke all" }).click());
    expect(await within(dialog).findByRole("alert")).toBeTruthy();
  });
});

describe("roles", () => {
  beforeEach(() => {
    known.search = { tab: "roles" };
  });

  it("are listed with what they allow, by area, and how many have them", () => {
    show();
    for (const text of ["Clusters", "Repair clusters", "drain, reboot", "2"]) expect(row("On call").textContent, text).toContain(text);
    expect(row("Auditor").textContent).toContain(en.member.looksOnly);
  });

  it("are for owners to compose; others look", () => {
    Object.assign(known, { permissions: [], builtIn: ["member"] });
    show();
    expect(screen.queryByRole("button", { name: /^Actions|Create role/ })).toBeNull();
    expect(screen.getByText(en.member.role.readOnly)).toBeTruthy();
  });

  it("can name what neither everybody has nor owners alone", () => {
    const rust = readFileSync(join(import.meta.dirname, "../../backend/domain/src/permissions.rs"), "utf8");
    const body = /fn least_role[\s\S]*?\n {4}\}/.exec(rust)?.[0] ?? "";
    const special = [...body.matchAll(/Self::(\w+)/g)].map((match) => (match[1] ?? "").replaceAll(/(?<!^)[A-Z]/g, "_$&").toLowerCase());
    expect(special.length).toBeGreaterThan(3);
    const all = [...(/const ALL: \[Self; \d+\] = \[\s*Self::Cluster[\s\S]*?\]/.exec(rust)?.[0] ?? "").matchAll(/Self::(\w+)/g)].map((match) => (match[1] ?? "").replaceAll(/(?<!^)[A-Z]/g, "_$&").toLowerCase());
    expect(OF_ROLES.flatMap(({ permissions }) => permissions as string[]).toSorted()).toEqual(all.filter((name) => !special.includes(name)).toSorted());
  });

  it("are composed of a name and permissions", async () => {
    vi.mocked(createRole).mockRejectedValueOnce(refusal(409, "KCS-NAME-004")).mockResolvedValue(onCall);
    show();
    fireEvent.click(screen.getByRole("button", { name: /Create role/ }));
    const dialog = await screen.findByRole("dialog");
    const create = () => press(dialog, "Create role");
    await create();
    expect(document.activeElement).toBe(within(dialog).getByLabelText("Name"));
    expect(createRole).not.toHaveBeenCalled();
    fireEvent.change(within(dialog).getByLabelText("Name"), { target: { value: " Night " } });
    fireEvent.click(within(dialog).getByRole("checkbox", { name: "Cancel operations" }));
    await create();
    expect(await within(dialog).findByText(new RegExp(en.error["KCS-NAME-004"].title))).toBeTruthy();
    expect(within(dialog).getByLabelText("Name").getAttribute("aria-invalid")).toBe("true");
    await create();
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(createRole).toHaveBeenLastCalledWith({ name: "Night", permissions: ["operation_cancel"] });
  });

  it("are changed without losing what cannot be chosen here", async () => {
    known.roles = [{ ...onCall, permissions: ["kubeconfig_issue", "node_operate"] }];
    vi.mocked(updateRole).mockResolvedValue(onCall);
    show();
    const dialog = await choose("On call", "Change");
    expect(dialog.textContent).toContain("2 people have it");
    fireEvent.click(within(dialog).getByRole("checkbox", { name: /^Cordon/ }));
    fireEvent.click(within(dialog).getByRole("checkbox", { name: "Delete clusters" }));
    fireEvent.click(within(dialog).getByRole("button", { name: /Save$/ }));
    await waitFor(() => expect(updateRole).toHaveBeenCalledExactlyOnceWith("r1", { name: "On call", permissions: ["kubeconfig_issue", "cluster_delete"] }));
  });

  it("stay while somebody has them", async () => {
    show();
    const dialog = await choose("On call", "Delete");
    for (const text of ["2 people have it", "KCS-CONF-006"]) expect(dialog.textContent, text).toContain(text);
    expect(within(dialog).getByRole<HTMLButtonElement>("button", { name: "Delete" }).disabled).toBe(true);
  });

  it("stay when somebody was given one meanwhile", async () => {
    vi.mocked(deleteRole).mockRejectedValue(refusal(409, "KCS-CONF-006"));
    const { invalidate } = show();
    const dialog = await choose("Auditor", "Delete");
    await act(async () => within(dialog).getByRole("button", { name: "Delete" }).click());
    expect((await within(dialog).findByRole("alert")).textContent).toContain(en.error["KCS-CONF-006"].title);
    expect(invalidate).toHaveBeenCalledWith({ queryKey: ["roles"] });
  });
});
