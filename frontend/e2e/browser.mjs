// @ts-check
// The browser that the scripts drive: Debian's Chromium, quiet and offline.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

/** KCS_PASSWORD, or what `kcs dev` was given; the stand-in takes any but "wrong". */
export const password = process.env.KCS_PASSWORD ?? process.env.KCS_DEV_PASSWORD ?? "mock";

/** Where the console is: KCS_URL, or a stand-in server of this script's own. */
export const baseUrl = process.env.KCS_URL ?? (await startStandIn());

/** @returns {Promise<string>} */
function startStandIn() {
  const server = spawn(process.execPath, [fileURLToPath(new URL("./mock/server.mjs", import.meta.url))], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PORT: "0" } });
  process.on("exit", () => server.kill());
  return new Promise((resolve, reject) => {
    server.stdout.once("data", (/** @type {Buffer} */ line) => resolve(line.toString().trim()));
    server.once("exit", (code) => reject(new Error(`the stand-in server ended with ${code}`)));
  });
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/**
 * Signs in through the form.
 * @param {import("playwright-core").Page} page
 * @param {string} user
 * @param {string} secret
 */
export async function signIn(page, user, secret) {
  await page.goto(`${baseUrl}/sign-in`);
  await page.locator("input[autocomplete=username]").fill(user);
  await page.locator("input[autocomplete=current-password]").fill(secret);
  await page.locator("button[type=submit]").click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

/**
 * Waits until the first of what a selector finds is visible. It is looked for in every frame: a locator that has looked a few times pauses ever
 * longer, up to half a second.
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 */
export async function shown(page, selector) {
  await page.waitForFunction((wanted) => {
    const element = document.querySelector(wanted);
    if (!element?.checkVisibility({ visibilityProperty: true })) return false;
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0;
  }, selector);
}

/**
 * Waits until nothing moves any more: what is half faded in has no true contrast, and a button that moves between press and release is not clicked. A dialog that has
 * come stands still for some frames before it begins to move; meanwhile it has the class of its motion.
 * @param {import("playwright-core").Page} page
 */
export async function settled(page) {
  await page.evaluate(async () => {
    await document.fonts.ready;
    // A colour that is inherited moves on from parent to child, a level a frame.
    for (let still = 0; still < 3; still += 1) {
      await new Promise(requestAnimationFrame);
      if (document.querySelector(".ant-zoom-appear, .ant-zoom-enter") || document.getAnimations().some((animation) => animation.playState === "running" && animation.effect?.getComputedTiming().iterations !== Infinity)) still = -1;
    }
  });
}

/**
 * Has the dialog for a kubeconfig, which is open, issue one and save it; the dialog stays.
 * @param {import("playwright-core").Page} page
 */
export async function issueKubeconfig(page) {
  await page.locator(".ant-modal-footer .ant-btn-primary").waitFor();
  await settled(page);
  await page.locator(".ant-modal-footer .ant-btn-primary").click();
  await page.locator(".ant-modal details summary").click();
  const text = (await page.locator("[data-testid=kubeconfig]").textContent()) ?? "";
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".ant-modal .ant-btn-primary").first().click()]);
  return { text, download };
}

/**
 * What the page complained about in its console, errors only; answers of the API that the script provokes are not counted.
 * @param {import("playwright-core").Page} page
 */
export function collectErrors(page) {
  /** @type {string[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) errors.push(message.text());
  });
  return errors;
}
