// A file that is too large is said before it is sent: <input type="file" data-most-mb data-too-large>
(() => {
  "use strict";
  document.addEventListener("change", event => {
    const field = event.target;
    if (!field.matches?.("input[type=file][data-most-mb]")) return;
    const most = Number(field.dataset.mostMb);
    const large = [...field.files].some(file => file.size > most * 1000000);
    field.setCustomValidity(large ? field.dataset.tooLarge : "");
    if (large) field.reportValidity();
  });
})();
