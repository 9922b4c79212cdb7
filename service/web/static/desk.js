// The web desk in the browser: keeps a page's parts fresh, says how live it is, and opens what is asked for.
(() => {
  "use strict";
  const GAP_MS = 150; // parts rest so long between two loads; the server tells of what moved twice a second at most
  const SILENT_MS = 6000; // the stream says something every two seconds, or it is gone
  const BEHIND_MS = 2000;
  const FOOTING_MS = 15000; // a desk that stops says nothing, so it is asked for
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const cookie = (name) => document.cookie.split("; ").find((item) => item.startsWith(name + "="))?.slice(name.length + 1) ?? "";

  // Every write carries the token that only a page of this desk can read.
  document.addEventListener("htmx:config:request", (event) => {
    event.detail.ctx.request.headers["X-CSRF-Token"] = cookie("parley_csrf");
  });

  // --- Parts: what has moved is loaded together, in one call at a time ---------------------------------------------
  const wanted = new Map(); // section -> { seq, since }
  const loading = { busy: false, last: 0, timer: 0, since: 0 };
  const live = { seq: 0, heard: 0, ended: "" };

  function want(section, seq) {
    const own = wanted.get(section) ?? { seq, since: performance.now() };
    own.seq = Math.max(own.seq, seq);
    wanted.set(section, own);
    if (loading.busy || loading.timer) return;
    loading.timer = setTimeout(load, Math.max(0, loading.last + GAP_MS - performance.now()));
  }

  async function load() {
    const sections = [...wanted].filter(([section]) => section.isConnected);
    wanted.clear();
    Object.assign(loading, { timer: 0, busy: sections.length > 0 });
    if (!sections.length) return;
    const query = new URLSearchParams(location.search);
    query.set("at", String(Math.max(...sections.map(([, own]) => own.seq))));
    query.set("names", sections.map(([section]) => section.dataset.part).join(" "));
    loading.since = Math.min(...sections.map(([, own]) => own.since));
    try {
      await htmx.ajax("GET", "/parts?" + query, { source: find("main"), target: find("main"), swap: "none" });
      for (const [section] of sections) section.removeAttribute("data-lazy");
    } finally {
      Object.assign(loading, { busy: false, last: performance.now(), since: 0 });
      for (const [section, own] of [...wanted]) want(section, own.seq);
    }
  }

  document.addEventListener("changed", (event) => {
    const said = hear(event);
    const moved = new Set(said.topics);
    if (!document.body.dataset.run && said.run) return location.reload(); // the book's first run has begun
    for (const section of all("[data-part]")) {
      if (section.dataset.topics.split(" ").some((topic) => moved.has(topic))) want(section, said.seq);
    }
    document.dispatchEvent(new CustomEvent("parley:moved", { detail: moved }));
  });
  document.addEventListener("alive", hear);
  document.addEventListener("ended", (event) => { live.ended = JSON.parse(event.detail.data).message; show(); });

  function hear(event) {
    const said = JSON.parse(event.detail.data);
    const now = performance.now();
    if (document.body.dataset.run && !said.seq) return said; // the server has not looked at the log yet
    const isFirst = !live.heard || now - live.heard > SILENT_MS;
    Object.assign(live, { seq: said.seq, heard: now, ended: "" });
    if (isFirst) wantBeside(said.seq);
    const followed = document.body.dataset.follows;
    if (followed !== undefined && said.newest && said.newest !== followed) tell("A newer run has begun.", "Show it");
    show();
    return said;
  }

  // What stands beside the log has no place in it: it may have moved before the stream was heard.
  function wantBeside(seq) {
    const beside = ["alerts", "approvals", "controls", "jobs"];
    for (const section of all("[data-part]")) {
      if (section.dataset.topics.split(" ").some((topic) => beside.includes(topic))) want(section, seq);
    }
  }

  function tell(text, action) {
    const notice = find("#notice");
    if (!notice.hidden) return;
    const link = Object.assign(document.createElement("a"), { href: location.pathname, textContent: action });
    notice.replaceChildren(text + " ", link);
    notice.hidden = false;
  }

  function show() {
    const box = find("#live");
    if (!box) return;
    const now = performance.now();
    const oldest = Math.min(loading.since || now, ...[...wanted.values()].map((own) => own.since));
    const late = now - oldest > BEHIND_MS;
    const silent = Math.round((now - live.heard) / 1000);
    let mode = "on";
    let text = "up to date, event " + live.seq.toLocaleString("en-US");
    if (live.ended) [mode, text] = ["off", "not live: " + live.ended];
    else if (!live.heard) [mode, text] = ["off", "not live yet"];
    else if (now - live.heard > SILENT_MS) [mode, text] = ["behind", "behind: nothing heard for " + silent + " s"];
    else if (late) [mode, text] = ["behind", "behind: catching up to event " + live.seq.toLocaleString("en-US")];
    if (box.dataset.live !== mode) box.dataset.live = mode;
    if (box.title !== text) box.title = find("span", box).textContent = text;
    titled();
  }

  // What waits for a person is told where other windows hide the page.
  const title = document.title;
  function titled() {
    const waits = parseInt(find(".chip .waits")?.textContent ?? "0", 10);
    const text = waits ? `(${waits}) ${title}` : title;
    if (document.title !== text) document.title = text;
  }

  function askFooting() {
    const section = find("#part-desk_footing");
    if (section && document.visibilityState === "visible") want(section, live.seq);
  }

  // --- Chat ------------------------------------------------------------------------------------------------------
  function openChat(isOpen) {
    const panel = find("#chat");
    if (!panel || panel.hidden === !isOpen) return;
    panel.hidden = !isOpen;
    document.body.classList.toggle("chatting", isOpen);
    find("#chat-open").setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) { find("#chat-open").focus(); return; }
    const log = find("#chat-log");
    if (!log.dataset.loaded) {
      log.dataset.loaded = "yes";
      htmx.ajax("GET", log.dataset.history, { source: log, target: log, swap: "afterbegin" }).then(() => toEnd(log));
    }
    find("#chat-text").focus();
  }
  const toEnd = (log) => { log.scrollTop = log.scrollHeight; };

  // --- Keys, clicks and what opens ---------------------------------------------------------------------------------
  let isGoing = false;
  const hasKeys = () => localStorage.getItem("parley_keys") !== "off";

  function showKeys() {
    find("#dialog-body").replaceChildren(find("#keys").content.cloneNode(true));
    sayKeys(find("#keys-switch"));
    find("#dialog").showModal();
  }

  function sayKeys(button) {
    button.setAttribute("aria-pressed", String(hasKeys()));
    button.textContent = "Keys of one letter are " + (hasKeys() ? "on" : "off");
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !find("dialog[open]")) { openChat(false); return closeMenus(null); }
    if (event.target.closest?.("input, textarea, select") || find("dialog[open]")) return;
    if (event.key === "?" && find("#keys")) return showKeys();
    if (!hasKeys()) return;
    if (isGoing) {
      isGoing = false;
      const link = all(".side a[data-key]").find((item) => item.dataset.key === event.key);
      if (link) { event.preventDefault(); link.click(); }
    } else if (event.key === "g") {
      isGoing = true;
      setTimeout(() => { isGoing = false; }, 1500);
    } else if (event.key === "c" || event.key === "/") {
      event.preventDefault();
      openChat(true);
    }
  });

  function closeMenus(but) {
    for (const menu of all("details.menu[open]")) if (menu !== but) menu.open = false;
  }

  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("details.menu"));
    const button = event.target.closest("button, [data-close]");
    if (!button) return;
    if (button.id === "chat-open") openChat(find("#chat").hidden);
    if (button.id === "chat-close") openChat(false);
    if (button.id === "theme") nextTheme(button);
    if (button.id === "keys-open") { closeMenus(null); showKeys(); }
    if (button.id === "keys-switch") { localStorage.setItem("parley_keys", hasKeys() ? "off" : "on"); sayKeys(button); }
    if (button.hasAttribute("data-close")) find("#dialog").close();
    if (button.dataset.try) {
      const form = find("#chat-form");
      find("#chat-text").value = button.dataset.try;
      form.requestSubmit();
    }
  });

  function nextTheme(button) {
    const order = ["auto", "light", "dark"];
    const root = document.documentElement;
    const next = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    root.dataset.theme = next;
    button.setAttribute("aria-label", "Theme: " + next);
    document.cookie = "parley_theme=" + next + "; path=/; max-age=31536000; samesite=strict";
    document.dispatchEvent(new CustomEvent("parley:theme"));
  }

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.target?.id === "dialog-body" && !find("#dialog").open) find("#dialog").showModal();
    if (event.target.closest?.("#chat")) toEnd(find("#chat-log"));
  });
  document.addEventListener("htmx:before:request", (event) => {
    if (event.target.id === "chat-form") setTimeout(() => event.target.reset());
  });

  // --- Time left ---------------------------------------------------------------------------------------------------
  function countDown() {
    for (const item of all("[data-left-s]")) {
      const end = (item.dataset.end ??= String(performance.now() + 1000 * Number(item.dataset.leftS)));
      const left = Math.max(0, Math.round((Number(end) - performance.now()) / 1000));
      const text = left ? left + " s left" : "over";
      if (item.textContent !== text) item.textContent = text;
      if (!left) for (const button of all("[data-confirm]", item.closest("form") ?? item)) button.disabled = true;
    }
  }

  addEventListener("DOMContentLoaded", () => {
    const dialog = find("#dialog");
    dialog?.addEventListener("close", () => { if (!dialog.open) find("#dialog-body").replaceChildren(); });
    for (const section of all("[data-part][data-lazy]")) want(section, 0);
    if (find("#live")) { setInterval(show, 1000); setInterval(askFooting, FOOTING_MS); }
    const here = find(".side a[aria-current]");
    if (here) here.closest("nav").scrollLeft = here.offsetLeft - (here.closest("nav").clientWidth - here.offsetWidth) / 2;
    setInterval(countDown, 500);
  });
})();
