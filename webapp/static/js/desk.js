// The operators' desk: phrases by Alt and a digit, parts that look again after a while.
(() => {
  "use strict";
  const G = window.Gridhall;

  const insert = button => {
    const area = document.querySelector("textarea[data-phrases]");
    const text = button?.querySelector("span")?.textContent.trim();
    if (!area || !text) return false;
    const before = area.value.slice(0, area.selectionStart), after = area.value.slice(area.selectionEnd);
    area.value = before + text + after;
    area.selectionStart = area.selectionEnd = before.length + text.length;
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };
  document.addEventListener("click", event => {
    const button = event.target.closest?.("[data-phrase]");
    if (button) insert(button);
  });
  document.addEventListener("keydown", event => {
    if (!event.altKey || event.ctrlKey || event.metaKey || !/^Digit[1-9]$/.test(event.code)) return;
    if (insert(document.querySelector(`[data-phrase="${event.code.slice(5)}"]`))) event.preventDefault();
  });

  // a meter that does not answer sends no signal: look again when its time is over
  let timer = 0;
  G.onRefresh(() => {
    const part = document.querySelector("[data-reread-in]");
    clearTimeout(timer);
    if (part) timer = setTimeout(() => part.isConnected && G.schedule(part), Number(part.dataset.rereadIn) * 1000);
  });
})();
