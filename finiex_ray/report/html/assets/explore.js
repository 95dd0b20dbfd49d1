// Figures of a sweep that a reader steers: a heat map with axes to choose, parallel coordinates of the rows of the table.
"use strict";
(() => {
  const MOST_TEXTS = 150; // cells with their value in them
  const WORST_TO_BEST = ["$down", "$sell", "$muted", "$line4", "$accent"];

  const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const short = (value) => (value === null ? "" : Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 }).replace("-", "\u2212"));

  // Heat map ---------------------------------------------------------------------------------------------------------

  const aggregates = {
    mean: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
    median: (values) => {
      const sorted = [...values].sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    },
    min: (values) => Math.min(...values),
    max: (values) => Math.max(...values),
  };

  const heatmap = (spec, element) => {
    const chosen = (name) => element.closest("figure").querySelector(`[name=${name}]`);
    const [x, y, metric] = ["x", "y"].map((name) => spec.params[chosen(name).value]).concat(spec.metrics[chosen("metric").value]);
    const how = Object.keys(aggregates)[chosen("aggregate").value];
    const cells = y.values.map(() => x.values.map(() => []));
    metric.values.forEach((value, trial) => {
      if (value !== null && x.codes[trial] !== null && y.codes[trial] !== null) cells[y.codes[trial]][x.codes[trial]].push(value);
    });
    const z = cells.map((row) => row.map((values) => (values.length ? aggregates[how](values) : null)));
    const filled = z.flat().filter((value) => value !== null);
    const [low, high] = [Math.min(...filled), Math.max(...filled)];
    const signed = low < 0 && high > 0;
    const ends = metric.maximize ? ["$soft", "$good"] : ["$good", "$soft"];
    const most = Math.max(-low, high);
    const trace = {
      type: "heatmap", x: x.values.map(escaped), y: y.values.map(escaped), z,
      text: z.map((row) => row.map(short)), customdata: cells.map((row) => row.map((values) => values.length)),
      texttemplate: x.values.length * y.values.length <= MOST_TEXTS ? "%{text}" : "",
      textfont: { color: "$text" },
      colorscale: signed && metric.maximize ? [[0, "$bad"], [0.5, "$paper"], [1, "$good"]] : [[0, ends[0]], [1, ends[1]]],
      ...(signed && metric.maximize ? { zmin: -most, zmax: most } : {}),
      xgap: 1, ygap: 1, hoverongaps: false, colorbar: { thickness: 10, outlinewidth: 0 },
      hovertemplate: `${escaped(x.path)} %{x}<br>${escaped(y.path)} %{y}<br>${how} of ${escaped(metric.label)} %{text}<br>%{customdata} trials<extra></extra>`,
    };
    const axis = (param) => ({ type: "category", title: { text: escaped(param.label) }, showgrid: false, ticks: "" });
    return {
      data: [trace],
      layout: { height: 430, margin: { l: 64, r: 16, t: 8, b: 48 }, xaxis: axis(x), yaxis: axis(y), hovermode: "closest", showlegend: false },
    };
  };

  // Parallel coordinates -----------------------------------------------------------------------------------------------

  let filtered = null; // rows of the table of trials; null: all

  const parallel = (spec) => {
    const shown = spec.rows.map((row, line) => line).filter((line) => filtered === null || filtered.has(spec.rows[line]));
    const data = WORST_TO_BEST.map((color, fifth) => {
      const [x, y, text] = [[], [], []];
      for (const line of shown.filter((each) => spec.fifths[each] === fifth)) {
        spec.axes.forEach((axis, place) => {
          x.push(place);
          y.push(axis.positions[line]);
          text.push(`${spec.names[line]}<br>${escaped(axis.path)} ${escaped(axis.texts[line])}`);
        });
        x.push(null);
        y.push(null);
        text.push("");
      }
      return {
        type: "scatter", mode: "lines", name: spec.legend[fifth], x, y, text, opacity: fifth === 4 ? 0.9 : 0.45,
        line: { width: fifth === 4 ? 1.5 : 1, color }, hovertemplate: "%{text}<extra></extra>",
      };
    });
    const annotations = spec.axes.flatMap((axis, place) => axis.ticks.map(([y, text]) => ({
      x: place, y, text: escaped(text), showarrow: false, xanchor: place ? "right" : "left", xshift: place ? -4 : 4, font: { size: 10, color: "$text" }, bgcolor: "$paper", borderpad: 1, opacity: 0.85,
    })));
    const ids = spec.axes.map((_, place) => place);
    return {
      data: data.filter((trace) => trace.x.length),
      layout: {
        height: 430, margin: { l: 30, r: 30, t: 30, b: 40 }, hovermode: "closest", showlegend: true, annotations,
        legend: { orientation: "h", x: 0, y: 1.0, yanchor: "bottom", font: { size: 11 } },
        xaxis: { tickvals: ids, ticktext: spec.axes.map((axis) => escaped(axis.label)), range: [-0.3, ids.length - 0.6], gridcolor: "$muted", zeroline: false, fixedrange: true },
        yaxis: { range: [-0.05, 1.05], visible: false, fixedrange: true },
      },
    };
  };

  window.figureBuilders = { heatmap, parallel };

  // What the reader does -------------------------------------------------------------------------------------------------

  const rebuild = (build) => document.querySelectorAll(`.chart[data-build=${build}]`).forEach((element) => element.dispatchEvent(new Event("rebuild", { bubbles: true })));
  document.addEventListener("change", (event) => event.target.closest("[data-steers]") && rebuild(event.target.closest("[data-steers]").dataset.steers));
  let asked = 0;
  document.addEventListener("rows", ({ detail }) => {
    if (detail.table !== "trials") return;
    filtered = new Set(detail.rows);
    clearTimeout(asked);
    asked = setTimeout(() => rebuild("parallel"), 150);
  });
})();
