// Colours of the console, and whether its parts move. Every pair of text and background used together has a contrast of at least 4.5 to 1; axe checks it on every screen.
import { theme, type ThemeConfig } from "antd";

/**
 * Whoever asks their system for less movement is shown a dialog where it stays. A motion made as short as can be still has its beginning: for a frame the dialog
 * is small and its button elsewhere, which is then not pressed. Asked once: whatever is on the page would be made anew, with all that was typed.
 */
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

const shared: ThemeConfig["token"] = {
  motion: !still,
  fontFamily:
    '-apple-system, BlinkMacSystemFont, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyCode: 'ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace',
  borderRadius: 6,
  borderRadiusLG: 8,
  wireframe: false,
};

export const light: ThemeConfig = {
  algorithm: theme.defaultAlgorithm,
  token: {
    ...shared,
    colorPrimary: "#0b5cc4",
    colorPrimaryHover: "#1a6ed8",
    colorInfo: "#0b5cc4",
    colorLink: "#0b5cc4",
    colorInfoBg: "#e6f4ff",
    colorSuccess: "#237804",
    colorSuccessBg: "#f6ffed",
    colorWarning: "#ad4e00",
    colorWarningBg: "#fff7e6",
    colorWarningBorder: "#ffd591",
    colorError: "#b3171d",
    colorErrorBg: "#fff2f0",
    colorText: "#1b2430",
    colorTextSecondary: "#4d5868",
    colorTextTertiary: "rgba(0,0,0,.62)",
    colorTextDescription: "#4d5868",
    colorTextPlaceholder: "rgba(0,0,0,.58)",
    colorTextDisabled: "rgba(0,0,0,.56)",
    colorBgLayout: "#f4f6f9",
    colorBorder: "#cfd6df",
    colorBorderSecondary: "#e5e9ef",
  },
};

export const dark: ThemeConfig = {
  algorithm: theme.darkAlgorithm,
  token: {
    ...shared,
    colorPrimary: "#3c89e8",
    colorInfo: "#5ea0ee",
    colorLink: "#6aa9f4",
    colorInfoBg: "#11243d",
    colorInfoBorder: "#1f4372",
    colorSuccess: "#6abe39",
    colorSuccessBg: "#16260e",
    colorSuccessBorder: "#2c4a1a",
    colorWarning: "#e8a23d",
    colorWarningBg: "#2b1f0d",
    colorWarningBorder: "#57400f",
    colorError: "#f37370",
    colorErrorBg: "#2e1616",
    colorErrorBorder: "#5b2a29",
    colorText: "#e6eaf0",
    colorTextSecondary: "#aeb8c6",
    colorTextTertiary: "rgba(255,255,255,.65)",
    colorTextDescription: "#aeb8c6",
    colorTextPlaceholder: "rgba(255,255,255,.62)",
    colorTextDisabled: "rgba(255,255,255,.60)",
    colorTextLightSolid: "#0a1018",
    colorBgLayout: "#0e1319",
    colorBgContainer: "#161c24",
    colorBgElevated: "#1d2530",
    colorBorder: "#3a4553",
    colorBorderSecondary: "#28313d",
  },
  components: { Button: { colorPrimary: "#1f6fd6", colorPrimaryHover: "#2471d7", colorPrimaryActive: "#195cb3", primaryColor: "#fff", defaultHoverColor: "#6aa9f4", defaultHoverBorderColor: "#6aa9f4", defaultActiveColor: "#6aa9f4" } },
};
