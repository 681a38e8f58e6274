// Public pages have no stream: their parts are read again every half minute, and on coming back.
(() => {
  "use strict";
  const G = window.Gridhall;
  const EVERY = 30000; // [ms]
  const again = () => { if (!document.hidden) G.reread(); };
  setInterval(again, EVERY);
  document.addEventListener("visibilitychange", again);
})();
