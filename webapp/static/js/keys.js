// The keyboard: global shortcuts, keys printed on buttons (data-key), worklists, and the "?" sheet.
(() => {
  "use strict";
  const G = window.Gridhall;
  const GO = { t: "tickets", a: "alerts", o: "outages", c: "customers", m: "meters", p: "apps", h: "home" };

  const singles = () => { try { return localStorage.getItem("gridhall.keys") !== "off"; } catch { return true; } };
  const showSingles = () => document.documentElement.classList.toggle("nokeys", !singles());
  showSingles();

  const visible = el => el.getClientRects().length > 0 && !el.matches(":disabled, .disabled");
  /** Where keys act: inside the open dialog, else on the page. */
  const stage = () => [...document.querySelectorAll("dialog[open]")].pop() || document;
  const keyed = () => [...stage().querySelectorAll("[data-key]")].filter(visible);

  const press = el => {
    if (G.typing(el)) { el.focus(); el.select?.(); }
    else el.click();
  };

  // ---- worklists: rows of [data-row], the current one has class cur
  const rows = () => [...stage().querySelectorAll("[data-row]")].filter(visible);
  let current = "", anchor = "";
  const currentRow = list => list.find(row => row.id === current)
    || list.find(row => row.contains(document.activeElement)) || list.find(row => row.getAttribute("aria-current") === "true");
  const showCurrent = () => {
    document.querySelectorAll("[data-row].cur").forEach(row => { if (row.id !== current) row.classList.remove("cur"); });
    if (current) document.getElementById(current)?.classList.add("cur");
  };
  const move = step => {
    const list = rows();
    if (!list.length) return false;
    const at = list.indexOf(currentRow(list));
    const next = list[Math.min(list.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : list.length - 1) : at + step))];
    current = next.id;
    showCurrent();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    next.dispatchEvent(new CustomEvent("gridhall:row", { bubbles: true }));
    return true;
  };
  const open = row => {
    const link = row.querySelector("a.open, a[data-open]");
    if (link) link.click();
    else if (row.dataset.href) location.href = row.dataset.href;
    else return false;
    return true;
  };
  const select = (row, range) => {
    const box = row.querySelector("input[data-select]");
    if (!box) return false;
    const list = rows(), from = list.findIndex(item => item.id === anchor), to = list.indexOf(row);
    if (range && from >= 0) {
      list.slice(Math.min(from, to), Math.max(from, to) + 1).forEach(item => {
        const one = item.querySelector("input[data-select]");
        if (one) one.checked = true;
      });
    } else box.checked = !box.checked;
    anchor = row.id;
    box.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };
  G.onRefresh(showCurrent);
  document.addEventListener("click", event => {
    const row = event.target.closest?.("[data-row]");
    if (!row) return;
    current = row.id;
    showCurrent();
    if (event.target.closest("a, button, input, label, summary") || getSelection().toString()) return;
    open(row);
  });

  const escape = () => {
    const menu = document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); return true; }
    const chosen = [...document.querySelectorAll("input[data-select]:checked")];
    if (!chosen.length) return false;
    chosen.forEach(box => { box.checked = false; });
    G.showSelection?.();
    return true;
  };

  // ---- the sheet
  const sheet = () => {
    const dialog = Object.assign(document.createElement("dialog"), { className: "ps-dialog l" });
    dialog.setAttribute("aria-labelledby", "keysheet-title");
    const make = (tag, cls, text = "") => Object.assign(document.createElement(tag), { className: cls, textContent: text });
    const list = pairs => {
      const dl = make("dl", "keysheet");
      pairs.forEach(([key, words]) => {
        const line = make("div", ""), dt = make("dt", "");
        key.split(" ").forEach(one => dt.append(make("kbd", "kbd", one), " "));
        line.append(dt, make("dd", "", words));
        dl.append(line);
      });
      return dl;
    };
    const label = el => el.dataset.keyLabel || el.getAttribute("aria-label") || [...el.childNodes]
      .filter(node => !node.matches?.(".kbd, svg, .n, .cnt")).map(node => node.textContent).join("").trim() || el.title;
    const here = keyed().map(el => [el.dataset.key, label(el)]);
    if (rows().length) {
      here.push(["J K", G.t("keys.rows")], ["↵", G.t("keys.open")]);
      if (document.querySelector("input[data-select]")) here.push(["X", G.t("keys.select")]);
    }
    const everywhere = [["?", G.t("keys.sheet")], ["[", G.t("keys.sidebar")], ["Esc", G.t("keys.escape")], ["Ctrl ↵", G.t("keys.submit")]];
    if (document.getElementById("search")) everywhere.unshift(["/", G.t("keys.search")]);
    for (const [key, name] of Object.entries(GO)) {
      const link = document.querySelector(`[data-nav="${name}"]`);
      if (link) everywhere.push([`G ${key.toUpperCase()}`, link.title]);
    }
    const head = make("div", "hd"), body = make("div", "bd stack g12"), foot = make("div", "ft");
    head.append(Object.assign(make("h2", "", G.t("keys.title")), { id: "keysheet-title" }));
    if (here.length) body.append(make("h3", "ps-sub", G.t("keys.this_page")), list(here));
    body.append(make("h3", "ps-sub", G.t("keys.everywhere")), list(everywhere));
    const choice = make("label", "ck-line note-left"), box = Object.assign(make("input", "ck"), { type: "checkbox", checked: singles() });
    choice.append(box, make("span", "", G.t("keys.single")));
    box.addEventListener("change", () => {
      try { localStorage.setItem("gridhall.keys", box.checked ? "on" : "off"); } catch { /* private window */ }
      showSingles();
    });
    const close = Object.assign(make("button", "btn", G.t("ui.close")), { type: "button" });
    close.addEventListener("click", () => dialog.close());
    foot.append(choice, close);
    dialog.append(head, body, foot);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
  };
  document.addEventListener("click", event => { if (event.target.closest?.("[data-key-sheet]")) sheet(); });

  // ---- one listener for all
  let waitingForGo = 0;
  const withControl = event => {
    const search = document.getElementById("search");
    if (event.key.toLowerCase() === "k" && search) { search.focus(); search.select(); return true; }
    if (event.key !== "Enter" && event.key.toLowerCase() !== "s") return false;
    const form = document.activeElement?.form || stage().querySelector("form[data-guard], form[data-primary]");
    if (event.shiftKey) {
      const second = event.key === "Enter" && stage().querySelector("button[data-secondary]");
      if (second && visible(second)) second.click();
      return Boolean(second);
    }
    const primary = form?.querySelector(".btn-primary, .btn-danger") || stage().querySelector("button[data-primary]");
    if (primary && visible(primary)) primary.click();
    else if (form) form.requestSubmit();
    return Boolean(primary || form);
  };
  const single = event => {
    const key = event.key;
    const go = waitingForGo > Date.now() && GO[key.toLowerCase()];
    waitingForGo = 0;
    const link = go && document.querySelector(`[data-nav="${go}"]`);
    if (link) { link.click(); return true; }
    if (key === "?") { sheet(); return true; }
    if (key === "/" && document.getElementById("search")) { document.getElementById("search").focus(); return true; }
    if (key === "[" && stage() === document) { G.toggleRail(); return true; }
    const own = keyed().find(el => el.dataset.key.toLowerCase() === key.toLowerCase());
    if (own) { press(own); return true; }
    if (key.toLowerCase() === "g") { waitingForGo = Date.now() + 1500; return true; }
    const list = rows(), row = currentRow(list);
    switch (key) {
      case "j": case "ArrowDown": return list.length > 0 && (key === "j" || Boolean(row)) && move(1);
      case "k": case "ArrowUp": return list.length > 0 && (key === "k" || Boolean(row)) && move(-1);
      case "x": case "X": return Boolean(row) && select(row, event.shiftKey);
      case "Enter": return document.activeElement === row && Boolean(row) && open(row);
      case " ": {
        const preview = document.activeElement === row && row?.querySelector("[data-preview]");
        if (preview) preview.click();
        return Boolean(preview);
      }
      default: return false;
    }
  };
  document.addEventListener("keydown", event => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    let done = false;
    const named = /^F[0-9]+$/.test(event.key) && document.querySelector(`[data-fkey="${event.shiftKey ? "Shift " : ""}${event.key}"]`);
    if (named && visible(named)) { named.click(); done = true; }
    else if (event.key === "Escape") done = stage() === document && !G.typing(document.activeElement) ? escape() : false;
    else if (event.ctrlKey || event.metaKey) done = withControl(event);
    else if (!G.typing(event.target)) {
      const plain = ["Enter", " ", "ArrowDown", "ArrowUp", "?"].includes(event.key);
      if (plain || singles()) done = single(event);
    }
    if (done) event.preventDefault();
  });
})();
