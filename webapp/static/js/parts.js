// Parts of a page that are read again: <section id="alerts" data-part="/alerts/table" data-topics="alerts">
// A part's address answers with the part itself (same id) or a page that holds it.
(() => {
  "use strict";
  const G = window.Gridhall;
  const AT_MOST_EVERY = 1000; // [ms] per part
  const PATIENCE = 15000;     // [ms] for one answer
  const RETRY = [5000, 10000, 30000];
  const jobs = new Map();     // id of the part: what is under way

  G.parts = () => [...document.querySelectorAll("[data-part][id]")];
  const jobOf = part => {
    if (!jobs.has(part.id)) jobs.set(part.id, { last: 0, timer: 0, busy: false, again: false, failures: 0, ended: false });
    return jobs.get(part.id);
  };

  /** Read a part again soon: at once, or a second after the last time; the last request always counts. */
  G.schedule = (part, wait = 0) => {
    const job = jobOf(part);
    if (job.ended) return;
    if (job.busy) { job.again = true; return; }
    if (job.timer) return;
    const rest = job.last + AT_MOST_EVERY - Date.now();
    job.timer = setTimeout(() => { job.timer = 0; read(part.id, job); }, Math.max(0, rest, wait));
  };
  G.reread = () => G.parts().forEach(part => G.schedule(part));
  document.addEventListener("gridhall:reread", event => {
    const part = event.target.closest?.("[data-part][id]");
    if (part) G.schedule(part); else G.reread();
  });

  const read = async (id, job) => {
    const part = document.getElementById(id);
    if (!part?.dataset.part) { jobs.delete(id); return; }
    const active = document.activeElement;
    if (part.contains(active) && G.typing(active)) {
      // never under the hands of a person who types; their leaving brings it up to date
      active.addEventListener("focusout", () => G.schedule(part), { once: true });
      return;
    }
    const dialog = part.querySelector("dialog[open]");
    if (dialog) {
      // nor under an open dialog: closing it brings the part up to date
      dialog.addEventListener("close", () => G.schedule(part), { once: true });
      return;
    }
    job.busy = true;
    job.last = Date.now();
    try {
      const response = await fetch(part.dataset.part, {
        headers: {
          "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": `${part.localName}#${id}`,
          "HX-Current-URL": location.href, Accept: "text/html",
        },
        credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
      });
      await answer(part, job, response);
    } catch {
      fail(part, job);
    } finally {
      job.busy = false;
      if (job.again) { job.again = false; G.schedule(part); }
    }
  };

  const answer = async (part, job, response) => {
    const elsewhere = response.redirected && new URL(response.url).pathname !== new URL(part.dataset.part, location.href).pathname;
    if (response.status === 401 || elsewhere) { job.ended = true; G.signedOut(); return; }
    if ([403, 404, 410].includes(response.status)) { job.ended = true; part.setAttribute("data-stale", ""); return; }
    if (!response.ok) { fail(part, job); return; }
    job.failures = 0;
    part.removeAttribute("data-stale");
    G.lastRead = G.now();
    if (response.status !== 204) await swap(part, await response.text());
  };

  const fail = (part, job) => {
    part.setAttribute("data-stale", "");
    const wait = RETRY[Math.min(job.failures++, RETRY.length - 1)];
    job.again = false;
    setTimeout(() => G.schedule(part), wait);
  };

  const wordsOf = row => {
    if (row.dataset.version) return row.dataset.version;
    const copy = row.cloneNode(true);
    copy.querySelectorAll("[data-tick]").forEach(clock => clock.remove());
    return copy.textContent.replace(/\s+/g, " ");
  };
  const rowsOf = part => new Map([...part.querySelectorAll("[data-row][id], [data-tint][id]")].map(row => [row.id, wordsOf(row)]));

  const swap = async (part, text) => {
    const id = part.id;
    const before = rowsOf(part);
    const active = part.contains(document.activeElement) ? document.activeElement : null;
    const place = active && { id: active.id, row: active.closest("[data-row]")?.id };
    const whole = text.includes(`id="${id}"`);
    await htmx.swap({
      sourceElement: part, target: part, text,
      swap: `${whole ? "outerMorph" : "innerMorph"} ignoreTitle:true`,
      select: whole ? `#${CSS.escape(id)}` : undefined,
    });
    const now = document.getElementById(id);
    if (!now) return;
    if (place && (!document.activeElement || document.activeElement === document.body)) {
      const target = (place.id && document.getElementById(place.id)) || (place.row && document.getElementById(place.row)) || now;
      if (target === now && !now.hasAttribute("tabindex")) now.setAttribute("tabindex", "-1");
      target.focus({ preventScroll: true });
    }
    if (before.size) showChanges(now, before);
  };

  let told = 0;
  const showChanges = (part, before) => {
    let fresh = 0;
    rowsOf(part).forEach((words, id) => {
      if (before.get(id) === words) return;
      if (!before.has(id)) fresh += 1;
      const row = document.getElementById(id);
      row.classList.add("tint");
      setTimeout(() => row.classList.remove("tint"), 1500);
    });
    // counts, not rows, and not more often than one can listen to
    if (fresh && part.hasAttribute("data-announce") && Date.now() - told > 10000) {
      told = Date.now();
      G.say(G.t("js.new_rows", { n: fresh }));
    }
  };

  let voice = null;
  /** Tell a screen reader something, politely. */
  G.say = text => {
    if (!voice) {
      voice = Object.assign(document.createElement("div"), { className: "sr" });
      voice.setAttribute("role", "status");
      document.body.append(voice);
    }
    voice.textContent = text;
  };
})();
