// Texts: keys, never sentences, in the code; one bundle a language, loaded when it is first shown, and one more for the operators' pages.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { initialLanguage, type Language } from "../app/settings";

type Texts = Record<string, unknown>;

const bundles: Record<Language, () => Promise<{ default: Texts }>> = {
  "zh-CN": () => import("../locales/zh-CN"),
  "en-US": () => import("../locales/en-US"),
};

const operatorBundles: Record<Language, () => Promise<{ default: Texts }>> = {
  "zh-CN": () => import("../locales/zh-CN/operator"),
  "en-US": () => import("../locales/en-US/operator"),
};

/** Once an operator's page was visited, their texts come with each language. */
let operator = false;

/** The languages that were shown, or are to be as soon as their texts are here. */
const shown = new Set<Language>();

async function load(language: Language): Promise<void> {
  shown.add(language);
  const missing = (area: string) => i18next.getResource(language, "translation", area) === undefined;
  const wanted = [];
  if (missing("common")) wanted.push(bundles[language]());
  if (operator && missing("admin")) wanted.push(operatorBundles[language]());
  for (const bundle of await Promise.all(wanted)) i18next.addResourceBundle(language, "translation", bundle.default);
}

export async function startTexts(): Promise<void> {
  const language = initialLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: {},
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
    // Of an operation that a newer program has written beside the one that this page came with.
    parseMissingKeyHandler: (key) => (/^operation\.(kind|step)\./.test(key) ? i18next.t("operation.newer") : key),
  });
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Before an operator's page is shown: also in the language that another is just being changed to. */
export async function operatorTexts(): Promise<void> {
  operator = true;
  await Promise.all([...shown].map(load));
}

export async function changeLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
