// A stage's form is kept on the server while it is filled in: <form data-draft="/apps/…/draft">
(() => {
  "use strict";
  const G = window.Gridhall;
  const PAUSE = 10000; // [ms] after the last stroke
  let timer = 0;
  const save = async form => {
    timer = 0;
    if (form.hasAttribute("data-sent")) return;
    const place = document.getElementById("draft-state");
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body: new FormData(form), headers: { "HX-Request": "true" },
        credentials: "same-origin",
      });
      if (answer.status === 204 && place) place.textContent = place.dataset.saved.replace("{time}", G.clock(G.now()));
    } catch { /* the next stroke tries again */ }
  };
  const later = event => {
    const form = event.target.form;
    if (!form?.dataset.draft) return;
    clearTimeout(timer);
    timer = setTimeout(() => save(form), event.type === "change" ? 1000 : PAUSE);
  };
  document.addEventListener("input", later);
  document.addEventListener("change", later);

  // a file that is too large is said before it is sent
  document.addEventListener("change", event => {
    const field = event.target;
    if (!field.matches?.("input[type=file][data-most-mb]")) return;
    const most = Number(field.dataset.mostMb);
    const large = [...field.files].some(file => file.size > most * 1000000);
    field.setCustomValidity(large ? field.dataset.tooLarge : "");
    if (large) field.reportValidity();
  });
})();
