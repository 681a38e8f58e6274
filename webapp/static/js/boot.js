// Runs before the first paint: theme of the system, width of the sidebar, "scripts are here".
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = () => {
    const choice = root.dataset.themeChoice;
    const theme = choice === "dark" || (choice === "auto" && dark.matches) ? "dark" : "light";
    if (root.dataset.bsTheme === theme) return;
    root.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("gridhall:theme", { detail: { theme } }));
  };
  dark.addEventListener("change", applyTheme);
  applyTheme();

  const narrow = matchMedia("(max-width: 1199px)");
  const remembered = () => {
    try { return localStorage.getItem("gridhall.rail") === "1"; } catch { return false; }
  };
  const applyRail = () => root.classList.toggle("rail", narrow.matches || remembered());
  narrow.addEventListener("change", applyRail);
  applyRail();

  window.Gridhall = {
    setTheme(choice) { root.dataset.themeChoice = choice; applyTheme(); },
    toggleRail() {
      const on = !root.classList.contains("rail");
      try { localStorage.setItem("gridhall.rail", on ? "1" : "0"); } catch { /* private window */ }
      root.classList.toggle("rail", on);
    },
  };
})();
