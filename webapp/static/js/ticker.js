// Time limits and running clocks, counted from the server's time.
(() => {
  "use strict";
  const G = window.Gridhall;
  const SOON = 120;   // [s] below this a chip counts every second
  const SLOW = 15;    // [s] else this often
  const CLASSES = ["ok", "warn", "due", "over"];

  const showLimit = chip => {
    const due = Date.parse(chip.dataset.due), total = Number(chip.dataset.total) * 1000;
    if (!due || !total || ["pause", "done"].includes(chip.dataset.state)) return;
    const left = (due - G.now()) / 1000;
    const used = Math.min(1, Math.max(0, 1 - (left * 1000) / total));
    const kind = left < 0 ? "over" : used >= .75 ? "due" : used >= .5 ? "warn" : "ok";
    if (!chip.classList.contains(kind)) {
      chip.classList.remove(...CLASSES);
      chip.classList.add(kind);
    }
    chip.querySelector("i")?.style.setProperty("--p", String(Math.round(used * 100)));
    const words = chip.querySelector("[data-tick]");
    const text = (chip.dataset.prefix || "") + G.t(left < 0 ? "sla.over" : "sla.left", { time: G.duration(left) });
    if (words && words.textContent !== text) words.textContent = text;
  };
  const soon = chip => Math.abs(Date.parse(chip.dataset.due) - G.now()) < SOON * 1000;

  const showSince = clock => {
    const text = G.timer((G.now() - Date.parse(clock.dataset.since)) / 1000);
    if (clock.textContent !== text) clock.textContent = text;
  };

  let beats = 0;
  const tick = () => {
    if (document.hidden) return;
    const all = beats++ % SLOW === 0;
    document.querySelectorAll("[data-sla][data-due]").forEach(chip => { if (all || soon(chip)) showLimit(chip); });
    document.querySelectorAll("[data-since]").forEach(showSince);
  };
  const everything = () => { beats = 0; tick(); };
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", everything);
  document.addEventListener("gridhall:clock", everything);
  G.onRefresh(everything);
})();
