// What surrounds every page: settings, theme, language of the components, data and routes.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { ConfigProvider } from "antd";
import type { Locale } from "antd/es/locale";
import enUS from "antd/es/locale/en_US";
import zhCN from "antd/es/locale/zh_CN";
import { useEffect, useMemo, useState } from "react";
import { isApiError } from "../api/client";
import { ToastHost } from "../components/Toast";
import { changeLanguage } from "../i18n";
import { router } from "./router";
import { initialLanguage, initialTheme, SettingsContext, store, type Language, type Settings, type ThemeChoice } from "./settings";
import { dark, light } from "./theme";

const locales: Record<Language, Locale> = { "zh-CN": zhCN, "en-US": enUS };

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // An answer of the server is final; only silence is worth asking again.
      retry: (count, error) => count < 2 && !(isApiError(error) && error.status > 0 && error.status < 500),
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4000),
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});

const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

function useDark(choice: ThemeChoice): boolean {
  const [system, setSystem] = useState(systemDark.matches);
  useEffect(() => {
    const update = () => setSystem(systemDark.matches);
    systemDark.addEventListener("change", update);
    return () => systemDark.removeEventListener("change", update);
  }, []);
  const isDark = choice === "dark" || (choice === "system" && system);
  useEffect(() => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }, [isDark]);
  return isDark;
}

export function Root() {
  const [language, setLanguage] = useState(initialLanguage);
  const [theme, setTheme] = useState(initialTheme);
  const isDark = useDark(theme);
  const settings = useMemo<Settings>(
    () => ({
      language,
      theme,
      dark: isDark,
      setLanguage: (next) => {
        store("kcs.language", next);
        void changeLanguage(next).then(() => setLanguage(next));
      },
      setTheme: (next) => {
        store("kcs.theme", next);
        setTheme(next);
      },
    }),
    [language, theme, isDark],
  );
  return (
    <SettingsContext value={settings}>
      <ConfigProvider locale={locales[language]} theme={isDark ? dark : light} button={{ autoInsertSpace: false }}>
        <QueryClientProvider client={queryClient}>
          <ToastHost>
            <RouterProvider router={router} context={{ queryClient }} />
          </ToastHost>
        </QueryClientProvider>
      </ConfigProvider>
    </SettingsContext>
  );
}
