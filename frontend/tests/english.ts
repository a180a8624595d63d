// The texts of the pages under test, in English.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import everybody from "../src/locales/en-US";
import operator from "../src/locales/en-US/operator";

export const en = { ...everybody, ...operator };

export async function inEnglish() {
  await i18next.use(initReactI18next).init({ lng: "en-US", resources: { "en-US": { translation: en } }, interpolation: { escapeValue: false } });
}
