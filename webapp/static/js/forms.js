// Forms: no second submit, no silent loss, and focus where the error is.
(() => {
  "use strict";
  const G = window.Gridhall;

  // ---- unsaved guard: <form data-guard>
  const dirty = () => document.querySelector("form[data-guard][data-dirty]");
  const touched = event => {
    const form = event.target.form;
    if (form?.hasAttribute("data-guard")) form.setAttribute("data-dirty", "");
  };
  document.addEventListener("input", touched);
  document.addEventListener("change", touched);
  let leaving = false;
  addEventListener("beforeunload", event => {
    if (leaving || !dirty()) return;
    event.preventDefault();
  });

  // ---- double-submit guard: one post until the answer is here
  const release = form => {
    form.removeAttribute("data-sent");
    form.querySelectorAll("[aria-busy]").forEach(button => button.removeAttribute("aria-busy"));
  };
  document.addEventListener("submit", event => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.matches("[data-theme-form]")) return;
    if (form.hasAttribute("data-sent")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.setAttribute("data-sent", "");
    // when it was done, by the clock of the phone in the hand that did it
    form.querySelectorAll("[data-now-here]").forEach(field => { field.value = new Date().toISOString(); });
    form.removeAttribute("data-dirty");
    leaving = !form.matches("[hx-post], [data-hx-post]");
    // after this turn, so that the button's own name and value are still sent
    setTimeout(() => event.submitter?.setAttribute("aria-busy", "true"));
  }, true);
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
  document.addEventListener("htmx:finally:request", event => {
    const form = event.target.closest?.("form") || event.detail.ctx?.sourceElement?.closest?.("form");
    if (form) release(form);
  });
  document.addEventListener("htmx:before:request", event => {
    // a morph may not skip the very form that was just sent
    event.detail.ctx?.sourceElement?.closest?.("form")?.removeAttribute("data-dirty");
  });

  // ---- errors: the summary takes the focus, its links go to the fields
  const focusSummary = () => {
    const summary = document.querySelector("[data-error-summary]:not([data-seen])");
    if (!summary) return;
    summary.setAttribute("data-seen", "");
    summary.focus();
    summary.scrollIntoView({ block: "nearest" });
  };
  G.onRefresh(focusSummary);
  document.addEventListener("click", event => {
    const link = event.target.closest?.("[data-error-summary] a[href^='#']");
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!target) return;
    event.preventDefault();
    const control = target.matches("input, select, textarea") ? target : target.querySelector("input, select, textarea");
    (control || target).focus();
    target.scrollIntoView({ block: "center" });
  });

  // ---- choosing rows: the head's box, and the bar that shows how many
  const boxes = () => [...document.querySelectorAll("input[data-select]")];
  const showSelection = () => {
    const all = boxes(), chosen = all.filter(box => box.checked).length;
    document.querySelectorAll("input[data-select-all]").forEach(head => {
      head.checked = chosen > 0 && chosen === all.length;
      head.indeterminate = chosen > 0 && chosen < all.length;
    });
    document.querySelectorAll("[data-bulk]").forEach(bar => { bar.hidden = chosen === 0; });
    document.querySelectorAll("[data-bulk-count]").forEach(place => { place.textContent = String(chosen); });
  };
  document.addEventListener("change", event => {
    if (event.target.matches?.("input[data-select-all]")) {
      boxes().forEach(box => { box.checked = event.target.checked; });
    }
    if (event.target.matches?.("input[data-select], input[data-select-all]")) showSelection();
  });
  G.showSelection = showSelection;
  G.onRefresh(showSelection);

  // ---- what only some choices ask for: <div data-when="order=sag slow">
  const suit = () => document.querySelectorAll("[data-when]").forEach(part => {
    const [name, values] = part.dataset.when.split("=");
    part.hidden = !values.split(" ").includes(part.closest("form").elements[name].value);
  });
  document.addEventListener("change", suit);
  G.onRefresh(suit);

  // ---- a list's filters go off by themselves: <form data-autosubmit method="get">
  document.addEventListener("change", event => {
    const form = event.target.form;
    if (form?.hasAttribute("data-autosubmit") && event.target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) {
      form.requestSubmit();
    }
  });
})();
