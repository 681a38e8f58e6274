// Short messages at the corner, and what becomes of requests that fail.
(() => {
  "use strict";
  const G = window.Gridhall;
  const region = document.getElementById("toasts");
  if (!region) return;
  const LASTS = { ok: 4000, info: 4000, warn: 8000, err: 0 };
  const MOST = 3;

  const arm = toast => {
    const lasts = LASTS[toast.dataset.toast] ?? 4000;
    if (!lasts) return;
    let timer = setTimeout(() => toast.remove(), lasts);
    const hold = () => clearTimeout(timer);
    const release = () => { timer = setTimeout(() => toast.remove(), lasts); };
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("pointerleave", release);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("focusout", release);
  };
  const add = toast => {
    region.append(toast);
    arm(toast);
    while (region.querySelectorAll("[data-toast]").length > MOST) region.querySelector("[data-toast]").remove();
  };

  /** Show a message. kind: ok info warn err; detail, href and link are optional. */
  G.toast = (text, { kind = "ok", detail = "", href = "", link = "" } = {}) => {
    const pattern = document.getElementById(`toast-${kind}`) || document.getElementById("toast-ok");
    const toast = pattern.content.firstElementChild.cloneNode(true);
    toast.querySelector("b").textContent = text;
    const line = toast.querySelector(".d");
    if (detail) line.textContent = detail; else line.remove();
    const anchor = toast.querySelector("a");
    if (href) { anchor.href = href; if (link) anchor.textContent = link; } else anchor.remove();
    add(toast);
  };
  region.querySelectorAll("[data-toast]").forEach(arm);
  region.addEventListener("click", event => event.target.closest("[data-dismiss]")?.closest("[data-toast]").remove());

  // a page says HX-Trigger: {"toast": {"text": "…", "kind": "ok"}}
  document.addEventListener("toast", event => {
    const { text, value, ...rest } = event.detail || {};
    if (text || value) G.toast(text || value, rest);
  });

  const messageIn = html => (html?.includes("data-toast")
    ? new DOMParser().parseFromString(html, "text/html").querySelector("body > [data-toast]") : null);
  const showAnswer = (status, html) => {
    const answer = messageIn(html);
    if (answer) add(document.adoptNode(answer));
    else if (status === 503) G.toast(G.t("js.busy"), { kind: "err" });
    else G.toast(G.t("js.failed"), { kind: "err" });
  };

  /** Ask to sign in again over the page, so that nothing typed is lost. */
  G.signedOut = () => {
    if (document.getElementById("relogin")) return;
    const dialog = document.createElement("dialog");
    dialog.id = "relogin";
    dialog.className = "ps-dialog s";
    dialog.setAttribute("aria-labelledby", "relogin-title");
    const part = (tag, cls, text) => Object.assign(document.createElement(tag), { className: cls, textContent: text });
    const head = part("div", "hd", "");
    head.append(Object.assign(part("h2", "", G.t("relogin.title")), { id: "relogin-title" }));
    const foot = part("div", "ft", "");
    const done = Object.assign(part("button", "btn", G.t("relogin.done")), { type: "button" });
    done.addEventListener("click", () => { dialog.remove(); G.reread?.(); });
    const open = Object.assign(part("a", "btn btn-primary", G.t("relogin.open")), { target: "_blank" });
    open.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    foot.append(done, open);
    dialog.append(head, part("div", "bd", G.t("relogin.text")), foot);
    document.body.append(dialog);
    dialog.showModal();
  };

  /** Whether the page itself says where an answer of this status goes (hx-status:409="…"). */
  const routed = (source, status) => {
    const text = String(status);
    return [text, `${text.slice(0, 2)}x`, `${text[0]}xx`].some(pattern => {
      const name = `hx-status:${pattern}`;
      return source?.hasAttribute(name) || source?.closest(`[${CSS.escape(`${name}:inherited`)}]`);
    });
  };
  document.addEventListener("htmx:response:error", event => {
    const { response, text, sourceElement } = event.detail.ctx;
    if (response.status === 401) G.signedOut();
    else if (response.status === 422) return; // the form itself says what is wrong
    else if (response.status === 429) {
      const wait = Number(response.headers.get("Retry-After")) || 10;
      G.toast(G.t("js.wait", { time: G.duration(wait) }), { kind: "warn" });
    } else if (!routed(sourceElement, response.status)) showAnswer(response.status, text);
  });
  // a refusal told as a message is no content for the page, whatever its status
  document.addEventListener("htmx:before:swap", event => {
    const { response, text } = event.detail.ctx;
    if (!(response?.status >= 400) || !messageIn(text)) return;
    event.preventDefault();
    if (response.status === 422) showAnswer(response.status, text);
  });
  document.addEventListener("htmx:error", event => {
    if (event.detail.ctx && !event.detail.ctx.response) G.toast(G.t("js.offline"), { kind: "err" });
  });
})();
