// The text of a profile: shows the line that is wrong.
(() => {
  "use strict";
  const text = document.querySelector("textarea.profile-text");
  const line = Number(text?.dataset.line || 0);
  if (!line) return;
  const lines = text.value.split("\n");
  const begin = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.setSelectionRange(begin, begin + (lines[line - 1] || "").length);
  text.scrollTop = Math.max(0, (line - 4) * 18);
})();
