// Texts: keys, never sentences, in the code; one bundle a language, loaded when it is first shown.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { initialLanguage, type Language } from "../app/settings";

type Texts = Record<string, unknown>;

const bundles: Record<Language, () => Promise<{ default: Texts }>> = {
  "zh-CN": () => import("../locales/zh-CN"),
  "en-US": () => import("../locales/en-US"),
};

async function load(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, "translation")) return;
  const bundle = await bundles[language]();
  i18next.addResourceBundle(language, "translation", bundle.default);
}

export async function startTexts(): Promise<void> {
  const language = initialLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: {},
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function changeLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
