// @ts-check
// A person's look around a cluster that runs, in a real browser: sign in, find it, its health, its nodes and what one of them wrote to its console, its
// add-ons, a Deployment, the log of one of its pods, its cloud objects; a kubeconfig is issued and saved. Nothing else is changed.
// KCS_URL, KCS_PASSWORD, KCS_USER (member-a); KCS_CLUSTER: its name; KCS_NODES: how many it has; KCS_DEPLOYMENT: one whose pods write "serving as" and their
// name; KCS_KUBECONFIG: where the kubeconfig goes; KCS_SCREENS: folder for pictures.
import { mkdirSync } from "node:fs";
import { baseUrl, collectErrors, issueKubeconfig, launch, password, settled, signIn } from "./browser.mjs";

const { KCS_USER: user = "member-a", KCS_CLUSTER: name, KCS_DEPLOYMENT: deployment, KCS_KUBECONFIG: saved, KCS_SCREENS: pictures } = process.env;
const count = Number(process.env.KCS_NODES);
if (!process.env.KCS_URL || !name || !deployment || !saved || !count) throw new Error("KCS_URL, KCS_CLUSTER, KCS_NODES, KCS_DEPLOYMENT and KCS_KUBECONFIG are needed");
if (pictures) mkdirSync(pictures, { recursive: true });

const begun = Date.now();
const browser = await launch();
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "zh-CN", acceptDownloads: true })).newPage();
page.setDefaultTimeout(30_000);
const errors = collectErrors(page);
let shots = 0;
const picture = async (/** @type {string} */ what) => {
  if (pictures) await page.screenshot({ path: `${pictures}/walk-${String(++shots).padStart(2, "0")}-${what}.png`, fullPage: true });
};
/** What was seen is told, and kept as a picture. @param {string} what @param {string} text */
const seen = async (what, text) => {
  console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${text}`);
  await picture(what);
};
const tab = (/** @type {string} */ path) => page.locator(`.tabs a[href$="/${path}"]`).click();
/** Waits until there are so many rows, or more, and all is well in each. @param {string} rows @param {number} least @param {string} [word] that each says */
const well = (rows, least, word = "") =>
  page.waitForFunction(
    (wanted) => {
      const found = [...document.querySelectorAll(wanted.rows)];
      const fine = (/** @type {Element} */ row) => row.textContent.includes(wanted.word) && row.querySelector(".status.tone-ok") !== null && row.querySelector(".status:not(.tone-ok)") === null;
      return found.length >= wanted.least && found.every(fine);
    },
    { rows, least, word },
  );
const rowOf = (/** @type {string | RegExp} */ header) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: header, exact: true }) });
const closed = async () => {
  await page.keyboard.press("Escape");
  await page.locator(".ant-modal-mask").first().waitFor({ state: "hidden" });
};

let failure;
try {
  await signIn(page, user, password);
  await page.locator(".phase-counts").waitFor();
  await seen("overview", `signed in as ${user}`);

  await page.goto(`${baseUrl}/clusters?search=${name}`);
  await page.getByRole("link", { name, exact: true }).click();
  await page.locator(".page-title .status.tone-ok").waitFor();
  await well(".conditions > li", 5);
  await seen("cluster", "it runs, and every condition is well");

  await tab("nodes");
  await well(".card:nth-child(2) tbody tr", count, "ACTIVE");
  const nodes = await page.locator(".card:nth-child(2) tbody tr").count();
  if (nodes !== count) throw new Error(`${nodes} nodes are shown, ${count} there are`);
  await seen("nodes", `${nodes} nodes, Ready, with their servers`);
  await page.locator(".card:nth-child(2) tbody .menu-trigger").first().click();
  await page.locator("[role=menuitem]").first().click();
  await page.locator(".ant-modal pre.console", { hasText: /cloud-init|kcs-bootstrap|systemd/ }).waitFor();
  await settled(page);
  await seen("console", "what a node wrote to its console as it booted");
  await closed();

  await tab("addons");
  await well("tbody tr", 4);
  await seen("addons", `${await page.locator("tbody tr").count()} add-ons are ready`);

  await tab("workloads");
  await rowOf(deployment).locator(".status.tone-ok").waitFor();
  await seen("deployments", `the Deployment ${deployment} is there`);
  await page.locator(".chip").nth(1).click();
  const pod = rowOf(new RegExp(`^${deployment}-`)).first();
  await pod.locator(".status.tone-ok").waitFor();
  const podName = ((await pod.getByRole("rowheader").textContent()) ?? "").trim();
  await seen("pods", `its pod ${podName} runs`);
  await pod.getByRole("link").click();
  await page.locator(".log-state .status.tone-ok").waitFor();
  // Only the lines in view are on the page, and this is its first.
  await page.locator("input.search-box, .search-box input").fill("serving as");
  await page.locator(".log-text", { hasText: `serving as ${podName}` }).waitFor();
  await seen("log", "its log is followed, and says what it wrote first");

  await tab("objects");
  await page.locator("tbody tr").nth(count).waitFor();
  await seen("objects", `${await page.locator("tbody tr").count()} objects of the cloud`);

  await tab("kubeconfigs");
  await page.locator(".card-extra .ant-btn-primary").click();
  const { download } = await issueKubeconfig(page);
  await download.saveAs(saved);
  await seen("kubeconfig", "a kubeconfig is issued and saved");
  await closed();
  if (errors.length > 0) throw new Error(`the browser's console is not empty: ${errors.join("; ")}`);
} catch (error) {
  failure = error;
  await picture("failure");
  const shown = await page.locator("main, .ant-modal").allInnerTexts();
  console.error([page.url(), ...shown, ...errors, String(error)].join("\n"));
} finally {
  await browser.close();
}
process.exit(failure ? 1 : 0);
