// Runs before the first paint: the stored theme and language, so that neither flashes.
(function () {
  var root = document.documentElement;
  var theme = "system";
  var language = null;
  try {
    theme = localStorage.getItem("kcs.theme") || "system";
    language = localStorage.getItem("kcs.language");
  } catch (_) {
    // Storage may be forbidden: the defaults do.
  }
  var dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  root.lang = language || (/^zh/i.test(navigator.language || "") ? "zh-CN" : "en-US");
})();
