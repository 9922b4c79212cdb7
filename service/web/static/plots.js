// Live charts: each figure with `data-series` is drawn from that address, in the page's colors, and again when it moves.
(() => {
  "use strict";
  const GAP_MS = 1000; // a chart that moves all the time is drawn again this often
  const drawn = new Map(); // figure -> { plot, series }
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const forms = {
    frac: (value) => (100 * value).toFixed(2) + "%",
    usd: (value) => Math.round(value).toLocaleString("en-US"),
    ratio: (value) => value.toFixed(2),
    count: (value) => Math.round(value).toLocaleString("en-US"),
  };
  const written = (unit) => (value) => (value == null ? "–" : (forms[unit] ?? String)(value).replace("-", "\u2212"));

  // Along an axis as many decimals as its steps need, and no more.
  const ticked = (unit) => (_plot, ticks, _axis, _space, step) => {
    if (unit !== "frac") return ticks.map(written(unit));
    const digits = Math.max(0, -Math.floor(Math.log10(100 * step) + 1e-9));
    return ticks.map((value) => (100 * value).toFixed(digits).replace("-", "\u2212") + "%");
  };
  // Days as a person writes them, the same everywhere; the year stands below where it changes.
  const told = (at, form) => new Date(1000 * at).toLocaleString("en-GB", { timeZone: "UTC", ...form });
  const dated = (_plot, splits, _axis, _space, step) => splits.map((at, place) => {
    const year = told(at, { year: "numeric" });
    const isNew = place === 0 || year !== told(splits[place - 1], { year: "numeric" });
    if (step >= 28 * 86400) return told(at, { month: "short" }) + (isNew ? "\n" + year : "");
    if (step >= 86400) return told(at, { day: "numeric", month: "short" }) + (isNew ? "\n" + year : "");
    return told(at, { hour: "2-digit", minute: "2-digit", ...(step < 60 ? { second: "2-digit" } : {}) });
  });
  const toLast = (plot) => { if (plot.cursor.idx == null) plot.setLegend({ idx: plot.data[0].length - 1 }); };

  async function fetchSeries(figure) {
    const reply = await fetch(figure.dataset.series, { headers: { "HX-Request": "true" } });
    if (!reply.ok) throw new Error("series " + reply.status);
    return reply.json();
  }

  function options(figure, series) {
    const letter = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16; // as large as the reader's are
    const font = 11 * letter + "px system-ui, sans-serif";
    const form = written(series.unit);
    const axis = { stroke: token("soft"), font, ticks: { show: false }, grid: { stroke: token("line"), width: 1 } };
    const lines = series.lines.map((line) => ({
      label: line.name, stroke: token(line.tone), width: line.tone === "c0" ? 1.8 : 1.3, points: { show: false },
      fill: line.fill ? token(line.tone) + "22" : undefined, value: (_, value) => form(value), spanGaps: true,
    }));
    return {
      width: figure.clientWidth, height: Number(figure.dataset.height), series: [{ label: "session", value: "{YYYY}-{MM}-{DD}" }, ...lines],
      tzDate: (at) => uPlot.tzDate(new Date(1000 * at), "Etc/UTC"),
      scales: { x: { time: true } },
      axes: [
        { ...axis, grid: { show: false }, size: 38 * letter, space: 56 * letter, values: dated },
        { ...axis, size: 52 * letter, space: 32 * letter, values: ticked(series.unit) },
      ],
      hooks: { ready: [toLast], setData: [toLast], setCursor: [toLast] },
      cursor: { sync: { key: figure.dataset.sync || figure.id }, points: { size: 6 }, drag: { x: true, y: false } },
    };
  }

  function draw(figure, series) {
    drawn.get(figure)?.plot.destroy();
    const canvas = figure.querySelector(".canvas");
    canvas.replaceChildren();
    if (series.x.length < 2) { drawn.delete(figure); canvas.textContent = "Two closed sessions are needed for a line."; return; }
    const data = [series.x, ...series.lines.map((line) => line.values)];
    drawn.set(figure, { series, plot: new uPlot(options(figure, series), data, canvas) });
    canvas.querySelector(".u-legend")?.setAttribute("role", "presentation"); // the figures stand in the table beside it
  }

  async function load(figure) {
    if (figure.dataset.busy) { figure.dataset.again = "yes"; return; }
    figure.dataset.busy = "yes";
    try {
      const series = await fetchSeries(figure);
      const known = drawn.get(figure);
      const isSame = known && known.series.lines.length === series.lines.length && known.series.range === series.range;
      if (isSame) {
        known.series = series;
        known.plot.setData([series.x, ...series.lines.map((line) => line.values)]);
      } else draw(figure, series);
    } catch (error) {
      figure.querySelector(".canvas").textContent = "The chart can't be loaded now; the table below can.";
    } finally {
      delete figure.dataset.busy;
      if (figure.dataset.again) { delete figure.dataset.again; setTimeout(() => load(figure), GAP_MS); }
    }
  }

  const figures = () => [...document.querySelectorAll("[data-series]")];
  document.addEventListener("parley:moved", (event) => {
    if (event.detail.has("marks")) for (const figure of figures()) load(figure);
  });
  document.addEventListener("parley:theme", () => {
    for (const [figure, { series }] of drawn) draw(figure, series);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("parley:theme")));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-range]");
    if (!button) return;
    for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
    for (const figure of figures()) {
      const url = new URL(figure.dataset.series, location.origin);
      url.searchParams.set("range", button.dataset.range);
      figure.dataset.series = url.pathname + url.search;
      load(figure);
    }
  });
  addEventListener("DOMContentLoaded", () => {
    const watcher = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const known = drawn.get(target);
        if (known && target.clientWidth && known.plot.width !== target.clientWidth) {
          known.plot.setSize({ width: target.clientWidth, height: known.plot.height });
        }
      }
    });
    for (const figure of figures()) { watcher.observe(figure); load(figure); }
  });
})();
