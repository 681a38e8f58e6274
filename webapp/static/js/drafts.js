// Unsent forms, kept on the server while they are filled in: <form data-draft="/drafts/call:12">
(() => {
  "use strict";
  const G = window.Gridhall;
  const WAIT = 800;     // [ms] after the last key
  const AGAIN = 5000;   // [ms] after a save that failed
  const timers = new WeakMap();

  const tell = (form, text) => {
    const place = form.closest("section")?.querySelector("[data-draft-state]");
    if (place) place.textContent = text;
  };
  const words = (form, name) => form.closest("section")?.querySelector("[data-draft-state]")?.dataset[name] || "";
  const content = form => {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && name !== "version") fields.append(name, value);
    }
    return fields;
  };
  const save = async (form, last = false) => {
    clearTimeout(timers.get(form));
    if (!form.isConnected && !last) return;
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body: content(form), keepalive: last, credentials: "same-origin",
        headers: { "HX-Request": "true" },
      });
      if (answer.status === 401) { G.signedOut?.(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      form.removeAttribute("data-unsaved");
      tell(form, words(form, "saved").replace("{time}", G.clock(G.now())));
    } catch {
      tell(form, words(form, "failed"));
      timers.set(form, setTimeout(() => save(form), AGAIN));
    }
  };
  const touched = event => {
    const form = event.target.form;
    if (!form?.dataset.draft) return;
    form.setAttribute("data-unsaved", "");
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => save(form), WAIT));
  };
  document.addEventListener("input", touched);
  document.addEventListener("change", touched);
  document.addEventListener("submit", event => {
    clearTimeout(timers.get(event.target));
    event.target.removeAttribute?.("data-unsaved");
  }, true);
  addEventListener("pagehide", () => {
    document.querySelectorAll("form[data-draft][data-unsaved]").forEach(form => save(form, true));
  });
})();
