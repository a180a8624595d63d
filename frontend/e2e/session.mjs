// @ts-check
// The session in a browser: refused and admitted, ended underneath the page and taken up again where one was, project switched,
// admin view for operators only, language and theme kept. Runs against the stand-in, or with KCS_URL and KCS_PASSWORD against the real thing.
import { baseUrl, collectErrors, launch, password, signIn } from "./browser.mjs";

/** @param {unknown} truth @param {string} what */
function must(truth, what) {
  if (!truth) throw new Error(`not so: ${what}`);
  console.log(`ok  ${what}`);
}

const browser = await launch();
let failure;
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "zh-CN", colorScheme: "light" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const errors = collectErrors(page);

  await page.goto(`${baseUrl}/clusters?phase=Running`);
  await page.waitForURL(/\/sign-in/);
  must(new URL(page.url()).searchParams.get("next") === "/clusters?phase=Running", "without a session a page leads to the sign-in and remembers itself");
  must((await page.locator("html").getAttribute("lang")) === "zh-CN", "a Chinese browser gets Chinese");
  await page.locator("input[autocomplete=username]").fill("both");
  await page.locator("input[autocomplete=current-password]").fill("wrong");
  await page.locator("button[type=submit]").click();
  await page.locator(".fault code", { hasText: "KCS-AUTH-003" }).waitFor();
  must(true, "a wrong password is refused with its code");
  await page.locator("input[autocomplete=current-password]").fill(password);
  await page.locator("button[type=submit]").click();
  await page.waitForURL((url) => url.pathname === "/clusters");
  must(new URL(page.url()).searchParams.get("phase") === "Running", "after the sign-in the page asked for is shown, filter and all");
  must((await page.locator(".chip[aria-pressed=true]").textContent()) === "运行中", "the filter in the address is the one shown");

  await page.locator(".project-menu .menu-trigger").click();
  const projects = page.locator("[role=menuitemradio]");
  const other = projects.locator("xpath=self::*[@aria-checked='false']").first();
  const name = ((await other.textContent()) ?? "").trim();
  await other.click();
  await page.locator(".project-menu .menu-label", { hasText: name }).waitFor();
  await page.reload();
  await page.locator(".project-menu .menu-label", { hasText: name }).waitFor();
  must(true, `the project can be switched, and stays switched (${name})`);

  await page.locator(".compact-menu .menu-trigger").first().click();
  await page.locator("[role=menuitemradio]", { hasText: "English" }).click();
  await page.locator("h1", { hasText: "Clusters" }).waitFor();
  must((await page.locator("html").getAttribute("lang")) === "en-US", "the language can be changed, and the page says so to screen readers");
  await page.locator(".compact-menu .menu-trigger").nth(1).click();
  await page.locator("[role=menuitemradio]", { hasText: "Dark" }).click();
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.reload();
  must((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "the theme is kept and there before the first paint");

  await page.goto(`${baseUrl}/admin/clusters`);
  await page.locator(".empty").waitFor();
  must((await page.locator(".side-link[href='/admin/clusters']").count()) === 0, "no admin view for ordinary users: not in the menu, refused by address");

  await page.goto(`${baseUrl}/operations?state=failed`);
  await page.locator(".chips").waitFor();
  await context.clearCookies();
  await page.locator(".side-link[href='/clusters']").click();
  await page.waitForURL(/\/sign-in/);
  must(new URL(page.url()).searchParams.get("reason") === "expired" || new URL(page.url()).searchParams.get("next") !== null, "a session that ended leads to the sign-in");
  await page.locator("input[autocomplete=username]").fill("both");
  await page.locator("input[autocomplete=current-password]").fill(password);
  await page.locator("button[type=submit]").click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  must(!page.url().includes("sign-in"), "and from there back to work");

  await page.locator(".compact-menu .menu-trigger").last().click();
  await page.locator("[role=menuitem]").click();
  await page.waitForURL(/\/sign-in$/);
  await page.goto(`${baseUrl}/clusters`);
  await page.waitForURL(/\/sign-in/);
  must(true, "signing out ends the session");

  await signIn(page, "operator", password);
  await page.locator(".side-link[href='/admin/clusters']").click();
  await page.locator(".pager, .empty").first().waitFor();
  must(true, "an operator has the admin view");
  must(errors.length === 0, `the browser's console is empty ${errors.join("; ")}`);
} catch (error) {
  failure = error;
  console.error(String(error));
} finally {
  await browser.close();
}
process.exit(failure ? 1 : 0);
