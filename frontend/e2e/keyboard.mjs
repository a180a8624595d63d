// @ts-check
// The console without a mouse: skip link, menu, dialogs that keep and give back the focus, forms by Enter; and a focus that can be seen.
import { baseUrl, launch, password, signIn } from "./browser.mjs";

/** @param {unknown} truth @param {string} what */
function must(truth, what) {
  if (!truth) throw new Error(`not so: ${what}`);
  console.log(`ok  ${what}`);
}

const browser = await launch();
let failure;
try {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US", reducedMotion: "reduce" })).newPage();
  page.setDefaultTimeout(10_000);
  const focused = () =>
    page.evaluate(() => {
      const element = /** @type {HTMLElement} */ (document.activeElement);
      const style = getComputedStyle(element);
      return { tag: element.tagName, id: element.id, class: element.className, text: (element.getAttribute("aria-label") ?? element.textContent ?? "").trim(), inDialog: element.closest("[role=dialog]") !== null, inContent: element.closest("#content") !== null, visible: style.outlineStyle !== "none" || style.boxShadow !== "none" };
    });
  /** Presses Tab until the focus is where it should be. @param {(now: Awaited<ReturnType<typeof focused>>) => boolean} there */
  const tabTo = async (there) => {
    for (let i = 0; i < 60; i += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      if (there(now)) return now;
    }
    throw new Error("the Tab key never gets there");
  };

  /** What needs the stand-in's clusters: verbs of nodes from the table's menu, and the switch of the deletion protection. */
  const standIn = async () => {
    await page.goto(`${baseUrl}/clusters/0199c0de-0000-7000-8000-000000000001/nodes`);
    await page.locator(".menu-trigger[aria-label*='w0-0']").waitFor();
    await tabTo((now) => now.class.includes("menu-trigger") && now.text.includes("w0-0"));
    await page.keyboard.press("ArrowDown");
    await page.locator("[role=menu] [role=menuitem]", { hasText: "Drain" }).waitFor();
    for (let i = 0; i < 6 && !(await focused()).text.startsWith("Drain"); i += 1) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog]").waitFor();
    await page.waitForFunction(() => document.activeElement?.closest("[role=dialog]"));
    must(true, "a node's menu leads into the dialog of a verb");
    await page.keyboard.press("Escape");
    await page.locator("[role=dialog]").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.classList.contains("menu-trigger"));
    must((await focused()).text.includes("w0-0"), "Escape gives the focus back to the node's menu");

    await page.goto(`${baseUrl}/clusters/0199c0de-0000-7000-8000-000000000003`);
    const held = (/** @type {boolean} */ on) => page.locator(`[role=switch][aria-label="Deletion protection"][aria-checked=${on}]`);
    await held(true).waitFor();
    const protection = await tabTo((now) => /protection/i.test(now.text) && now.class.includes("switch"));
    must(protection.visible, "the focus on the switch can be seen");
    await page.keyboard.press("Space");
    await page.locator("[role=dialog]").waitFor();
    await page.locator("[role=dialog] .ant-btn-dangerous").focus();
    await page.keyboard.press("Enter");
    await held(false).waitFor();
    await page.locator("[role=dialog]").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.getAttribute("role") === "switch");
    await page.keyboard.press("Space");
    await held(true).waitFor();
    must(true, "the deletion protection is switched off after a question, and on at once");

    await tabTo((now) => now.inContent && now.class.includes("ant-btn-dangerous"));
    await page.keyboard.press("Enter");
    const lift = page.locator("[role=dialog] .fault-actions button");
    await lift.waitFor();
    must(await page.locator("[role=dialog] .field input").isDisabled(), "a protected cluster cannot be deleted");
    await lift.focus();
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] .field input:enabled").waitFor();
    must(true, "its protection can be lifted in the dialog");
    await page.keyboard.press("Escape");
    await page.locator("[role=dialog]").waitFor({ state: "detached" });

    await tabTo((now) => now.inContent && now.class.includes("menu-trigger"));
    await page.keyboard.press("ArrowDown");
    await page.locator("[role=menu]").waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] #f-template-name").waitFor();
    await tabTo((now) => now.inDialog && now.id === "f-template-name");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("Like billing");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog]").waitFor({ state: "detached" });
    await page.goto(`${baseUrl}/templates?of=own`);
    await page.locator(".menu-trigger[aria-label*='Like billing']").waitFor();
    must(true, "a cluster is saved as a template by Enter, and is in the list");
    await tabTo((now) => now.class.includes("menu-trigger") && now.text.includes("Like billing"));
    await page.keyboard.press("ArrowDown");
    await page.locator("[role=menu]").waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] .ant-btn-dangerous").waitFor();
    await tabTo((now) => now.inDialog && now.class.includes("ant-btn-dangerous"));
    await page.keyboard.press("Enter");
    await page.locator(".menu-trigger[aria-label*='Like billing']").waitFor({ state: "detached" });
    must(true, "a template is deleted after a question");

    await page.goto(`${baseUrl}/audit`);
    await page.locator("main .disclosure").first().waitFor();
    const opener = await tabTo((now) => now.inContent && now.class.includes("disclosure"));
    must(opener.visible && opener.text.startsWith("Show"), "the focus on a line of the audit log can be seen, and says what it opens");
    await page.keyboard.press("Enter");
    await page.locator(".audit-detail").waitFor();
    const copier = await tabTo((now) => now.inContent && now.class.includes("icon-button"));
    must(/request/i.test(copier.text), "Enter opens the line, and Tab gets to the request id");
    await page.keyboard.press("Shift+Tab");
    await tabTo((now) => now.inContent && now.text === "Only this action");
    await page.keyboard.press("Enter");
    await page.waitForURL(/action=/);
    must(true, "the log is narrowed from the line");

    await page.goto(`${baseUrl}/tokens`);
    await page.locator(".page-actions button").waitFor();
    await tabTo((now) => now.inContent && now.text === "Create token");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] #f-token-name").waitFor();
    await tabTo((now) => now.inDialog && now.id === "f-token-name");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] .field-error").waitFor();
    must((await focused()).id === "f-token-name", "a token without a name leads back to the name");
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Enter");
    await page.locator("[data-testid=token]").waitFor();
    await page.waitForFunction(() => /copy the token/i.test(document.activeElement?.textContent ?? ""));
    must(true, "Enter makes it, and the focus is at the copying of its secret");
    await page.keyboard.press("Escape");
    await page.locator("[role=dialog]").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.tagName === "BUTTON");
    must((await page.content()).includes("kcs_api_") === false, "the secret is gone with the dialog");
    await tabTo((now) => now.inContent && now.text === "Revoke by keyboard");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] .ant-btn-dangerous").waitFor();
    await tabTo((now) => now.inDialog && now.class.includes("ant-btn-dangerous"));
    await page.keyboard.press("Enter");
    await page.locator("button[aria-label='Revoke by keyboard']").waitFor({ state: "detached" });
    must(true, "a token is revoked after a question");

    await page.context().clearCookies();
    await signIn(page, "owner-a", password);
    await page.goto(`${baseUrl}/members`);
    await page.locator(".menu-small .menu-trigger").first().waitFor();
    await tabTo((now) => now.inContent && now.text === "Actions for guest-a");
    await page.keyboard.press("Enter");
    await page.locator("[role=menu] [role=menuitem]").first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] .place").waitFor();
    await tabTo((now) => now.inDialog && now.text === "Add a place");
    await page.keyboard.press("Enter");
    await page.locator("#f-member-places-1-cluster").waitFor();
    await page.keyboard.press("Shift+Tab");
    must((await focused()).text === "Remove place 2", "a new row of places is right before the button that made it");
    await page.locator("#f-member-places-1-namespace").focus();
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] .field-error").first().waitFor();
    must((await focused()).id === "f-member-places-1-cluster", "a place without a cluster leads back to it");
    await tabTo((now) => now.inDialog && now.text === "Remove place 2");
    await page.keyboard.press("Enter");
    await page.locator("#f-member-places-1-cluster").waitFor({ state: "detached" });
    must((await focused()).inDialog, "the focus stays in the dialog when a row is removed");
    await page.keyboard.press("Escape");
    await page.locator("[role=dialog]").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Actions for guest-a");
    must(true, "and returns to where it was");
  };

  await page.goto(`${baseUrl}/sign-in`);
  await page.locator(".signin-form").waitFor();
  must((await focused()).tag === "INPUT", "the sign-in begins in its first field");
  await page.keyboard.type(process.env.KCS_USER ?? "member-a");
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  must(true, "Enter signs in");

  await page.goto(`${baseUrl}/clusters`);
  await page.locator(".table a").first().waitFor();
  await page.keyboard.press("Tab");
  must((await focused()).class.includes("skip-link"), "the first Tab meets the skip link");
  await page.keyboard.press("Enter");
  must((await focused()).id === "content", "the skip link leads to the content");

  const link = await tabTo((now) => now.tag === "A" && now.inContent && now.text !== "" && !now.class.includes("link-button"));
  must(link.visible, "the focus on a cluster's name can be seen");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/clusters\/[^/]+$/);
  await page.locator(".page-actions button").first().waitFor();
  must(true, "Enter opens the cluster");

  const button = await tabTo((now) => now.tag === "BUTTON" && /kubeconfig/i.test(now.text));
  must(button.visible, "the focus on a button can be seen");
  await page.keyboard.press("Enter");
  await page.locator("[role=dialog] input").first().waitFor();
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press("Tab");
    const now = await focused();
    // Behind the last control comes the browser itself, whose focus a page cannot see.
    if (!now.inDialog && now.tag !== "BODY") throw new Error(`Tab left the dialog for ${now.tag} ${now.text.slice(0, 60)}`);
  }
  must(true, "Tab stays in the dialog");
  await page.keyboard.press("Escape");
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.tagName === "BUTTON");
  must(/kubeconfig/i.test((await focused()).text), "Escape closes it and gives the focus back");

  if (!process.env.KCS_URL) await standIn();

  await page.goto(`${baseUrl}/clusters`);
  await page.locator(".table a").first().waitFor();
  await tabTo((now) => now.class.includes("menu-trigger"));
  await page.keyboard.press("ArrowDown");
  await page.locator("[role=menu]").first().waitFor();
  must((await focused()).class.includes("menu-item"), "ArrowDown opens a menu and goes into it");
  await page.keyboard.press("Escape");
  must((await focused()).class.includes("menu-trigger"), "Escape leaves the menu for its button");
  await tabTo((now) => now.class.includes("side-link") && /operations/i.test(now.text));
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/operations$/);
  await page.waitForFunction(() => document.activeElement?.id === "content");
  must(true, "a page change by the menu moves the focus to the new page");
} catch (error) {
  failure = error;
  console.error(String(error));
} finally {
  await browser.close();
}
process.exit(failure ? 1 : 0);
