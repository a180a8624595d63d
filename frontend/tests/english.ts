// The texts of the pages under test, in English.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "../src/locales/en-US";

export async function inEnglish() {
  await i18next.use(initReactI18next).init({ lng: "en-US", resources: { "en-US": { translation: en } }, interpolation: { escapeValue: false } });
}
