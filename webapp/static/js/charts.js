// Draws charts from JSON: <div data-chart id="x"> with <script type="application/json" class="chart-data" data-for="x">.
// Colours are read from the custom properties, so every theme is one code path. Times are the
// office's wall clock in milliseconds, drawn on a plain value axis.
(() => {
  "use strict";
  const G = window.Gridhall;
  if (!window.echarts) return;
  const SIZE = 11;

  // light-dark() resolves only in a real property, so a probe wears each colour once per theme
  const probe = Object.assign(document.createElement("span"), { hidden: true });
  document.body.append(probe);
  let colors = new Map();
  const css = name => {
    if (!colors.has(name)) {
      probe.style.color = `var(--ps-${name})`;
      colors.set(name, getComputedStyle(probe).color);
    }
    return colors.get(name);
  };
  const font = () => getComputedStyle(document.body).fontFamily;
  const faded = (color, alpha) => echarts.color.modifyAlpha(color, alpha);

  const two = n => String(n).padStart(2, "0");
  const parts = ms => { const d = new Date(ms); return { date: `${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`, time: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}` }; };
  const number = (value, decimals) => {
    const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return value < 0 && /[1-9]/.test(text) ? `\u2212${text}` : text;
  };

  const label = extra => ({ color: css("axis"), fontSize: SIZE, fontFamily: font(), ...extra });
  const timeAxis = x => ({
    type: "value", min: x.min, max: x.max, interval: x.step, axisTick: { show: false }, splitLine: { show: false },
    axisLine: { lineStyle: { color: css("line-strong") } },
    axisLabel: label({
      hideOverlap: true,
      formatter: ms => {
        const { date, time } = parts(ms);
        if (x.label === "day") return ms >= x.max ? "" : date;
        return ms >= x.max && time === "00:00" ? "24:00" : ms <= x.min ? "" : time;
      },
    }),
  });
  const valueAxis = y => ({
    type: "value", scale: !y.zero, min: y.min, max: y.max, interval: y.step, axisLine: { show: false }, axisTick: { show: false },
    axisLabel: label({ formatter: value => number(value, Number.isInteger(value) ? 0 : 1) }),
    splitLine: { lineStyle: { color: css("grid") } },
  });

  /** What an interval reaches from and to at a time; its drawn series holds only its width. */
  const edges = (spec, at) => {
    const value = points => points.find(point => point[0] === at)?.[1];
    return [spec.interval.low, spec.interval.high].map(points => number(value(points), spec.decimals)).join("\u2013");
  };
  /** The words under the pointer: built as nodes, so that no style attribute is ever parsed. */
  const tip = spec => points => {
    const box = Object.assign(document.createElement("div"), { className: "ps-tip" });
    const at = parts(points[0].axisValue ?? points[0].value[0]);
    box.append(Object.assign(document.createElement("b"), { textContent: spec.x.label === "day" ? `${at.date} ${at.time}` : at.time }));
    points.filter(point => point.value?.[1] != null && !point.seriesName.startsWith("_")).forEach(point => {
      const line = document.createElement("span");
      line.style.setProperty("--tip", point.color);
      const said = point.seriesName === spec.interval?.name ? edges(spec, point.value[0]) : number(point.value[1], spec.decimals);
      line.append(point.seriesName, Object.assign(document.createElement("em"), { textContent: `${said} ${spec.unit}` }));
      box.append(line);
    });
    return box;
  };

  const STYLE = {
    main: { width: 2, type: "solid" }, plain: { width: 1.6, type: "solid" },
    previous: { width: 1.2, type: [4, 3] }, forecast: { width: 1.6, type: [6, 4] },
  };
  const lineOf = (spec, series, newest) => {
    const color = css(series.role === "previous" ? "text-3" : series.role === "forecast" ? "forecast" : series.color);
    const style = STYLE[series.role] || STYLE.plain;
    const option = {
      name: series.name, type: "line", data: series.points, showSymbol: Boolean(spec.dots), symbolSize: 5, symbol: "circle", connectNulls: false,
      lineStyle: { ...style, color }, itemStyle: { color }, emphasis: { disabled: true }, z: series.role === "main" ? 5 : 4, animation: false,
    };
    if (spec.y.zero && series.role === "main") option.areaStyle = { color, opacity: .07 };
    if (newest) {
      option.markPoint = {
        symbol: "circle", symbolSize: 6, silent: true, itemStyle: { color }, data: [{ coord: newest }],
        label: { show: true, position: newest[0] > spec.x.min + (spec.x.max - spec.x.min) * .94 ? "left" : "right", distance: 5, color, fontSize: SIZE, fontWeight: 600, fontFamily: font(), formatter: number(newest[1], spec.decimals) },
      };
    }
    return option;
  };
  const newestOf = series => [...series.points].reverse().find(point => point[1] != null);

  const carrier = (name, extra) => ({ name, type: "line", data: [], silent: true, tooltip: { show: false }, ...extra });
  const bandOf = band => {
    const mark = (yAxis, text, position) => ({ yAxis, label: { formatter: text, position } });
    return carrier(band.name, {
      itemStyle: { color: css("band") }, z: 1,
      markArea: { silent: true, itemStyle: { color: css("band") }, data: [[{ yAxis: band.low }, { yAxis: band.high }]] },
      markLine: {
        silent: true, symbol: "none", lineStyle: { color: css("major-fg"), type: [4, 3], width: 1 },
        label: { fontSize: SIZE, color: css("major-fg"), fontFamily: font(), distance: [0, 2] },
        data: [mark(band.high, band.highText, "insideEndTop"), mark(band.low, band.lowText, "insideEndBottom")],
      },
    });
  };
  const hatch = () => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.fillStyle = css("off-bg");
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = faded(css("crit"), .55);
    pen.lineWidth = 1.2;
    pen.beginPath();
    [[-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]].forEach(([a, b, c, d]) => { pen.moveTo(a, b); pen.lineTo(c, d); });
    pen.stroke();
    return { image: tile, repeat: "repeat" };
  };
  /** What may be known against points: named in the legend, not in the chart. */
  const QUALITIES = ["missing", "doubtful", "late", "filled", "estimated"];
  const zonesOf = spec => {
    const paint = {
      outage: () => ({ color: hatch(), opacity: .75 }),
      major: () => ({ color: css("major"), opacity: .14 }),
      missing: () => ({ color: css("off-line"), opacity: .5 }),
      doubtful: () => ({ color: css("minor"), opacity: .3 }),
      late: () => ({ color: css("info"), opacity: .12 }),
      filled: () => ({ color: css("c4"), opacity: .16 }),
      estimated: () => ({ color: css("c3"), opacity: .2 }),
    };
    return Object.keys(paint).flatMap(tone => {
      const zones = (spec.zones || []).filter(zone => zone.tone === tone);
      if (!zones.length) return [];
      const text = { show: true, position: "insideTop", color: css(tone === "outage" ? "crit-fg" : "text-3"), fontSize: SIZE, fontFamily: font(), fontWeight: 600 };
      const named = QUALITIES.includes(tone);
      return [carrier(named ? zones[0].text : `_${tone}`, {
        itemStyle: named ? paint[tone]() : { color: css("off-line") }, z: tone === "outage" ? 3 : 2,
        markArea: {
          silent: true, itemStyle: paint[tone](),
          data: zones.map(zone => [
            { xAxis: Math.max(zone.from, spec.x.min), name: named ? "" : zone.text, label: { ...text, show: Boolean(zone.text) && !named } },
            { xAxis: Math.min(zone.to, spec.x.max) },
          ]),
        },
      })];
    });
  };
  const limitsOf = spec => (spec.lines || []).map(limit => carrier(`_${limit.text}`, {
    // one unseen point, so that the axis reaches beyond the limit
    data: [[spec.x.min, limit.at * 1.06]], showSymbol: false, lineStyle: { opacity: 0 },
    markLine: {
      silent: true, symbol: "none", lineStyle: { color: css("major-fg"), type: [4, 3], width: 1 },
      label: { formatter: limit.text, position: "insideStartTop", color: css("major-fg"), fontSize: SIZE, fontFamily: font() },
      data: [{ yAxis: limit.at }],
    },
  }));
  /** A forecast's interval: an unseen lower edge, and the width above it as a faint area. */
  const intervalOf = spec => {
    if (!spec.interval) return [];
    const { name, low, high } = spec.interval, color = css("forecast");
    const unseen = { type: "line", stack: "interval", stackStrategy: "all", showSymbol: false, silent: true, lineStyle: { opacity: 0 }, emphasis: { disabled: true }, animation: false, z: 1 };
    return [
      { ...unseen, name: "_low", data: low, tooltip: { show: false }, itemStyle: { color } },
      { ...unseen, name, data: high.map(([at, value], place) => [at, value == null || low[place][1] == null ? null : value - low[place][1]]), areaStyle: { color, opacity: .16 }, itemStyle: { color, opacity: .35 } },
    ];
  };
  const peakOf = spec => !spec.peak ? [] : [carrier("_peak", {
    z: 7,
    markPoint: {
      symbol: "circle", symbolSize: 7, silent: true, itemStyle: { color: css("surface"), borderColor: css("forecast"), borderWidth: 2 },
      data: [{ coord: [spec.peak.at, spec.peak.value] }],
      label: { show: true, position: spec.peak.left ? "left" : "right", distance: 8, offset: [0, -10], color: css("forecast"), fontSize: SIZE, fontWeight: 600, fontFamily: font(), formatter: spec.peak.text },
    },
  })];
  /** Bars around zero, those beyond the limit in the colour of a major fault. */
  const barsOf = spec => {
    const limit = spec.bars.limit;
    return [{
      name: spec.series[0].name, type: "bar", barWidth: "70%", animation: false, z: 3,
      data: spec.series[0].points.map(([at, value]) => ({ value: [at, value], itemStyle: { color: css(Math.abs(value) > limit ? "major" : "c1"), opacity: .85 } })),
      markLine: {
        silent: true, symbol: "none", label: { show: false }, lineStyle: { color: css("major-fg"), type: [4, 3], width: 1 },
        data: [{ yAxis: limit }, { yAxis: -limit }],
      },
    }];
  };
  const nowOf = spec => !spec.now ? [] : [carrier("_now", {
    z: 6,
    markLine: {
      silent: true, symbol: "none", lineStyle: { color: css("text-3"), width: 1, type: "solid" },
      label: { formatter: spec.now.text, color: css("text-2"), fontSize: SIZE, fontFamily: font(), position: "end", distance: 4 },
      data: [{ xAxis: spec.now.at }],
    },
  })];

  const lines = spec => {
    const drawn = spec.series.filter(series => series.points.some(point => point[1] != null));
    const lowest = spec.interval && drawn[0]?.role === "forecast" ? null : spec.band ? [...drawn].sort((a, b) => newestOf(a)[1] - newestOf(b)[1])[0] : drawn[0];
    const named = spec.bars ? [] : spec.series.map(series => series.name);
    if (spec.interval) named.splice(2, 0, { name: spec.interval.name, icon: "rect" });
    QUALITIES.forEach(tone => {
      const text = (spec.zones || []).find(zone => zone.tone === tone)?.text;
      if (text) named.push({ name: text, icon: "rect" });
    });
    return {
      animation: false,
      textStyle: { fontFamily: font(), fontSize: SIZE, color: css("text-2") },
      grid: { left: 46, right: spec.band ? 24 : 18, top: spec.bars ? 10 : spec.interval ? 44 : 30, bottom: 24, containLabel: false },
      legend: { type: spec.interval ? "scroll" : "plain", pageIconSize: 9, data: named, top: 0, left: 38, itemWidth: 14, itemHeight: 8, itemGap: 14, selectedMode: false, textStyle: label({ color: css("text-2") }) },
      tooltip: {
        trigger: "axis", confine: true, formatter: tip(spec), padding: [6, 10], backgroundColor: css("surface"), borderColor: css("line"),
        axisPointer: { lineStyle: { color: css("line-strong") } },
      },
      xAxis: timeAxis(spec.x),
      yAxis: valueAxis(spec.y),
      graphic: drawn.length ? [] : [{
        type: "text", left: "center", top: "middle", silent: true,
        style: { text: G.t("ui.no_data"), fill: css("text-3"), font: `13px ${font()}` },
      }],
      series: [
        ...(spec.band ? [bandOf(spec.band)] : []), ...zonesOf(spec), ...intervalOf(spec),
        ...(spec.bars ? barsOf(spec) : spec.series.map(series => lineOf(spec, series, series === lowest ? newestOf(series) : null))),
        ...limitsOf(spec), ...peakOf(spec), ...nowOf(spec),
      ],
    };
  };

  /** A heat map of shares: five classes, hatched cells that do not count, nothing for the unknown. */
  const heat = spec => {
    const words = point => {
      const box = Object.assign(document.createElement("div"), { className: "ps-tip" });
      box.append(Object.assign(document.createElement("b"), { textContent: point.data.text }));
      return box;
    };
    const axis = { type: "category", axisTick: { show: false }, axisLine: { show: false }, splitLine: { show: false } };
    const tile = hatch();
    return {
      animation: false,
      textStyle: { fontFamily: font(), fontSize: SIZE, color: css("text-2") },
      grid: { left: 116, right: 12, top: 6, bottom: 52 },
      tooltip: { confine: true, formatter: words, padding: [6, 10], backgroundColor: css("surface"), borderColor: css("line") },
      xAxis: { ...axis, data: spec.columns, axisLabel: label({ interval: place => place % 3 === 0 }) },
      yAxis: { ...axis, data: spec.rows, axisLabel: label({ color: css("text-2"), width: 104, overflow: "truncate" }) },
      visualMap: {
        type: "piecewise", orient: "horizontal", left: 108, bottom: 0, itemWidth: 14, itemHeight: 10, itemGap: 14, dimension: 2, seriesIndex: 0, selectedMode: false,
        textStyle: label({ color: css("text-2") }),
        pieces: spec.classes.map(({ least, color, name }, place) => ({ gte: least, ...(place ? { lt: spec.classes[place - 1].least } : {}), color: css(color), label: name })),
      },
      graphic: spec.cells.length || spec.dark.length ? [] : [{
        type: "text", left: "center", top: "middle", silent: true,
        style: { text: G.t("ui.no_data"), fill: css("text-3"), font: `13px ${font()}` },
      }],
      series: [
        {
          type: "heatmap", data: spec.cells.map(cell => ({ ...cell, value: [...cell.at, cell.share] })),
          itemStyle: { borderColor: css("surface"), borderWidth: 2, borderRadius: 3 }, emphasis: { itemStyle: { borderColor: css("text") } },
          label: { show: true, color: "#fff", fontSize: SIZE, fontFamily: font(), formatter: point => (point.value[2] < 95 ? String(Math.floor(point.value[2])) : "") },
        },
        {
          name: spec.darkName, type: "custom", data: spec.dark.map(cell => ({ ...cell, value: cell.at })), itemStyle: { color: css("crit") }, z: 5,
          renderItem(_, api) {
            const [x, y] = api.coord([api.value(0), api.value(1)]), [w, h] = api.size([1, 1]);
            return { type: "rect", shape: { x: x - w / 2 + 1, y: y - h / 2 + 1, width: w - 2, height: h - 2, r: 3 }, style: { fill: tile } };
          },
        },
      ],
    };
  };
  const optionOf = spec => (spec.kind === "heat" ? heat(spec) : lines(spec));

  // ---- mounting
  const drawn = new WeakMap(); // place: { chart, text }
  const places = new Set();
  const resized = new ResizeObserver(entries => entries.forEach(entry => drawn.get(entry.target)?.chart.resize()));
  const draw = (place, force) => {
    const text = document.querySelector(`script.chart-data[data-for="${CSS.escape(place.id)}"]`)?.textContent;
    if (!text) return;
    let known = drawn.get(place);
    if (known && known.text === text && !force) return;
    if (!known) {
      known = { chart: echarts.init(place, null, { renderer: "canvas" }) };
      known.chart.on("click", point => { if (point.data?.href) location.assign(point.data.href); });
      drawn.set(place, known);
      places.add(place);
      resized.observe(place);
    }
    known.text = text;
    known.chart.setOption(optionOf(JSON.parse(text)), { notMerge: true });
  };
  const drawAll = force => {
    document.querySelectorAll("[data-chart][id]").forEach(place => draw(place, force));
    places.forEach(place => {
      if (place.isConnected) return;
      drawn.get(place)?.chart.dispose();
      resized.unobserve(place);
      places.delete(place);
    });
  };
  const repaint = () => { colors = new Map(); drawAll(true); };
  document.addEventListener("gridhall:theme", repaint);
  matchMedia("print").addEventListener("change", repaint);
  // the canvas measures text once: draw again when the font is here
  document.fonts?.load("11px 'Inter PS'").then(() => drawAll(true)).catch(() => {});
  G.onRefresh(() => drawAll(false));
})();
