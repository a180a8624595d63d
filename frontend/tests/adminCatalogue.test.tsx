// The catalogue as operators see it: what is offered, what is not any more and still used, and templates that name what is not there.
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { useAdminCatalogue } from "../src/api/catalogue";
import type { AdminCatalogue } from "../src/api/types";
import { CataloguePage } from "../src/features/admin/CataloguePage";
import en from "../src/locales/en-US";
import { inEnglish } from "./english";
import { refusal } from "./refusal";

const known = vi.hoisted(() => ({ operator: true }));
vi.mock("@tanstack/react-router", () => ({ Link: ({ children }: { children: ReactNode }) => <a href="/">{children}</a> }));
vi.mock("../src/api/session", () => ({ useSession: () => ({ operator: known.operator }) }));
vi.mock("../src/app/settings", () => ({ useSettings: () => ({ language: "en-US" }) }));
vi.mock("../src/api/catalogue", async (original) => ({ ...(await original<typeof import("../src/api/catalogue")>()), useAdminCatalogue: vi.fn() }));

beforeAll(inEnglish);

const catalogue: AdminCatalogue = {
  versions: [
    { version: "v1.36.3", offered: { version: "v1.36.3", support: "current", image: "kcs-node-v1.36.3", image_status: "missing" }, clusters: 1200 },
    { version: "v1.30.1", offered: null, clusters: 2 },
  ],
  flavors: [
    { name: "m1.medium", offered: true, vcpus: 2, ram_mib: 4096, clusters: 3, machines: 9 },
    { name: "retired", offered: false, clusters: 1, machines: 2 },
  ],
  templates: [{ id: "dev", name: "Development", name_zh: "\u5f00\u53d1", flavors: ["retired"], missing: ["retired"] }],
};

function answer(given: { data?: AdminCatalogue; error?: unknown }) {
  vi.mocked(useAdminCatalogue).mockReturnValue({ refetch: vi.fn(), ...given } as unknown as ReturnType<typeof useAdminCatalogue>);
}

const row = (name: string) => screen.getByRole("row", { name: new RegExp(name) }).textContent;

beforeEach(() => {
  vi.resetAllMocks();
  known.operator = true;
  answer({ data: catalogue });
});

it("says what is offered and how much it is used, and what is used although it is not", () => {
  render(<CataloguePage />);
  expect(row("kcs-node")).toMatch(/Current.*kcs-node-v1.36.3.*1,200$/);
  expect(row("v1.30.1")).toContain(en.admin.catalogue.gone);
  expect(row("m1.medium")).toMatch(/2 vCPU · 4 GiBOffered39$/);
  expect(row("^retired")).toContain(en.admin.catalogue.gone);
  expect(row("Development")).toContain("Not offered: retired");
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
