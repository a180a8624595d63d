// The person's own settings of this browser: language and theme. `public/theme.js` reads the same keys before the first paint.
import { createContext, useContext } from "react";

export type Language = "zh-CN" | "en-US";
export type ThemeChoice = "system" | "light" | "dark";

export const LANGUAGES: readonly Language[] = ["zh-CN", "en-US"];
export const THEMES: readonly ThemeChoice[] = ["system", "light", "dark"];

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
}

export function initialLanguage(): Language {
  const chosen = stored("kcs.language");
  if (chosen === "zh-CN" || chosen === "en-US") return chosen;
  return /^zh/i.test(navigator.language) ? "zh-CN" : "en-US";
}

export function initialTheme(): ThemeChoice {
  const chosen = stored("kcs.theme");
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export interface Settings {
  language: Language;
  theme: ThemeChoice;
  dark: boolean;
  setLanguage: (language: Language) => void;
  setTheme: (theme: ThemeChoice) => void;
}

export const SettingsContext = createContext<Settings | null>(null);

export function useSettings(): Settings {
  const settings = useContext(SettingsContext);
  if (!settings) throw new Error("settings are provided by the root");
  return settings;
}
