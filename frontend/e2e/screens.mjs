// @ts-check
// Walks every screen in both languages, light and dark, wide and narrow; saves a picture of each where asked to, and fails on any accessibility violation
// (axe, WCAG 2.0 to 2.2 A and AA), on sideways scrolling of the page, and on any error in the browser's console.
// Without KCS_URL the stand-in server is started, whose data has every state there is. With it (and KCS_PASSWORD) only the screens are walked that
// need none of that data. KCS_SCREENS: where pictures go. ONLY: parts of screens' names, separated by commas. VARIANT: part of
// a variant's name, such as dark-390.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { baseUrl, collectErrors, launch, password, settled, shown, signIn } from "./browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const out = process.env.KCS_SCREENS;
const only = (process.env.ONLY ?? "").split(",");
if (out) mkdirSync(out, { recursive: true });

const id = (/** @type {number} */ n) => `0199c0de-0000-7000-8000-${String(n).padStart(12, "0")}`;

/** @typedef {import("playwright-core").Page} Page */

/** Opens the menu of a part of the page and chooses from it. @param {Page} page @param {string} where @param {number} [item] */
async function choose(page, where, item) {
  await page.locator(`${where} .menu-trigger`).first().click();
  const items = page.locator("[role=menu] [role=menuitem]");
  await items.first().waitFor();
  if (item !== undefined) await items.nth(item).click();
}

/** The pools come first on the page, then the nodes; both are cards on a narrow screen. */
const POOLS = ":is(.table tbody tr, .row-cards > li):has(.menu-trigger[aria-label*='default'])";
const NODE = ":is(.table tbody tr, .row-cards > li):has(.menu-trigger[aria-label*='w0-0'])";
const OWN_TEMPLATE = ":is(.table tbody tr, .row-cards > li):has(.menu-trigger[aria-label*='Shop'])";
/** Waits for a dialog and until it stands where it stays, so that it can be pressed. @param {Page} page */
async function dialog(page) {
  await shown(page, ".ant-modal-footer");
  await settled(page);
}
/** The plan of what is in a dialog, to its end. @param {Page} page */
async function planned(page) {
  await shown(page, ".ant-modal .plan[aria-busy=false]");
  await page.locator(".ant-modal-footer").scrollIntoViewIfNeeded();
}

/** @type {{ name: string, user: string | null, path: string, ready?: string, act?: (page: Page) => Promise<void> }[]} */
const screens = [
  { name: "sign-in", user: null, path: "/sign-in", ready: ".signin-form" },
  {
    name: "sign-in-refused",
    user: null,
    path: "/sign-in?reason=expired",
    ready: ".signin-form",
    act: async (page) => {
      await page.locator("summary").click();
      await page.locator("input[autocomplete=username]").fill("member-a");
      await page.locator("input[autocomplete=current-password]").fill("wrong");
      await page.locator("button[type=submit]").click();
      await page.locator(".fault-bad").waitFor();
    },
  },
  { name: "overview", user: "member-a", path: "/", ready: ".quota" },
  { name: "overview-first", user: "member-b", path: "/", ready: ".first-result" },
  { name: "clusters", user: "member-a", path: "/clusters", ready: ".table, .row-cards, .empty" },
  { name: "clusters-none", user: "member-b", path: "/clusters", ready: ".empty" },
  { name: "clusters-nothing-found", user: "member-a", path: "/clusters?search=zzz", ready: ".empty" },
  { name: "create-quick", user: "member-a", path: "/clusters/new", ready: ".checks" },
  { name: "create-full", user: "member-a", path: "/clusters/new?mode=full", ready: ".pool" },
  {
    name: "create-errors",
    user: "member-a",
    path: "/clusters/new?mode=full&template=ha",
    ready: ".pool",
    act: async (page) => {
      await page.locator("#f-spec-network-pod-cidr").fill("10.0.0.0/8");
      await page.locator("#f-spec-network-node-cidr").fill("nonsense");
      await page.locator(".pool button", { hasText: /标签|label/i }).click();
      await page.locator(".pool button", { hasText: /污点|taint/i }).click();
      await page.locator(".create-submit button[type=submit]").click();
      await page.locator(".fault-bad").waitFor();
    },
  },
  {
    name: "create-blocked",
    user: "member-a",
    path: "/clusters/new",
    ready: ".checks",
    act: async (page) => {
      await page.locator("input[value=ha]").check();
      await page.locator("#f-name").fill("billing");
      await page.locator(".checks .tone-bad").first().waitFor();
    },
  },
  {
    name: "create-cloud-lacks",
    user: "member-a",
    path: "/clusters/new",
    ready: ".checks",
    act: async (page) => {
      await page.locator("#f-name").fill("diskless");
      await page.locator(".checks .tone-bad").first().waitFor();
    },
  },
  { name: "create-forbidden", user: "reader-a", path: "/clusters/new", ready: ".empty" },
  { name: "cluster-overview", user: "member-a", path: `/clusters/${id(1)}`, ready: ".conditions" },
  { name: "cluster-degraded", user: "member-a", path: `/clusters/${id(3)}`, ready: ".conditions .tone-bad" },
  { name: "cluster-failed", user: "member-a", path: `/clusters/${id(6)}`, ready: ".operation-banner" },
  { name: "cluster-chosen", user: "member-a", path: `/clusters/${id(4)}`, ready: ".conditions" },
  { name: "cluster-chosen-nodes", user: "member-a", path: `/clusters/${id(4)}/nodes`, ready: ".card + .card :is(.table, .row-cards)" },
  { name: "cluster-nodes", user: "member-a", path: `/clusters/${id(1)}/nodes`, ready: ".fault-words" },
  {
    name: "cluster-resize",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await choose(page, POOLS, 0);
      await page.locator(".ant-modal input[role=spinbutton]").fill("9");
      await planned(page);
    },
  },
  {
    name: "cluster-resize-down",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await choose(page, POOLS, 0);
      await page.locator(".ant-modal input[role=spinbutton]").fill("1");
      await planned(page);
    },
  },
  { name: "cluster-deployments", user: "member-a", path: `/clusters/${id(1)}/workloads`, ready: ".table, .row-cards" },
  { name: "cluster-pods", user: "member-a", path: `/clusters/${id(1)}/workloads?kind=pods`, ready: ".table, .row-cards" },
  { name: "cluster-pods-not-ready", user: "member-a", path: `/clusters/${id(2)}/workloads?kind=pods`, ready: ".fault" },
  { name: "cluster-storage", user: "member-a", path: `/clusters/${id(1)}/storage`, ready: ".card + .card :is(.table, .row-cards)" },
  { name: "cluster-storage-reader", user: "reader-a", path: `/clusters/${id(1)}/storage`, ready: ".table, .row-cards" },
  { name: "cluster-storage-not-ready", user: "member-a", path: `/clusters/${id(2)}/storage`, ready: ".fault + .fault" },
  ...["", "-taken"].map((end) => ({
    name: `storage-class${end}`,
    user: "member-a",
    path: `/clusters/${id(1)}/storage`,
    ready: ".table, .row-cards",
    act: async (/** @type {Page} */ page) => {
      await page.locator(".card-extra button").first().click();
      await dialog(page);
      if (!end) return;
      await page.locator(".ant-modal form input").first().fill("scratch");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").waitFor();
    },
  })),
  {
    name: "storage-class-delete",
    user: "member-a",
    path: `/clusters/${id(1)}/storage`,
    ready: ".table, .row-cards",
    act: async (page) => {
      await choose(page, ":is(.table tbody tr, .row-cards > li):has(.menu-trigger[aria-label*='scratch'])", 1);
      await dialog(page);
    },
  },
  { name: "cluster-logs", user: "member-a", path: `/clusters/${id(1)}/pods/default/${"web-6d4cf56db6-xxogw"}/logs`, ready: ".log-line" },
  { name: "cluster-objects", user: "member-a", path: `/clusters/${id(1)}/objects`, ready: ".table, .row-cards" },
  { name: "cluster-objects-added", user: "member-a", path: `/clusters/${id(3)}/objects`, ready: ".card + .card :is(.table, .row-cards)" },
  { name: "cluster-kubeconfigs", user: "member-a", path: `/clusters/${id(1)}/kubeconfigs`, ready: ".table, .row-cards" },
  { name: "cluster-kubeconfigs-reader", user: "reader-a", path: `/clusters/${id(1)}/kubeconfigs`, ready: ".table, .row-cards" },
  {
    name: "kubeconfig-revoke-all",
    user: "member-a",
    path: `/clusters/${id(1)}/kubeconfigs`,
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".card-extra .ant-btn-dangerous").click();
      await dialog(page);
    },
  },
  {
    name: "kubeconfig-revoke-theirs",
    user: "member-a",
    path: `/clusters/${id(1)}/kubeconfigs`,
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("button[aria-label$='reader-a']").first().click();
      await dialog(page);
    },
  },
  {
    name: "kubeconfig-narrow",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions button").first().click();
      await page.locator(".ant-modal input[name=kubeconfig-may]").last().check();
      await page.locator(".ant-modal input[name=kubeconfig-namespaces]").last().check();
      await page.locator("#f-kubeconfig-namespaces").fill("shop, Shop_2");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator("#f-kubeconfig-namespaces-error").waitFor();
    },
  },
  {
    name: "kubeconfig-refused",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions button").first().click();
      await page.locator(".ant-modal input[name=kubeconfig-lifetime]").nth(2).check();
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").waitFor();
    },
  },
  {
    name: "kubeconfig-issue",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions button").first().click();
      await page.locator(".ant-modal input[name=kubeconfig-lifetime]").last().check();
      await page.locator(".ant-modal input[role=spinbutton]").waitFor();
    },
  },
  {
    name: "kubeconfig-issued",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions button").first().click();
      await page.locator(".ant-modal input[name=kubeconfig-namespaces]").last().check();
      await page.locator("#f-kubeconfig-namespaces").fill("shop, shop-staging");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal details summary").click();
      await page.locator("[data-testid=kubeconfig]").waitFor();
    },
  },
  {
    name: "kubeconfig-exec",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions button").first().click();
      await page.locator(".ant-modal input[name=kubeconfig-kind]").last().check();
      await page.locator("[data-testid=kubeconfig]").waitFor({ state: "attached" });
    },
  },
  {
    name: "kubeconfig-exec-failed",
    user: "member-a",
    path: `/clusters/${id(4)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions button").first().click();
      await page.locator(".ant-modal input[name=kubeconfig-kind]").last().check();
      await page.locator(".ant-modal .fault-bad").waitFor();
    },
  },
  {
    name: "cluster-delete",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions .ant-btn-dangerous").click();
      await page.locator(".plan-objects").waitFor();
      await page.locator(".ant-modal input[type=text], .ant-modal input:not([type])").last().fill("shop-production");
    },
  },
  {
    name: "cluster-delete-protected",
    user: "member-a",
    path: `/clusters/${id(3)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".page-actions .ant-btn-dangerous").click();
      await page.locator(".ant-modal .fault-actions button").waitFor();
    },
  },
  {
    name: "cluster-api-audit",
    user: "member-a",
    path: `/clusters/${id(3)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".text-button").filter({ hasText: /audit|审计/i }).click();
      await dialog(page);
    },
  },
  {
    name: "cluster-api-access",
    user: "member-a",
    path: `/clusters/${id(3)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".text-button").filter({ hasText: /change access|修改访问/i }).click();
      await dialog(page);
      await page.locator(".ant-modal input[type=radio]").nth(1).check();
      await page.locator(".ant-modal input.code").fill("192.0.2.0/24, 198.51.100.0/25");
      await page.locator(".ant-modal .fault-warn").waitFor();
    },
  },
  {
    name: "cluster-protection-off",
    user: "member-a",
    path: `/clusters/${id(3)}`,
    ready: ".conditions",
    act: async (page) => {
      await page.locator(".switch").first().click();
      await dialog(page);
    },
  },
  { name: "cluster-reader", user: "reader-a", path: `/clusters/${id(3)}`, ready: ".conditions" },
  { name: "cluster-nodes-reader", user: "reader-a", path: `/clusters/${id(1)}/nodes`, ready: ".fault-words" },
  { name: "cluster-addons", user: "member-a", path: `/clusters/${id(1)}/addons`, ready: ".table, .row-cards" },
  { name: "cluster-addons-none", user: "member-a", path: `/clusters/${id(2)}/addons`, ready: ".empty" },
  { name: "cluster-menu", user: "member-a", path: `/clusters/${id(1)}`, ready: ".conditions", act: (page) => choose(page, ".page-actions") },
  { name: "cluster-menu-busy", user: "member-a", path: `/clusters/${id(4)}`, ready: ".conditions", act: (page) => choose(page, ".page-actions") },
  ...["cluster-repair", "cluster-control-plane", "cluster-rotate", "cluster-rotate-key"].map((name, item) => ({
    name,
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (/** @type {Page} */ page) => {
      await choose(page, ".page-actions", item);
      await dialog(page);
      const smallest = page.locator(".ant-modal input[type=radio]").first();
      if (await smallest.count()) {
        await smallest.check();
        await planned(page);
      }
    },
  })),
  {
    name: "cluster-control-plane-more",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await choose(page, ".page-actions", 1);
      await page.locator(".ant-modal input[type=radio]").last().check();
      await planned(page);
    },
  },
  {
    name: "node-detail",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await page.locator(".name-button", { hasText: "w0-0" }).click();
      await page.locator(".ant-modal :is(.table, .row-cards) a").first().waitFor();
    },
  },
  ...["", "-refused"].map((end) => ({
    name: `node-marks${end}`,
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (/** @type {Page} */ page) => {
      await page.locator(".name-button", { hasText: "w0-0" }).click();
      await page.locator(".ant-modal .ant-btn:has(.anticon-edit)").click();
      await page.locator(".pair-row").first().waitFor();
      if (!end) return;
      await page.locator(".pair-row input").first().fill("two words");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .fault-bad").waitFor();
    },
  })),
  { name: "node-menu", user: "member-a", path: `/clusters/${id(1)}/nodes`, ready: ".fault-words", act: (page) => choose(page, NODE) },
  ...(/** @type {const} */ ([["node-drain", 3], ["node-replace", 1]])).map(([name, fromEnd]) => ({
    name,
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (/** @type {Page} */ page) => {
      await page.locator("[aria-label*='w0-0'].menu-trigger").waitFor();
      await choose(page, NODE);
      await page.locator("[role=menuitem]").nth((await page.locator("[role=menuitem]").count()) - fromEnd).click();
      await dialog(page);
    },
  })),
  {
    name: "pool-add",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await page.locator(".card-extra button").first().click();
      await page.locator(".ant-modal .pool").waitFor();
    },
  },
  {
    name: "pool-add-refused",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await page.locator(".card-extra button").first().click();
      await page.locator("#f-pool-name").fill("too-late");
      await planned(page);
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .fault-bad").waitFor();
    },
  },
  {
    name: "pool-add-planned",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await page.locator(".card-extra button").first().click();
      await planned(page);
    },
  },
  ...["", "-end"].map((end) => ({
    name: `pool-add-blocked${end}`,
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (/** @type {Page} */ page) => {
      await page.locator(".card-extra button").first().click();
      await page.locator("#f-pool-flavor").selectOption("m1.impossible");
      await page.locator("#f-pool-root-volume-gib").fill("12");
      await page.locator(".ant-modal .field-error").waitFor();
      await planned(page);
      if (!end) await page.locator("#f-pool-root-volume-gib").scrollIntoViewIfNeeded();
    },
  })),
  {
    name: "pool-marks",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await choose(page, POOLS, 1);
      await page.locator(".pair-row").first().waitFor();
    },
  },
  {
    name: "pool-delete",
    user: "member-a",
    path: `/clusters/${id(1)}/nodes`,
    ready: ".fault-words",
    act: async (page) => {
      await choose(page, POOLS, 2);
      await dialog(page);
    },
  },
  { name: "cluster-operations", user: "member-a", path: `/clusters/${id(1)}/operations`, ready: ".table, .row-cards" },
  { name: "cluster-not-found", user: "member-a", path: `/clusters/${id(999)}`, ready: ".empty" },
  { name: "templates", user: "member-a", path: "/templates", ready: ".table, .row-cards" },
  { name: "templates-reader", user: "reader-a", path: "/templates", ready: ".table, .row-cards" },
  { name: "template-menu", user: "member-a", path: "/templates?of=own", ready: ".menu-trigger[aria-label*='Shop']", act: (page) => choose(page, OWN_TEMPLATE) },
  {
    name: "template-delete",
    user: "member-a",
    path: "/templates?of=own",
    ready: ".menu-trigger[aria-label*='Shop']",
    act: async (page) => {
      await choose(page, OWN_TEMPLATE, 3);
      await dialog(page);
    },
  },
  { name: "template-edit", user: "member-a", path: `/templates/${id(801)}`, ready: ".pool" },
  { name: "template-new", user: "member-a", path: "/templates/new?from=ha", ready: ".pool" },
  {
    name: "template-new-errors",
    user: "member-a",
    path: "/templates/new",
    ready: ".pool",
    act: async (page) => {
      await page.locator("#f-spec-network-pod-cidr").fill("10.0.0.0/8");
      await page.locator(".create-submit button[type=submit]").click();
      await page.locator(".fault-bad").waitFor();
    },
  },
  { name: "template-forbidden", user: "reader-a", path: `/templates/${id(801)}`, ready: ".empty" },
  {
    name: "template-save-cluster",
    user: "member-a",
    path: `/clusters/${id(1)}`,
    ready: ".conditions",
    act: async (page) => {
      await choose(page, ".page-actions", 4);
      await dialog(page);
    },
  },
  {
    name: "template-save-create",
    user: "member-a",
    path: "/clusters/new?mode=full",
    ready: ".pool",
    act: async (page) => {
      await page.locator(".create-submit button").nth(2).click();
      await dialog(page);
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").waitFor();
    },
  },
  { name: "operations", user: "member-a", path: "/operations", ready: ".table, .row-cards, .empty" },
  { name: "operation-running", user: "member-a", path: `/operations/${id(9002)}`, ready: ".step-objects, .timeline" },
  { name: "operation-blocked", user: "member-a", path: `/operations/${id(9005)}`, ready: ".fault" },
  { name: "operation-failed", user: "member-a", path: `/operations/${id(9006)}`, ready: ".fault" },
  {
    name: "operation-cancel",
    user: "member-a",
    path: `/operations/${id(9004)}`,
    ready: ".timeline",
    act: async (page) => {
      await page.locator(".progress-actions button").first().click();
      await page.locator(".ant-modal-footer").waitFor();
    },
  },
  { name: "operation-receipt", user: "member-a", path: `/operations/${id(9008)}`, ready: ".receipt-groups" },
  { name: "audit", user: "member-a", path: "/audit", ready: ".table, .row-cards" },
  ...["cluster_update", "cluster_create", "kubernetes_exec", "node_pool_delete", "token_create", "member_give"].map((action) => ({
    name: `audit-opened-${action.replaceAll("_", "-")}`,
    user: "member-a",
    path: `/audit?action=${action}`,
    ready: ".table, .row-cards",
    act: async (/** @type {Page} */ page) => {
      await page.locator("main .disclosure").first().click();
      await page.locator(".audit-detail").waitFor();
      // The line stands right below the header, not half behind it.
      await page.evaluate(() => scrollBy(0, (document.querySelector(".table, .row-cards")?.getBoundingClientRect().top ?? 0) - 72));
    },
  })),
  {
    name: "audit-more",
    user: "member-a",
    path: "/audit",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".pager-buttons button").last().click();
      await page.locator(":is(.table tbody tr, .row-cards > li):nth-child(60)").waitFor();
      await page.locator(".pager").scrollIntoViewIfNeeded();
    },
  },
  { name: "audit-filtered", user: "member-a", path: "/audit?user=member-a&outcome=accepted&from=2020-01-01T00:00:00.000Z", ready: ".table, .row-cards" },
  { name: "audit-nothing-found", user: "member-a", path: "/audit?action=node_reboot", ready: ".empty" },
  { name: "audit-none", user: "member-b", path: "/audit", ready: ".empty" },
  { name: "audit-wrong", user: "member-a", path: "/audit?cluster=not-there", ready: ".empty, .fault" },
  { name: "tokens", user: "member-a", path: "/tokens", ready: ".table, .row-cards" },
  { name: "tokens-reader", user: "reader-a", path: "/tokens", ready: ".table, .row-cards" },
  { name: "tokens-none", user: "member-b", path: "/tokens", ready: ".empty" },
  {
    name: "tokens-more",
    user: "member-a",
    path: "/tokens?state=valid",
    ready: ".token-more",
    act: (page) => page.locator(".token-more summary").click(),
  },
  {
    name: "token-create",
    user: "member-a",
    path: "/tokens",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".page-actions button").click();
      await dialog(page);
    },
  },
  {
    name: "token-create-reader",
    user: "reader-a",
    path: "/tokens",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".page-actions button").click();
      await page.locator(".ant-modal input[name=token-may]").last().check();
      await page.locator(".ant-modal .permissions").waitFor();
    },
  },
  ...["", "-end"].map((end) => ({
    name: `token-create-chosen${end}`,
    user: "member-a",
    path: "/tokens",
    ready: ".table, .row-cards",
    act: async (/** @type {Page} */ page) => {
      await page.locator(".page-actions button").click();
      for (const name of ["token-lifetime", "token-may", "token-clusters"]) await takeLast(page, `.ant-modal input[name=${name}]`);
      await page.locator(".token-clusters").waitFor();
      await page.locator("#f-token-namespaces").fill("Shop");
      await page.locator("#f-token-cidrs").fill("192.0.2.0/33");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").first().waitFor();
      if (end) await page.locator(".ant-modal-footer").scrollIntoViewIfNeeded();
    },
  })),
  {
    name: "token-refused",
    user: "member-a",
    path: "/tokens",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".page-actions button").click();
      await page.locator("#f-token-name").fill("one too many");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .fault-bad").waitFor();
      await page.locator(".ant-modal-footer").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "token-issued",
    user: "member-a",
    path: "/tokens",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".page-actions button").click();
      await page.locator("#f-token-name").fill("release job");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator("[data-testid=token]").waitFor();
    },
  },
  {
    name: "token-revoke",
    user: "member-a",
    path: "/tokens",
    ready: "button[aria-label$='dashboard']",
    act: async (page) => {
      await page.locator("button[aria-label$='dashboard']").click();
      await dialog(page);
    },
  },
  { name: "members", user: "owner-a", path: "/members", ready: ".table, .row-cards" },
  { name: "members-more", user: "owner-a", path: "/members?search=deploy", ready: ".places-more", act: (page) => page.locator(".places-more summary").click() },
  { name: "members-nothing-found", user: "owner-a", path: "/members?search=zzz", ready: ".empty" },
  { name: "members-of-others", user: "member-a", path: "/members", ready: ".table, .row-cards" },
  { name: "members-guest", user: "guest-a", path: "/members", ready: ".table, .row-cards" },
  {
    name: "member-menu",
    user: "owner-a",
    path: "/members?search=gone",
    ready: ".menu-small",
    act: (page) => choose(page, ".menu-small"),
  },
  {
    name: "member-give",
    user: "owner-a",
    path: "/members?search=guest",
    ready: ".menu-small",
    act: async (page) => {
      await choose(page, ".menu-small", 0);
      await dialog(page);
    },
  },
  {
    name: "member-give-wrong",
    user: "owner-a",
    path: "/members?search=guest",
    ready: ".menu-small",
    act: async (page) => {
      await choose(page, ".menu-small", 0);
      const places = page.locator(".place");
      await places.waitFor();
      for (let row = 1; row <= 2; row += 1) {
        // A button that moves between press and release was not clicked: each row that comes moves it.
        await settled(page);
        await page.locator(".ant-modal .ant-btn-dashed").click();
        await places.nth(row).waitFor();
      }
      await page.locator("#f-member-places-1-cluster").selectOption({ index: 1 });
      await page.locator("#f-member-places-1-namespace").fill("Shop_2");
      await places.nth(2).locator("select").nth(1).selectOption("whole");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").nth(1).waitFor();
      await page.locator(".ant-modal-footer").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "member-give-nowhere",
    user: "owner-a",
    path: "/members?search=reader-a",
    ready: ".menu-small",
    act: async (page) => {
      await choose(page, ".menu-small", 0);
      await page.locator(".ant-modal input[name=member-role]").nth(3).check();
      await page.locator(".ant-modal-footer").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "member-reset",
    user: "owner-a",
    path: "/members?search=member-c",
    ready: ".menu-small",
    act: async (page) => {
      await choose(page, ".menu-small", 1);
      await dialog(page);
    },
  },
  { name: "roles", user: "owner-a", path: "/members?tab=roles", ready: ".table, .row-cards" },
  { name: "roles-of-others", user: "reader-a", path: "/members?tab=roles", ready: ".table, .row-cards" },
  { name: "roles-none", user: "member-b", path: "/members?tab=roles", ready: ".empty" },
  {
    name: "role-create",
    user: "owner-a",
    path: "/members?tab=roles",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".page-actions button").click();
      await page.locator("#f-role-name").fill("Release");
      await page.locator(".ant-modal .permissions input").first().check();
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").waitFor();
    },
  },
  {
    name: "role-delete",
    user: "owner-a",
    path: "/members?tab=roles",
    ready: ".table, .row-cards",
    act: async (page) => {
      await choose(page, ".menu-small[class]:has([aria-label*='call'])", 1);
      await dialog(page);
    },
  },
  { name: "guest-overview", user: "guest-a", path: "/", ready: ".phase-counts" },
  { name: "guest-clusters", user: "guest-a", path: "/clusters", ready: ".table, .row-cards" },
  { name: "guest-cluster", user: "guest-a", path: `/clusters/${id(1)}`, ready: ".conditions" },
  { name: "guest-pods", user: "guest-a", path: `/clusters/${id(1)}/workloads?kind=pods`, ready: ".table, .row-cards" },
  { name: "guest-audit", user: "guest-a", path: "/audit", ready: ".empty" },
  { name: "device", user: "member-a", path: "/device", ready: ".device form" },
  { name: "device-unknown", user: "member-a", path: "/device?code=ZZZZ-ZZZZ", ready: ".device .fault-warn" },
  { name: "device-question", user: "member-a", path: "/device?code=BCDF-GHJK", ready: "[data-testid=code]" },
  {
    name: "device-refused",
    user: "member-a",
    path: "/device?code=XCDF-GHJK",
    ready: "[data-testid=code]",
    act: async (page) => {
      await page.locator(".device .ant-btn-primary").click();
      await page.locator(".device .fault-bad").waitFor();
    },
  },
  {
    name: "device-allowed",
    user: "member-a",
    path: "/device?code=BCDF-GHJK",
    ready: "[data-testid=code]",
    act: async (page) => {
      await page.locator(".device .ant-btn-primary").click();
      await page.locator(".device [role=status]").waitFor();
    },
  },
  { name: "admin-audit", user: "operator", path: "/admin/audit", ready: ".table, .row-cards, .empty" },
  {
    name: "admin-audit-opened",
    user: "operator",
    path: "/admin/audit?action=orphan_decide",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("main .disclosure").first().click();
      await page.locator(".audit-detail").waitFor();
    },
  },
  { name: "admin-audit-forbidden", user: "member-a", path: "/admin/audit", ready: ".empty" },
  { name: "admin-clusters", user: "operator", path: "/admin/clusters", ready: ".definitions" },
  { name: "admin-clusters-nothing-found", user: "operator", path: "/admin/clusters?version=v1.1", ready: ".empty" },
  {
    name: "admin-write-off",
    user: "operator",
    path: "/admin/clusters?search=retired",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".ant-btn-dangerous").click();
      await dialog(page);
    },
  },
  {
    name: "admin-written-off",
    user: "operator",
    path: "/admin/clusters?search=retired",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".ant-btn-dangerous").click();
      await page.locator(".ant-modal input").fill("retired");
      await page.locator(".ant-modal-footer .ant-btn-dangerous").click();
      await page.locator(".receipt-unseen").waitFor();
    },
  },
  { name: "quota", user: "member-a", path: "/quota", ready: ".table, .row-cards" },
  { name: "quota-unlimited", user: "member-b", path: "/quota", ready: ".empty" },
  { name: "quota-reader", user: "reader-a", path: "/quota", ready: ".table, .row-cards" },
  { name: "quota-guest", user: "guest-a", path: "/quota", ready: ".empty" },
  {
    name: "quota-withdraw",
    user: "member-a",
    path: "/quota",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(":is(.table, .row-cards) button").first().click();
      await dialog(page);
    },
  },
  {
    name: "quota-ask",
    user: "member-b",
    path: "/quota",
    ready: ".empty",
    act: async (page) => {
      await page.locator(".page-actions button").click();
      await page.locator("#f-ask-wanted-clusters").fill("3");
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").first().waitFor();
    },
  },
  {
    name: "create-over-limit",
    user: "member-a",
    path: "/clusters/new",
    ready: ".checks",
    act: async (page) => {
      await page.locator("input[value=ha]").check();
      await page.locator(".checks a[href='/quota']").first().waitFor();
    },
  },
  { name: "admin-tenants", user: "operator", path: "/admin/tenants", ready: ".table, .row-cards, .empty" },
  { name: "admin-tenants-nothing-found", user: "operator", path: "/admin/tenants?search=zzz", ready: ".empty" },
  { name: "admin-tenants-forbidden", user: "member-a", path: "/admin/tenants", ready: ".empty" },
  {
    name: "admin-tenant-set",
    user: "operator",
    path: "/admin/tenants?asks=true",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(":is(.table, .row-cards) button[aria-label*='tenant-a']").click();
      await page.locator("#f-tenant-limits-clusters").fill("2");
      await page.locator(".ant-modal input[name=tenant-versions]").last().check();
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").waitFor();
    },
  },
  { name: "admin-requests", user: "operator", path: "/admin/tenants?tab=requests", ready: ".table, .row-cards" },
  { name: "admin-requests-all", user: "operator", path: "/admin/tenants?tab=requests&state=all", ready: ".table, .row-cards" },
  ...["approve", "decline"].map((name, item) => ({
    name: `admin-request-${name}`,
    user: "operator",
    path: "/admin/tenants?tab=requests",
    ready: ".table, .row-cards",
    act: async (/** @type {Page} */ page) => {
      await page.locator(":is(.table tbody tr, .row-cards > li) .row button").nth(item).click();
      await page.locator(".ant-modal .quota").waitFor();
      if (item === 0) return;
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").waitFor();
    },
  })),
  { name: "admin-orphans", user: "operator", path: "/admin/orphans", ready: ".table, .row-cards, .empty" },
  {
    name: "admin-orphan-remove",
    user: "operator",
    path: "/admin/orphans",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".menu-small .menu-trigger").nth(1).click();
      await page.locator("[role=menuitem]").last().click();
      await page.locator(".ant-modal-footer").waitFor();
    },
  },
  { name: "admin-keys", user: "operator", path: "/admin/keys", ready: ".table, .row-cards" },
  { name: "admin-keys-forbidden", user: "member-a", path: "/admin/keys", ready: ".empty" },
  { name: "admin-health", user: "operator", path: "/admin/health", ready: ".definitions" },
  { name: "admin-health-forbidden", user: "member-a", path: "/admin/health", ready: ".empty" },
  { name: "admin-orphans-forbidden", user: "member-a", path: "/admin/orphans", ready: ".empty" },
  { name: "admin-queue", user: "operator", path: "/admin/operations", ready: ".table, .row-cards" },
  { name: "admin-queue-nothing-found", user: "operator", path: "/admin/operations?search=zzz", ready: ".empty" },
  { name: "admin-queue-forbidden", user: "member-a", path: "/admin/operations", ready: ".empty" },
  {
    name: "admin-queue-pause",
    user: "operator",
    path: "/admin/operations",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".card-head button").first().click();
      await dialog(page);
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").waitFor();
    },
  },
  { name: "admin-announcements", user: "operator", path: "/admin/announcements", ready: ".table, .row-cards" },
  {
    name: "admin-announcement-new",
    user: "operator",
    path: "/admin/announcements",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator(".page-actions button").click();
      await dialog(page);
      await page.locator(".ant-modal-footer .ant-btn-primary").click();
      await page.locator(".ant-modal .field-error").first().waitFor();
    },
  },
  { name: "admin-announcements-forbidden", user: "member-a", path: "/admin/announcements", ready: ".empty" },
  { name: "admin-catalogue", user: "operator", path: "/admin/catalogue", ready: ".table, .row-cards" },
  {
    name: "admin-catalogue-image",
    user: "operator",
    path: "/admin/catalogue",
    ready: "a[href^='#image-']",
    act: async (page) => {
      await page.locator("a[href^='#image-']").first().click();
      await page.locator("[id^='image-']:target").waitFor();
    },
  },
  { name: "admin-catalogue-forbidden", user: "member-a", path: "/admin/catalogue", ready: ".empty" },
  { name: "admin-settings", user: "operator", path: "/admin/settings", ready: ".table, .row-cards, .empty" },
  { name: "admin-settings-forbidden", user: "member-a", path: "/admin/settings", ready: ".empty" },
  {
    name: "admin-settings-tested",
    user: "operator",
    path: "/admin/settings",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("#f-settings-limits-clusters-per-project").fill("2");
      await page.locator("#f-settings-audit-forward").fill("https://down.example.org/in");
      await page.locator("main form button[type=submit]").click();
      await page.locator(".checks").waitFor();
      await page.locator(".field-error").first().waitFor();
    },
  },
  {
    name: "admin-settings-save",
    user: "operator",
    path: "/admin/settings",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("#f-settings-limits-clusters-per-project").fill("2");
      await page.locator("main form button[type=submit]").click();
      await dialog(page);
    },
  },
  { name: "admin-people", user: "operator", path: "/admin/people", ready: ".table, .row-cards" },
  { name: "admin-people-nothing-found", user: "operator", path: "/admin/people?search=zzz", ready: ".empty" },
  {
    name: "admin-person-cut-off",
    user: "operator",
    path: "/admin/people",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("button[aria-label$='member-a']").click();
      await dialog(page);
    },
  },
  {
    name: "admin-person-access",
    user: "operator",
    path: "/admin/people",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("button[aria-label*=' member-a ']").click();
      await page.locator(".ant-modal :is(.table, .row-cards)").waitFor();
    },
  },
  {
    name: "admin-person-access-end",
    user: "operator",
    path: "/admin/people",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("button[aria-label*=' member-a ']").click();
      await page.locator(".ant-modal .ant-btn-dangerous").nth(1).click();
      await page.locator(".ant-modal-footer .ant-btn-dangerous").waitFor();
    },
  },
  {
    name: "admin-person-access-none",
    user: "operator",
    path: "/admin/people",
    ready: ".table, .row-cards",
    act: async (page) => {
      await page.locator("button[aria-label*=' member-c ']").click();
      await page.locator(".ant-modal .empty").waitFor();
    },
  },
  { name: "admin-people-forbidden", user: "member-a", path: "/admin/people", ready: ".empty" },
  { name: "admin-forbidden", user: "member-a", path: "/admin/clusters", ready: ".empty" },
  { name: "not-found", user: "member-a", path: "/no-such-page", ready: ".empty" },
  {
    name: "menus",
    user: "member-a",
    path: "/clusters",
    ready: ".table, .row-cards, .empty",
    act: async (page) => {
      await page.locator(".project-menu .menu-trigger").click();
    },
  },
  {
    name: "side-menu",
    user: "operator",
    path: "/clusters",
    ready: ".table, .row-cards, .empty",
    act: async (page) => {
      const button = page.locator(".top-menu");
      if (await button.isVisible()) await button.click();
    },
  },
];

/** Whether a screen shows data that only the stand-in has. @param {{ name: string, path: string }} screen */
const standInOnly = (screen) => screen.path.includes("0199c0de") || /^(audit-(opened|more|none)|admin-audit-opened|tokens|token-re|members|member-|role|guest-|device-|quota|admin-request|admin-tenant-set|admin-settings-(tested|save)|admin-person|create-(over|cloud))/.test(screen.name) || ["create-blocked", "admin-orphan-remove", "admin-write-off", "admin-written-off"].includes(screen.name);

/** A language and a width, and the themes to look at. */
const variants = ["zh-CN", "en-US"].flatMap((language) =>
  [1440, 390].map((width) => ({ language, width, themes: /** @type {const} */ (["light", "dark"]).filter((theme) => `${language}-${theme}-${width}`.includes(process.env.VARIANT ?? "")) })),
).filter(({ themes }) => themes.length > 0);

/** @type {string[]} */
const findings = [];
let count = 0;

/** What changes with the theme, of what axe looks at. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/** In the theme that comes second nothing but the colours differs, and the rest was looked at. @param {Page} page @param {string} where @param {boolean} first */
async function check(page, where, first) {
  // What has scrolled half under the bar at the top is not too small because of that.
  await page.evaluate(() => scrollTo(0, 0));
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const rules = first ? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] : COLOURS;
  const violations = await page.evaluate(async (runOnly) => {
    // @ts-ignore: put there by the line above
    const result = await window.axe.run(document, { runOnly, resultTypes: ["violations"] });
    return result.violations.map((/** @type {{ id: string, nodes: { html: string, failureSummary: string }[] }} */ found) => `${found.id} ×${found.nodes.length}: ${found.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} :: ${node.failureSummary.replaceAll("\n", " ").slice(0, 260)}`).join(" || ")}`);
  }, rules);
  for (const violation of violations) findings.push(`${where}: axe ${violation}`);
  if (!first) return;
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const cut = await page.evaluate(() => {
    const box = document.querySelector("[role=dialog] .ant-modal-body");
    return box ? box.scrollWidth - box.clientWidth : 0;
  });
  if (cut > 1) findings.push(`${where}: the dialog is ${cut} px too narrow for what is in it`);
  if (sideways > 1) findings.push(`${where}: the page scrolls sideways by ${sideways} px`);
}

/** @param {unknown} error */
const firstLines = (error) => String(error).split("\n").slice(0, 3).join(" ");

/** Takes the last of some radio buttons, and waits until it is taken. @param {Page} page @param {string} buttons */
async function takeLast(page, buttons) {
  const last = page.locator(buttons).last();
  await last.click();
  await last.and(page.locator(":checked")).waitFor();
}

/** Goes to a screen as a link does, and waits until it is there. @param {Page} page @param {(typeof screens)[number]} screen */
async function follow(page, screen) {
  // By way of a page that is like no other, so that nothing of the last screen is taken for this one. The router hears of what is pushed.
  const to = (/** @type {string} */ path) => page.evaluate((p) => history.pushState(null, "", p), path);
  await to("/no-such-page");
  await page.waitForFunction(() => {
    const between = document.querySelector("main.fallback");
    between?.setAttribute("data-between", "");
    return between !== null;
  });
  if (screen.path === "/no-such-page") return;
  await to(screen.path);
  await page.waitForFunction(() => !document.querySelector("[data-between]"));
  if (screen.ready) await shown(page, screen.ready);
}

/** Loads a screen as an address typed does, and waits until it is there. @param {Page} page @param {(typeof screens)[number]} screen */
async function load(page, screen) {
  await page.goto(`${baseUrl}${screen.path}`);
  if (screen.ready) await shown(page, screen.ready);
}

/** @param {Page} page @param {"light" | "dark"} theme */
async function wear(page, theme) {
  await page.emulateMedia({ colorScheme: theme });
  await page.locator(`html[data-theme=${theme}]`).waitFor({ state: "attached" });
  await settled(page);
}

/** The page's requests that have no answer yet; that of a log is there when it begins, and nothing on a page waits for an event. @param {Page} page */
function unanswered(page) {
  /** @type {Set<import("playwright-core").Request>} */
  const pending = new Set();
  page.on("request", (request) => {
    if (!new URL(request.url()).pathname.endsWith("/events")) pending.add(request);
  });
  page.on("requestfinished", (request) => pending.delete(request));
  page.on("requestfailed", (request) => pending.delete(request));
  page.on("response", (response) => {
    if (response.headers()["content-type"]?.startsWith("text/plain")) pending.delete(response.request());
  });
  return pending;
}

/**
 * Waits until the page has an answer to all that it asked for, so that nothing of it is still to come when it is looked at. Two seconds at most:
 * then it is said what was looked at without.
 * @param {Page} page
 * @param {ReturnType<typeof unanswered>} pending
 * @param {string} where
 */
async function answered(page, pending, where) {
  const until = Date.now() + 2_000;
  do await page.evaluate(() => new Promise(requestAnimationFrame));
  while (pending.size > 0 && Date.now() < until);
  if (pending.size > 0) console.error(`${where}: looked at before there was an answer to ${urls(pending)}`);
}

/** @param {ReturnType<typeof unanswered>} pending */
const urls = (pending) => [...pending].map((request) => request.url()).join(", ");

const wanted = screens.filter((screen) => only.some((part) => screen.name.includes(part)) && (!process.env.KCS_URL || !standInOnly(screen)));

/** What each page walks: one person's screens in one language and width. The longest come first. */
const walks = variants
  .flatMap((variant) => [...new Set(wanted.map((screen) => screen.user))].map((user) => ({ ...variant, user, own: wanted.filter((screen) => screen.user === user) })))
  .toSorted((one, other) => other.own.length - one.own.length);

/** Opens each screen once and looks at it in every theme. @param {import("playwright-core").Browser} browser @param {(typeof walks)[number]} what */
async function walk(browser, { language, width, themes, user, own }) {
  const context = await browser.newContext({ viewport: { width, height: width > 1000 ? 900 : 844 }, locale: language, reducedMotion: "reduce" });
  await context.addInitScript((chosen) => localStorage.setItem("kcs.language", chosen), language);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const errors = collectErrors(page);
  const pending = unanswered(page);
  // The theme that the page wears already comes first: each screen changes it once.
  let order = themes;
  if (user) await signIn(page, user, password);
  for (const screen of own) {
    let where = `${screen.name}-${language}-${width}`;
    try {
      await (user ? follow : load)(page, screen).catch((error) => {
        // Seen about once in a thousand pages on a busy machine, and not understood: said, with what was still on its way.
        console.error(`${where}: opened a second time: ${firstLines(error)}; unanswered: ${urls(pending)}`);
        // What a page asked for that is left may never be said to have ended.
        pending.clear();
        return load(page, screen);
      });
      await answered(page, pending, where);
      if (screen.act) {
        await screen.act(page);
        await answered(page, pending, where);
      }
      for (const theme of order) {
        where = `${screen.name}-${language}-${theme}-${width}`;
        await wear(page, theme);
        await check(page, where, theme === order[0]);
        if (out) await page.screenshot({ path: `${out}/${where}.png`, fullPage: !screen.act && screen.name !== "cluster-logs" });
        count += 1;
      }
      order = order.toReversed();
    } catch (error) {
      findings.push(`${where}: ${firstLines(error)}`);
      if (out) await page.screenshot({ path: `${out}/${where}-error.png` });
    }
    for (const error of errors.splice(0)) findings.push(`${where}: console ${error}`);
  }
  await context.close();
}

const browser = await launch();
try {
  // One more at a time than there are processors: while a page waits for a frame or an answer, another keeps its processor busy.
  const left = [...walks];
  const lane = async () => {
    for (let next = left.shift(); next; next = left.shift()) await walk(browser, next);
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, lane));
} finally {
  await browser.close();
}
for (const finding of findings) console.error(finding);
console.log(`${count} screens, ${findings.length} findings${out ? `; pictures in ${out}` : ""}`);
process.exit(findings.length > 0 ? 1 : 0);
