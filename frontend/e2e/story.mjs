// @ts-check
// The main job in a real browser: sign in, create a cluster from the template, watch its steps until it runs, look at its nodes and pods,
// issue and revoke a kubeconfig, delete it, and read in the receipt that nothing is left.
// KCS_URL, KCS_USER (member-a), KCS_PASSWORD; KCS_CLUSTER: name; CREATE_SECONDS, DELETE_SECONDS: limits; KCS_SCREENS: folder for pictures.
// Without KCS_URL the stand-in server is started, which shows only that the pages hang together.
import { mkdirSync } from "node:fs";
import { baseUrl, collectErrors, issueKubeconfig, launch, password, settled, signIn } from "./browser.mjs";

const user = process.env.KCS_USER ?? "member-a";
const name = process.env.KCS_CLUSTER ?? `story-${Date.now().toString(36).slice(-6)}`;
const createLimit = Number(process.env.CREATE_SECONDS ?? 600) * 1000;
const deleteLimit = Number(process.env.DELETE_SECONDS ?? 300) * 1000;
const pictures = process.env.KCS_SCREENS;
if (pictures) mkdirSync(pictures, { recursive: true });

const begun = Date.now();
const say = (/** @type {string} */ text) => console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${text}`);
/** @param {unknown} truth @param {string} what */
function must(truth, what) {
  if (!truth) throw new Error(`not so: ${what}`);
}

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "zh-CN", acceptDownloads: true });
const page = await context.newPage();
page.setDefaultTimeout(30_000);
const errors = collectErrors(page);
let shots = 0;
const picture = async (/** @type {string} */ what) => {
  if (pictures) await page.screenshot({ path: `${pictures}/story-${String(++shots).padStart(2, "0")}-${what}.png`, fullPage: true });
};

/** Watches the timeline until the operation has ended; answers the steps seen running and the percentages shown. @param {number} limit */
async function watch(limit) {
  await page.locator(".timeline-step").first().waitFor();
  const ran = new Set();
  /** @type {number[]} */
  const percents = [];
  const until = Date.now() + limit;
  let last = "";
  for (;;) {
    const seen = await page.evaluate(() => ({
      running: [...document.querySelectorAll(".timeline-step.look-running h3")].map((heading) => heading.textContent ?? ""),
      percent: Number.parseInt(document.querySelector(".progress-percent")?.textContent ?? "0", 10),
      tone: document.querySelector(".progress-head .status")?.className ?? "",
      fault: document.querySelector(".fault")?.textContent ?? "",
      title: document.title,
    }));
    for (const step of seen.running) ran.add(step);
    if (percents.at(-1) !== seen.percent) percents.push(seen.percent);
    if (seen.running[0] && seen.running[0] !== last) {
      last = seen.running[0];
      say(`  ${String(seen.percent).padStart(3)} %  ${last}  [${seen.title}]`);
      await picture(`step-${ran.size}`);
    }
    if (seen.tone.includes("tone-ok")) return { ran: [...ran], percents };
    if (seen.tone.includes("tone-bad")) throw new Error(`the operation failed: ${seen.fault}`);
    if (Date.now() > until) throw new Error(`not ended within ${limit / 1000} s; running: ${seen.running.join(", ")}; ${seen.fault}`);
    await page.waitForTimeout(150);
  }
}

let failure;
try {
  await signIn(page, user, password);
  say(`signed in as ${user}`);
  await page.locator("h1").first().waitFor();
  await picture("overview");

  await page.goto(`${baseUrl}/clusters/new`);
  await page.locator("#f-name").fill(name);
  await page.locator(".checks").waitFor();
  await picture("create");
  await page.locator(".create-submit button[type=submit]").click();
  await page.waitForURL(/\/operations\//);
  say(`asked for ${name}`);
  const created = await watch(createLimit);
  say(`created; steps seen live: ${created.ran.length}; percentages: ${created.percents.join(" ")}`);
  must(created.ran.length >= 3, "at least three steps were seen running");
  must(created.percents.every((percent, i) => i === 0 || percent >= created.percents[i - 1]), "progress never fell");
  await picture("created");

  await page.locator(".page-actions a").click();
  await page.waitForURL(/\/clusters\/[^/]+$/);
  const cluster = page.url();
  await page.locator(".page-title .status.tone-ok").waitFor({ timeout: 60_000 });
  must((await page.locator(".conditions > li").count()) >= 5, "five conditions are shown");
  await picture("cluster");
  say("running, health shown");

  await page.goto(`${cluster}/nodes`);
  await page.locator(".table tbody tr").first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".card:nth-child(2) tbody tr").length >= 2);
  await picture("nodes");
  say(`nodes: ${await page.locator(".card").nth(1).locator("tbody tr").count()}`);

  await page.goto(`${cluster}/workloads?kind=pods`);
  await page.locator(".table tbody tr").first().waitFor({ timeout: 60_000 });
  await picture("pods");
  say(`pods: ${await page.locator("tbody tr").count()}`);
  await page.locator("tbody tr td a").first().click();
  await page.locator(".log-line, .log-empty, .fault").first().waitFor();
  await picture("logs");

  await page.goto(`${cluster}/kubeconfigs`);
  await page.locator(".card-extra .ant-btn-primary").click();
  const { text: kubeconfig, download } = await issueKubeconfig(page);
  must(/server: "?https:/.test(kubeconfig), "the kubeconfig names the gate");
  must(download.suggestedFilename().endsWith(".yaml"), "the kubeconfig can be saved");
  await picture("kubeconfig");
  await page.locator(".ant-modal-footer button").first().click();
  await page.locator(".ant-modal-mask").first().waitFor({ state: "hidden" });
  const before = await page.locator("tbody .ant-btn-dangerous").count();
  must(before >= 1, "the kubeconfig is listed and can be revoked");
  await page.locator("tbody .ant-btn-dangerous").first().click();
  await page.locator(".ant-modal-footer .ant-btn-dangerous").waitFor();
  await settled(page);
  await page.locator(".ant-modal-footer .ant-btn-dangerous").click();
  await page.waitForFunction((count) => document.querySelectorAll("tbody .ant-btn-dangerous").length === count - 1, before);
  await picture("revoked");
  say("kubeconfig issued, saved, revoked");

  await page.goto(cluster);
  await page.locator(".page-actions .ant-btn-dangerous").click();
  await page.locator(".plan-objects li").first().waitFor();
  const planned = await page.locator(".plan-objects li").count();
  must(await page.locator(".ant-modal-footer .ant-btn-dangerous").isDisabled(), "nothing is deleted before the name is typed");
  await page.locator(".ant-modal .field input").last().fill(name);
  await picture("delete");
  await page.locator(".ant-modal-footer .ant-btn-dangerous").click();
  await page.waitForURL(/\/operations\//);
  say(`delete asked for; the plan names ${planned} objects`);
  const deleted = await watch(deleteLimit);
  await page.locator(".receipt-left").waitFor();
  const counts = await page.evaluate(() => Object.fromEntries(["removed", "kept", "left"].map((part) => [part, Number(document.querySelector(`.receipt-${part}`)?.getAttribute("data-count"))])));
  await picture("receipt");
  say(`deleted; steps seen live: ${deleted.ran.length}; receipt: ${counts.removed} removed, ${counts.kept} kept, ${counts.left} left`);
  must(counts.left === 0, "nothing is left");
  must(counts.removed >= planned, "everything planned was removed");

  await page.goto(`${baseUrl}/clusters`);
  await page.locator(".pager, .empty").first().waitFor();
  must((await page.getByRole("link", { name, exact: true }).count()) === 0, "the cluster is not listed any more");
  must(errors.length === 0, `the browser's console is empty: ${errors.join("; ")}`);
  say("done");
} catch (error) {
  failure = error;
  await picture("failure");
  const dialogs = await page.locator(".ant-modal").allInnerTexts();
  console.error([page.url(), String(error), ...errors, ...dialogs].join("\n"));
} finally {
  await browser.close();
}
process.exit(failure ? 1 : 0);
