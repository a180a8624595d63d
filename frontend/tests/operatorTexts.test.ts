// The operators' texts: none before one of their pages is visited, and then in each language that is shown.
import i18next from "i18next";
import { expect, it } from "vitest";
import { changeLanguage, operatorTexts, startTexts } from "../src/i18n";

const there = (language: string) => i18next.getResource(language, "translation", "admin") !== undefined;

it("come with the first of their pages, also while the language is being changed", async () => {
  await startTexts();
  const first = i18next.language;
  const other = first === "zh-CN" ? "en-US" : "zh-CN";
  expect(there(first)).toBe(false);
  // The page is opened before the other language's texts are here.
  const changed = changeLanguage(other);
  await operatorTexts();
  await changed;
  expect(i18next.language).toBe(other);
  expect([there(first), there(other)]).toEqual([true, true]);
});
