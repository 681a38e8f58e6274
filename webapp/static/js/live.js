// One stream of signals for all tabs of a browser. A signal says what changed, never how: the parts
// of the page that care read themselves again. Events of the stream: hello {at}, signal {topic, id,
// version}, beat every four seconds.
(() => {
  "use strict";
  const G = window.Gridhall;
  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;

  const STALE = 10000;  // [ms] without a sign of life: say so
  const DEAD = 15000;   // [ms] the line is open but silent: open it again
  const OFFLINE = 60000;
  const POLL = 10000, POLL_HIDDEN = 60000;
  const KNOCK = 30000;  // [ms] between attempts while the server refuses streams
  const FORGET = 150000; // [ms] a tab that said nothing for so long is gone

  const tab = Math.random().toString(36).slice(2);
  const channel = window.BroadcastChannel ? new BroadcastChannel(`gridhall:${address}`) : null;
  const shared = Boolean(channel && navigator.locks);

  let mode = "connecting"; // connecting, open, lost, polling
  let sign = Date.now();   // when the stream last showed life, on this computer's clock
  let dataTime = G.now();  // the same on the server's clock: what is on the screen is of then
  let polled = Date.now();

  // ---- what arrives, in every tab
  const topicsHere = () => new Set(G.parts().flatMap(part => (part.dataset.topics || "").split(/\s+/).filter(Boolean)));
  const concerns = (part, signal) => {
    const topics = (part.dataset.topics || "").split(/\s+/);
    return topics.includes(signal.topic) || (signal.id != null && topics.includes(`${signal.topic}:${signal.id}`));
  };
  const arrive = (name, data) => {
    sign = Date.now();
    const time = data?.at ?? data?.now;
    if (time) { G.setServerTime(time); document.dispatchEvent(new CustomEvent("gridhall:clock")); }
    dataTime = G.now();
    if (name === "signal") {
      G.parts().forEach(part => { if (concerns(part, data)) G.schedule(part); });
      document.dispatchEvent(new CustomEvent("gridhall:signal", { detail: data }));
    }
    const before = mode;
    mode = "open";
    // whatever was signalled while nobody listened is made good by reading everything
    const forMe = name === "hello" && (!data?.to || data.to === tab);
    if (forMe || before !== "open") G.reread();
    show();
  };
  const refuse = () => { if (mode !== "polling") { mode = "polling"; polled = 0; } show(); };

  // ---- the stream, in one tab
  let leader = false, release = null, waiting = null, source = null, covered = new Set(), retry = 0;
  const wanted = new Map(); // tab: { topics, at }

  const tell = message => { if (shared) channel.postMessage({ from: tab, ...message }); };
  const union = () => {
    for (const [name, want] of wanted) if (name !== tab && Date.now() - want.at > FORGET) wanted.delete(name);
    wanted.set(tab, { topics: topicsHere(), at: Date.now() });
    return new Set([...wanted.values()].flatMap(want => [...want.topics]));
  };
  const disconnect = () => { clearTimeout(retry); retry = 0; source?.close(); source = null; };
  const connect = () => {
    disconnect();
    covered = union();
    const url = new URL(address, location.href);
    url.searchParams.set("topics", [...covered].sort().join(","));
    const stream = source = new EventSource(url);
    for (const name of ["hello", "beat", "signal"]) {
      stream.addEventListener(name, event => {
        let data = null;
        try { data = event.data ? JSON.parse(event.data) : null; } catch { /* a beat may be bare */ }
        arrive(name, data);
        tell({ kind: "event", name, data });
      });
    }
    stream.addEventListener("error", () => {
      // a broken line is opened again by the browser; a refusal (503, 401) is for us
      if (stream.readyState !== EventSource.CLOSED || stream !== source) return;
      disconnect();
      refuse();
      tell({ kind: "refused" });
      retry = setTimeout(connect, KNOCK);
    });
  };
  let settling = 0;
  const cover = () => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      if (leader && [...union()].some(topic => !covered.has(topic))) connect();
    }, 200);
  };
  const lead = () => { leader = true; sign = Date.now(); connect(); };
  const start = () => {
    if (!shared) { lead(); return; }
    waiting = new AbortController();
    navigator.locks.request(`gridhall:${address}`, { signal: waiting.signal },
      () => new Promise(resolve => { release = resolve; lead(); })).catch(() => {});
    ask();
  };
  const stop = () => { disconnect(); leader = false; waiting?.abort(); release?.(); release = null; tell({ kind: "gone" }); };
  const ask = () => { if (!leader) tell({ kind: "want", topics: [...topicsHere()] }); };

  if (shared) {
    channel.addEventListener("message", ({ data: message }) => {
      if (message.kind === "event") arrive(message.name, message.data);
      else if (message.kind === "refused") refuse();
      else if (!leader) return;
      else if (message.kind === "gone") wanted.delete(message.from);
      else if (message.kind === "want") {
        const news = !wanted.has(message.from);
        wanted.set(message.from, { topics: new Set(message.topics), at: Date.now() });
        if (message.topics.some(topic => !covered.has(topic))) cover();
        // the newcomer missed what was signalled before it could listen
        else if (news && mode === "open") tell({ kind: "event", name: "hello", data: { to: message.from } });
        if (mode === "polling") tell({ kind: "refused" });
      }
    });
  }
  G.onRefresh(() => { if (leader) cover(); });

  // ---- once a second: is it still true that this page is live?
  const pulse = () => {
    const silence = Date.now() - sign;
    if ((mode === "open" || mode === "connecting") && silence > STALE) mode = "lost";
    if (leader && source?.readyState === EventSource.OPEN && silence > DEAD) { sign = Date.now() - STALE; connect(); }
    const poll = mode === "polling" || (mode === "lost" && silence > 2 * STALE);
    if (poll && Date.now() - polled > (document.hidden ? POLL_HIDDEN : POLL)) { polled = Date.now(); G.reread(); }
    show();
  };

  const CHIP = {
    connecting: null,
    open: () => ["on", G.t("live.on")],
    polling: () => ["stale", G.t("live.poll_chip", { clock: G.clock(G.lastRead || dataTime) })],
    lost: () => {
      const silence = Date.now() - sign, clock = G.clock(G.lastRead > dataTime ? G.lastRead : dataTime);
      if (silence > OFFLINE) return ["off", G.t("live.down", { time: clock })];
      return ["stale", G.t("live.late", { time: G.duration(silence / 1000), clock })];
    },
  };
  const show = () => {
    const now = CHIP[mode]?.();
    if (now) {
      document.querySelectorAll("[data-live-chip]").forEach(chip => {
        const cls = `live ${now[0]}`;
        if (chip.className !== cls) chip.className = cls;
        if (chip.textContent !== now[1]) chip.textContent = now[1];
      });
    }
    const bar = document.getElementById("live-lost");
    if (!bar) return;
    const text = mode === "lost" ? G.t("live.lost", { time: G.clock(dataTime) }) : mode === "polling" ? G.t("live.polling") : "";
    bar.hidden = !text || !G.parts().length;
    const line = bar.querySelector("[data-text]");
    if (line.textContent !== text) line.textContent = text;
  };
  G.onRefresh(show);

  setInterval(pulse, 1000);
  setInterval(ask, 30000);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", event => { if (event.persisted) { mode = "connecting"; start(); } });
  document.addEventListener("visibilitychange", () => {
    pulse();
    // without locks every tab has a line of its own: a hidden one gives its line back
    if (shared) return;
    if (document.hidden) disconnect(); else if (!source) connect();
  });
  start();
})();
