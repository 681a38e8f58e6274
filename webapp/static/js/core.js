// What the other scripts share: texts, the server's clock, custom properties, the morph rules.
(() => {
  "use strict";
  const G = window.Gridhall;
  const body = document.body;

  const texts = JSON.parse(document.getElementById("texts")?.textContent || "{}");
  /** Give a text by key, with its facts in place of {names}. */
  G.t = (key, facts = {}) =>
    (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);

  // ---- the server's clock: a page left open on a wrong computer still counts right
  let offset = 0;
  const rendered = Date.parse(body.dataset.now || "");
  const arrived = performance.timeOrigin + (performance.getEntriesByType("navigation")[0]?.responseStart || 0);
  if (rendered) offset = rendered - arrived;
  G.now = () => Date.now() + offset;
  G.setServerTime = iso => {
    const at = typeof iso === "number" ? iso : Date.parse(iso);
    if (at) offset = at - Date.now();
  };

  const two = n => String(n).padStart(2, "0");
  /** Write a length of time [s] as the server does: 45 s, 26 min, 1 h 02 min, 2 d 04:12. */
  G.duration = seconds => {
    const total = Math.trunc(Math.abs(seconds));
    const m = Math.trunc(total / 60), h = Math.trunc(m / 60), d = Math.trunc(h / 24);
    if (d) return G.t("dur.days", { d, h: two(h % 24), m: two(m % 60) });
    if (h) return G.t("dur.hours", { h, m: two(m % 60) });
    return m ? G.t("dur.minutes", { m }) : G.t("dur.seconds", { s: total });
  };
  /** Write a length of time [s] as a clock: 02:47, 1:02:47. */
  G.timer = seconds => {
    const total = Math.trunc(Math.max(0, seconds));
    const h = Math.trunc(total / 3600), m = Math.trunc(total / 60) % 60;
    return h ? `${h}:${two(m)}:${two(total % 60)}` : `${two(m)}:${two(total % 60)}`;
  };
  /** Write an instant as the office's clock, using the offset the server writes into its times. */
  const zone = /([+-])(\d\d):(\d\d)$/.exec(body.dataset.now || "");
  const shift = zone ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60000 : 0;
  G.clock = at => {
    const local = new Date(at + shift);
    return `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  };

  // ---- values that style depends on: set through the object model, so no page needs inline style
  G.applyValues = root => {
    root.querySelectorAll("[data-p]").forEach(el => el.style.setProperty("--p", el.dataset.p));
    root.querySelectorAll("[data-v]").forEach(el => el.style.setProperty("--v", el.dataset.v));
  };

  const refreshers = [];
  /** Call a function for the page now and after every swap. */
  G.onRefresh = handler => { refreshers.push(handler); handler(document); };
  G.refresh = () => refreshers.forEach(handler => handler(document));
  document.addEventListener("htmx:after:swap", G.refresh);
  G.onRefresh(G.applyValues);

  G.typing = el => !!el && (el.isContentEditable || el.matches?.(
    "textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=reset], [type=file], [type=range])"));

  // ---- morphing keeps what the person did: open folds, unsaved forms
  const MARKS = ["data-dirty", "data-sent", "data-seen"];
  window.htmx?.registerExtension("gridhall", {
    htmx_before_morph_attr(el, detail) {
      const kept = (el.dataset?.keep || "").split(" ");
      if (kept.includes(detail.attrName) || MARKS.includes(detail.attrName)) return false;
      if (detail.attrName === "open" && (el.tagName === "DETAILS" || el.tagName === "DIALOG")) return false;
    },
    htmx_before_morph_node(el) {
      if (el.tagName === "FORM" && el.hasAttribute("data-dirty")) return false;
    },
  });

  // ---- theme and menus
  document.addEventListener("submit", event => {
    const form = event.target;
    if (!form.matches?.("[data-theme-form]")) return;
    const choice = event.submitter?.value;
    if (!choice || event.defaultPrevented) return;
    event.preventDefault();
    const data = new FormData(form, event.submitter);
    fetch(form.action, { method: "POST", body: data, redirect: "manual", headers: { "HX-Request": "true" } }).catch(() => {});
    G.setTheme(choice);
    showTheme();
  });
  const showTheme = () => {
    const root = document.documentElement;
    document.querySelectorAll("[data-theme-form] .item").forEach(item =>
      item.setAttribute("aria-pressed", String(item.value === root.dataset.themeChoice)));
    document.querySelectorAll("[data-theme-toggle]").forEach(button => {
      const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
      button.value = next;
      button.title = next === "dark" ? button.dataset.dark : button.dataset.light;
      button.setAttribute("aria-label", button.title);
      const use = button.querySelector("use");
      use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, next === "dark" ? "#moon" : "#sun"));
    });
  };
  showTheme();
  document.addEventListener("gridhall:theme", showTheme);

  document.addEventListener("click", event => {
    document.querySelectorAll("details.menu[open]").forEach(menu => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const opener = event.target.closest?.("[data-opens]");
    const dialog = opener && document.getElementById(opener.dataset.opens);
    if (dialog?.showModal) {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    const closer = event.target.closest?.("[data-close]");
    if (closer?.closest("dialog[open]")) {
      event.preventDefault();
      closer.closest("dialog").close();
    } else if (event.target.tagName === "DIALOG" && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
  });

  // ---- raw digits on the clipboard: <span data-copy="9900041207">9900 0412 07</span>
  document.addEventListener("copy", event => {
    const selection = getSelection();
    const from = selection.anchorNode?.parentElement?.closest("[data-copy]");
    if (!from || !from.contains(selection.focusNode) || selection.toString().trim() !== from.textContent.trim()) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", from.dataset.copy);
  });
})();
