// The catalogue as operators see it: what is offered, what is not any more and still used, what names what is not there, and what has no price.
import { render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { useAdminCatalogue } from "../src/api/catalogue";
import type { AdminCatalogue } from "../src/api/types";
import { CataloguePage } from "../src/features/admin/CataloguePage";
import { en, inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ to, children }: { to: string; children: ReactNode }) => <a href={to}>{children}</a> }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator }) }));
vi.mock("../src/app/settings", () => ({ useSettings: () => ({ language: "en-US" }) }));
vi.mock("../src/api/catalogue", async (original) => ({ ...(await original<typeof import("../src/api/catalogue")>()), useAdminCatalogue: vi.fn() }));

beforeAll(inEnglish);

const words = en.admin.catalogue;
const image = (id: string, rest: Partial<AdminCatalogue["images"][number]> = {}) => ({ id, name: "kcs-node-v1.35.4", status: "active", kubernetes_version: "v1.35.4", size_bytes: 2 ** 31, min_disk_gib: 10, min_ram_mib: 512, visibility: "public", versions: ["v1.35.4"], ...rest });

const catalogue: AdminCatalogue = {
  versions: [
    { version: "v1.36.3", offered: { version: "v1.36.3", support: "current", image: "kcs-node-v1.36.3", image_status: "missing" }, clusters: 1200 },
    { version: "v1.35.4", offered: { version: "v1.35.4", support: "deprecated", image: "kcs-node-v1.35.4", image_status: "active" }, clusters: 1 },
    { version: "v1.30.1", offered: null, clusters: 2 },
  ],
  flavors: [
    { name: "m1.medium", offered: true, vcpus: 2, ram_mib: 4096, clusters: 3, machines: 9 },
    { name: "retired", offered: false, clusters: 1, machines: 2 },
  ],
  templates: [{ id: "dev", name: "Development", name_zh: "\u5f00\u53d1", flavors: ["retired"], missing: ["retired"] }],
  images: [image("image-a", { status: "queued", size_bytes: undefined }), image("image-b"), image("image-c", { name: "by-hand", kubernetes_version: undefined, min_disk_gib: 0, visibility: "elsewhere", versions: [] })],
  addons: [
    { name: "storage", version: "v5.3.0", essential: true, default: true, images: ["mirror.example/a:v1", "mirror.example/b:v2"], clusters: 4000 },
    { name: "ingress", version: "v3.6.2", essential: false, default: false, images: [], clusters: 0 },
  ],
  prices: {
    currency: "EUR",
    flavors: [
      { name: "m1.medium", offered: true },
      { name: "retired", offered: false, per_hour: 0.5 },
    ],
    volume_gib: [{ name: "default", offered: true, per_hour: 0.000012 }],
    load_balancer: 0.12,
    floating_ip: 0,
  },
};

function answer(given: { data?: AdminCatalogue; error?: unknown }) {
  vi.mocked(useAdminCatalogue).mockReturnValue({ refetch: vi.fn(), ...given } as unknown as ReturnType<typeof useAdminCatalogue>);
}

const row = (table: string, name: string) => within(screen.getByRole("region", { name: table })).getByRole("row", { name: new RegExp(name) });
const text = (table: string, name: string) => row(table, name).textContent;
const href = (element: HTMLElement) => element.getAttribute("href");

beforeEach(() => {
  vi.resetAllMocks();
  known.operator = true;
  answer({ data: catalogue });
});

it("says what is offered and how much it is used, and what is used although it is not", () => {
  render(<CataloguePage />);
  expect(text(words.versions, "v1.36.3")).toMatch(/Current.*kcs-node-v1.36.3.*1,200$/);
  expect(text(words.versions, "v1.30.1")).toContain(words.gone);
  expect(text(words.flavors, "m1.medium")).toMatch(/2 vCPU · 4 GiBOffered39$/);
  expect(text(words.flavors, "^retired")).toContain(words.gone);
  expect(text(words.templates, "Development")).toContain("Not offered: retired");
});

it("leads to where versions, templates and prices are changed", () => {
  render(<CataloguePage />);
  expect(href(screen.getByRole("link", { name: words.change }))).toBe("/admin/settings");
});

it("leads from a version to the image that it boots from, and back", () => {
  render(<CataloguePage />);
  // Of two images of the name, the one that is active.
  const there = within(row(words.versions, "v1.35.4")).getByRole("link");
  expect(href(there)).toBe("#image-image-b");
  expect(document.getElementById("image-image-b")?.textContent).toContain("kcs-node-v1.35.4");
  const back = within(row(words.images, "image-b")).getByRole("link");
  expect(href(back)).toBe("#version-v1.35.4");
  expect(document.getElementById("version-v1.35.4")).toBeTruthy();
  expect(within(row(words.versions, "v1.36.3")).queryByRole("link"), "its image is missing").toBeNull();
});

it("tells of node images, by their ids", () => {
  render(<CataloguePage />);
  expect(text(words.images, "image-b")).toMatch(/v1\.35\.4active2 GiBdisk of 10 GiB at leastPublic/);
  expect(text(words.images, "image-a")).toContain("queued");
  expect(text(words.images, "by-hand")).toMatch(/elsewhereNo version$/);
  expect(within(row(words.images, "image-c")).getByRole("button", { name: "Copy by-hand" })).toBeTruthy();
});

it("tells of add-ons: their images, whether clusters get them, and how many have them", () => {
  render(<CataloguePage />);
  expect(text(words.addons, "Storage driver")).toMatch(/Essential.*v5\.3\.0mirror\.example\/a:v1mirror\.example\/b:v2On4,000$/);
  expect(text(words.addons, "Ingress")).toMatch(/v3\.6\.2—Off0$/);
});

it("tells of prices, and of what has none", () => {
  render(<CataloguePage />);
  expect(text(words.prices, "m1.medium")).toMatch(/—No price$/);
  expect(text(words.prices, "retired")).toMatch(/€0\.50Not shown by the cloud$/);
  expect(text(words.prices, "default")).toContain("€0.000012");
  expect(text(words.prices, "Load balancer")).toContain("€0.12");
  expect(text(words.prices, "Floating IP")).toContain("€0.00");
});

it("says where there is no price list and no node image, and where prices are set", () => {
  answer({ data: { ...catalogue, images: [], prices: null } });
  render(<CataloguePage />);
  expect(screen.getByText(words.noImages)).toBeTruthy();
  expect(screen.getByText(words.noPrices)).toBeTruthy();
  expect(href(screen.getByRole("link", { name: en.admin.settings.title }))).toBe("/admin/settings");
});

it.each([
  [false, {}],
  [true, { error: refusal(403, "KCS-RBAC-002") }],
])("is forbidden to others, and asks nothing for them (operator: %s)", (operator, given) => {
  known.operator = operator;
  answer(given);
  render(<CataloguePage />);
  expect(screen.getByText(en.admin.forbidden)).toBeTruthy();
  expect(useAdminCatalogue).toHaveBeenCalledWith(operator);
});

it("says what went wrong when it cannot be loaded", () => {
  answer({ error: refusal(503, "KCS-INTERNAL-001") });
  render(<CataloguePage />);
  expect(screen.getByRole("alert").textContent).toContain(en.error["KCS-INTERNAL-001"].title);
});
