// @ts-check
// What goes wrong, as a person sees it: a quota that is short and a host that is not found, each with its code, the cloud's own words and a
// remedy; retry in the console finishes what was begun; a dead control plane node makes the cluster degraded, and the console says why.
// KCS_URL, KCS_PASSWORD, and KCS_CLOUD_URL: the local cloud, whose faults are set. KCS_SCREENS: folder for pictures. ONLY: some of quota,capacity,master.
import { mkdirSync } from "node:fs";
import { baseUrl, collectErrors, launch, password, signIn } from "./browser.mjs";

const cloud = process.env.KCS_CLOUD_URL;
if (!cloud || !process.env.KCS_URL) throw new Error("KCS_URL and KCS_CLOUD_URL are needed");
const pictures = process.env.KCS_SCREENS;
if (pictures) mkdirSync(pictures, { recursive: true });
const only = (process.env.ONLY ?? "quota,capacity,master").split(",");

/** @param {string} method @param {string} path @param {unknown} [body] */
async function steer(method, path, body) {
  const response = await fetch(`${cloud}/_local/${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

/** @param {unknown} truth @param {string} what */
function must(truth, what) {
  if (!truth) throw new Error(`not so: ${what}`);
  console.log(`ok  ${what}`);
}

const browser = await launch();
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "zh-CN" })).newPage();
page.setDefaultTimeout(30_000);
const errors = collectErrors(page);
const picture = async (/** @type {string} */ what) => {
  if (pictures) await page.screenshot({ path: `${pictures}/fault-${what}.png`, fullPage: true });
};

/** Creates from a template; answers with the operation's page shown. @param {string} name @param {string} template */
async function create(name, template) {
  await page.goto(`${baseUrl}/clusters/new?template=${template}`);
  await page.locator("#f-name").fill(name);
  await page.locator(".checks").waitFor();
  await page.locator(".create-submit button[type=submit]").click();
  await page.waitForURL(/\/operations\//);
  await page.locator(".timeline-step").first().waitFor();
}

/** @param {string} tone @param {number} seconds */
const ends = (tone, seconds) => page.locator(`.progress-head .status.tone-${tone}`).waitFor({ timeout: seconds * 1000 });

/** @param {string} name */
async function remove(name) {
  await page.goto(`${baseUrl}/clusters?search=${name}`);
  await page.getByRole("link", { name, exact: true }).click();
  await page.locator(".page-actions .ant-btn-dangerous").click();
  await page.locator(".ant-modal .field input").last().fill(name);
  await page.locator(".ant-modal-footer .ant-btn-dangerous:not([disabled])").click();
  await page.waitForURL(/\/operations\//);
  await ends("ok", 180);
  await page.locator(".receipt-left").waitFor();
  must((await page.locator(".receipt-left").getAttribute("data-count")) === "0", `${name} is deleted and nothing is left`);
}

/** @type {[string, () => Promise<void>][]} */
const parts = [
  [
    "quota",
    async () => {
      await steer("POST", "faults", { service: "compute", method: "POST", path: "/servers$", count: null, effect: { kind: "quota", resource: "cores" } });
      await create("fault-quota", "dev");
      await ends("warn", 60);
      const fault = (await page.locator(".fault").first().textContent()) ?? "";
      must(fault.includes("KCS-QUOTA-001"), "a short quota blocks with its code");
      must(/quota/i.test((await page.locator(".fault-words pre").first().textContent()) ?? ""), "the cloud's own words are shown");
      must((await page.title()).startsWith("⚠"), "the window's title says so");
      await picture("quota");
      await steer("DELETE", "faults");
      await page.locator(".progress-actions .ant-btn-primary").click();
      await ends("ok", 240);
      must(true, "retry goes on and finishes");
      await remove("fault-quota");
    },
  ],
  [
    "capacity",
    async () => {
      await steer("POST", "faults", { service: "compute", method: "POST", path: "/servers$", count: null, effect: { kind: "error", text: "No valid host was found. There are not enough hosts available." } });
      await create("fault-capacity", "dev");
      await ends("bad", 180);
      must(((await page.locator(".fault").first().textContent()) ?? "").includes("KCS-CMP-001"), "no room fails with its code");
      must(/No valid host/.test((await page.locator(".fault-words pre").first().textContent()) ?? ""), "the cloud's own words are shown");
      await picture("capacity");
      await steer("DELETE", "faults");
      await page.locator(".progress-actions .ant-btn-primary").click();
      await ends("ok", 240);
      must(true, "retry goes on and finishes");
      await remove("fault-capacity");
    },
  ],
  [
    "master",
    async () => {
      await create("fault-master", "ha");
      await ends("ok", 400);
      await page.locator(".page-actions a").click();
      await page.locator(".page-title .status.tone-ok").waitFor();
      const cluster = page.url();
      await page.goto(`${cluster}/nodes`);
      await page.locator(".card").nth(1).locator("tbody tr").nth(2).waitFor();
      const master = ((await page.locator(".card").nth(1).locator("tbody th span").first().textContent()) ?? "").trim();
      await steer("POST", `servers/${master}/crash`);
      await page.goto(cluster);
      await page.locator(".page-title .status.tone-warn").waitFor({ timeout: 120_000 });
      // Waited for: in the seconds in which the load balancer still leads to the dead master, what is said first is that the API does not answer.
      await page.locator(".conditions", { hasText: master }).waitFor({ timeout: 60_000 });
      must(true, `the console says degraded, and names ${master}`);
      await picture("degraded");
      await page.goto(`${baseUrl}/clusters?search=fault-master`);
      await page.locator(".state-cell", { has: page.locator(".status.tone-warn"), hasText: master }).waitFor();
      must(true, "so does the list of clusters");
      await page.goto(`${cluster}/nodes`);
      await page.waitForFunction((name) => {
        const unwell = [...document.querySelectorAll("tbody tr")].filter((row) => row.querySelector(".status.tone-warn"));
        return unwell.length === 1 && unwell[0]?.textContent.includes(name);
      }, master);
      must(true, "and the list of nodes, of this one alone");
      await page.goto(cluster);
      await steer("POST", `servers/${master}/start`);
      await page.locator(".page-title .status.tone-ok").waitFor({ timeout: 240_000 });
      must(true, "started again, it heals, and the console follows by itself");
      await remove("fault-master");
    },
  ],
];

let failure;
try {
  await signIn(page, "member-a", password);
  for (const [name, part] of parts.filter(([title]) => only.includes(title))) {
    console.log(name);
    await part();
  }
  must(errors.length === 0, `the browser's console is empty ${errors.join("; ")}`);
} catch (error) {
  failure = error;
  await picture("failure");
  console.error(`${page.url()}\n${String(error)}\n${await page.locator("main").innerText()}`);
} finally {
  await steer("DELETE", "faults").catch(() => undefined);
  await browser.close();
}
process.exit(failure ? 1 : 0);
