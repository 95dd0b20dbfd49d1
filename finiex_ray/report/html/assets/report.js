// Tables and charts of a report. Texts go into the page as text nodes only.
"use strict";
(() => {
  const PAGE_ROWS = 100;
  const NARROW = 560; // px
  const UNHURRIED_MS = 1000;
  const MINUS = "\u2212";
  const DASH = "\u2013";
  const NUMERIC = new Set(["count", "number", "signed", "duration", "time"]);
  const formats = new Map();

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  };

  const data = (element) => JSON.parse(element.querySelector("script[type='application/json']").textContent);

  // Values as texts --------------------------------------------------------------------------------------------------

  const decimal = (value, digits) => {
    if (!formats.has(digits)) {
      formats.set(digits, new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
    }
    const text = formats.get(digits).format(value);
    return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace("-", MINUS);
  };

  const moment = (ms) => new Date(ms).toISOString().replace("T", " ").replace("Z", "");

  const duration = (seconds) => {
    if (seconds < 1e-3) return `${(seconds * 1e6).toPrecision(3)} µs`;
    if (seconds < 1) return `${(seconds * 1e3).toPrecision(3)} ms`;
    if (seconds < 60) return `${seconds.toPrecision(3)} s`;
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, "0");
    const days = Math.floor(whole / 86400);
    const hours = Math.floor((whole % 86400) / 3600);
    const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
    if (days) return `${days} d ${two(hours)}:${rest}`;
    return hours ? `${hours}:${rest}` : rest.replace(/^0/, "");
  };

  const shown = (value, column) => {
    if (value === null || value === undefined) return column.kind === "text" ? "" : DASH;
    switch (column.kind) {
      case "count": return decimal(value, 0);
      case "number": return decimal(value, column.decimals);
      case "signed": return (value > 0 ? "+" : "") + decimal(value, column.decimals);
      case "time": return moment(value).slice(0, 19);
      case "duration": return duration(value);
      case "status": return value === "completed" ? "\u2713 ok" : `\u2715 ${value}`;
      default: return String(value);
    }
  };

  const tone = (value, column) => {
    if (column.kind === "status") return value === "completed" ? "pos" : "neg";
    if (column.kind === "signed" && value) return value > 0 ? "pos" : "neg";
    return null;
  };

  // CSV: quoted where needed; a text that a spreadsheet would take for a formula gets an apostrophe before it.
  const csvCell = (value, column) => {
    if (value === null || value === undefined) return "";
    if (column.kind === "time") return moment(value).replace(" ", "T") + "Z";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  // Filters: words that a row must hold, and comparisons such as trades>5 or net_profit<=0 ---------------------------------

  const parseFilter = (text, columns) => {
    const tests = [];
    for (const token of text.trim().split(/\s+/).filter(Boolean)) {
      const found = /^([\w%.]+)(<=|>=|!=|<|>|=)(-?\d+(?:\.\d+)?(?:e-?\d+)?)$/i.exec(token);
      const place = found ? columns.findIndex((column) => [column.key, column.label].some((name) => name.toLowerCase() === found[1].toLowerCase())) : -1;
      if (place >= 0) {
        const limit = Number(found[3]);
        const compare = {
          "<": (v) => v < limit, "<=": (v) => v <= limit, ">": (v) => v > limit,
          ">=": (v) => v >= limit, "=": (v) => v === limit, "!=": (v) => v !== limit,
        }[found[2]];
        tests.push((values, row) => values[place][row] !== null && compare(values[place][row]));
      } else {
        const word = token.toLowerCase();
        const texts = columns.map((column, index) => (["text", "status"].includes(column.kind) ? index : -1)).filter((index) => index >= 0);
        tests.push((values, row) => texts.some((index) => String(values[index][row] ?? "").toLowerCase().includes(word)));
      }
    }
    return (values, row) => tests.every((test) => test(values, row));
  };

  // Tables -----------------------------------------------------------------------------------------------------------

  class DataTable {
    constructor(root) {
      const table = data(root);
      this.name = table.name;
      this.columns = table.columns;
      this.values = table.values;
      this.links = table.links;
      this.all = this.values[0].map((_, row) => row);
      this.rows = this.all;
      this.sorted = { place: -1, down: false };
      this.page = 0;
      this.build(root);
      this.draw();
    }

    build(root) {
      const numeric = this.columns.find((column) => column.kind === "signed") ?? this.columns.find((column) => column.kind === "count");
      const hint = `words${numeric ? `, or ${numeric.key}>0` : ""}`;
      const keys = this.columns.map((column) => column.key).join(", ");
      this.input = make("input", { type: "search", placeholder: `Filter: ${hint}`, "aria-label": `Filter ${this.name}`, title: `Words that a row must hold, and comparisons such as ${numeric ? numeric.key : "name"}>0. Columns: ${keys}` });
      this.count = make("output", { "aria-live": "polite" });
      this.previous = make("button", { type: "button", "aria-label": "Previous rows" }, "‹");
      this.next = make("button", { type: "button", "aria-label": "Next rows" }, "›");
      const csv = make("button", { type: "button", "data-csv": true }, "CSV");
      csv.title = "Save the rows that are shown by the filter, in this order";
      root.append(make("div", { class: "tools", role: "group", "aria-label": `Tools for ${this.name}` }, this.input, this.count, make("span", { class: "grow" }), this.previous, this.next, csv));
      this.headings = this.columns.map((column, place) => {
        const button = make("button", { type: "button", title: column.title || null, "aria-description": column.title || null }, column.label);
        button.addEventListener("click", () => this.sort(place));
        return make("th", { scope: "col", class: NUMERIC.has(column.kind) ? "sortable" : "sortable text" }, button);
      });
      this.body = make("tbody");
      const caption = make("caption", { class: "hidden" }, root.dataset.caption ?? this.name);
      const grid = make("table", {}, caption, make("thead", {}, make("tr", {}, ...this.headings)), this.body);
      root.append(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": root.dataset.caption ?? this.name }, grid));
      this.input.addEventListener("input", () => this.filter());
      this.previous.addEventListener("click", () => this.turn(-1));
      this.next.addEventListener("click", () => this.turn(1));
      csv.addEventListener("click", () => this.save());
    }

    sort(place) {
      const numeric = this.values[place].some((value) => typeof value === "number");
      const first = numeric && this.columns[place].kind !== "time";
      this.sorted = { place, down: this.sorted.place === place ? !this.sorted.down : first };
      this.headings.forEach((heading, index) => {
        if (index === place) heading.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
        else heading.removeAttribute("aria-sort");
      });
      this.filter();
    }

    filter() {
      const passes = parseFilter(this.input.value, this.columns);
      this.rows = this.all.filter((row) => passes(this.values, row));
      const { place, down } = this.sorted;
      if (place >= 0) {
        const values = this.values[place];
        const collator = new Intl.Collator("en", { numeric: true });
        const compare = (a, b) => {
          const [left, right] = [values[a], values[b]];
          if (left === null || right === null) return (left === null) - (right === null); // what is missing comes last
          const order = typeof left === "number" ? left - right : collator.compare(String(left), String(right));
          return down ? -order : order;
        };
        this.rows.sort((a, b) => compare(a, b) || a - b);
      }
      this.page = 0;
      this.draw();
      this.body.dispatchEvent(new CustomEvent("rows", { bubbles: true, detail: { table: this.name, rows: this.rows } }));
    }

    turn(step) {
      this.page += step;
      this.draw();
      this.body.parentElement.parentElement.scrollTop = 0;
    }

    draw() {
      const first = this.page * PAGE_ROWS;
      const rows = this.rows.slice(first, first + PAGE_ROWS);
      this.body.replaceChildren(...rows.map((row) => this.row(row)));
      const last = first + rows.length;
      const whole = this.rows.length < this.all.length ? ` of ${decimal(this.all.length, 0)}` : "";
      this.count.textContent = this.rows.length > PAGE_ROWS
        ? `${decimal(first + 1, 0)}\u2013${decimal(last, 0)} of ${decimal(this.rows.length, 0)}${whole ? ` (${decimal(this.all.length, 0)} in all)` : ""}`
        : `${decimal(this.rows.length, 0)}${whole} rows`;
      this.previous.hidden = this.next.hidden = this.rows.length <= PAGE_ROWS;
      this.previous.disabled = first === 0;
      this.next.disabled = last >= this.rows.length;
    }

    row(row) {
      const cells = this.columns.map((column, place) => {
        const value = this.values[place][row];
        const text = shown(value, column);
        if (place === 0) {
          const link = this.links[row] ?? null;
          return make("th", { scope: "row", class: NUMERIC.has(column.kind) ? null : "text", title: column.kind === "text" ? text : null }, link ? make("a", { href: link }, text) : text);
        }
        const classes = [NUMERIC.has(column.kind) ? null : "text", tone(value, column)].filter(Boolean).join(" ");
        return make("td", { class: classes || null }, text);
      });
      return make("tr", {}, ...cells);
    }

    csv() {
      const lines = [this.columns.map((column) => column.key).join(",")];
      for (const row of this.rows) lines.push(this.columns.map((column, place) => csvCell(this.values[place][row], column)).join(","));
      return lines.join("\r\n") + "\r\n";
    }

    save() {
      const address = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv" }));
      const link = make("a", { href: address, download: `${this.name}.csv` });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    }
  }

  // Charts -----------------------------------------------------------------------------------------------------------

  const themed = (value, theme, isColour) => {
    if (Array.isArray(value)) return value.map((each) => themed(each, theme, isColour));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, themed(each, theme, /color(s|scale)?$/.test(key))]));
    }
    return isColour && typeof value === "string" && value.startsWith("$") ? theme.getPropertyValue(`--${value.slice(1)}`).trim() : value;
  };

  const layoutOf = (figure, theme) => {
    const colour = (name) => theme.getPropertyValue(`--${name}`).trim();
    const axis = { gridcolor: colour("grid"), zerolinecolor: colour("edge"), linecolor: colour("edge"), automargin: true };
    const layout = themed(figure.layout, theme, false);
    for (const key of Object.keys(layout)) if (/^[xy]axis/.test(key)) layout[key] = { ...axis, ...layout[key] };
    return {
      ...layout,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
      font: { family: "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif", size: 12, color: colour("muted") },
      hoverlabel: { bgcolor: colour("paper"), bordercolor: colour("edge"), font: { color: colour("text") }, align: "left" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("muted"), activecolor: colour("accent") },
    };
  };

  // Nothing is sent anywhere: Plotly's own button for that is taken away, and its address too.
  const CONFIG = { displaylogo: false, responsive: true, showSendToCloud: false, plotlyServerURL: "", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"] };

  const draw = (element, figure) => {
    const theme = getComputedStyle(document.documentElement);
    const layout = layoutOf(figure, theme);
    const range = element.layout?.xaxis && !element.layout.xaxis.autorange ? element.layout.xaxis.range : null;
    if (range) layout.xaxis = { ...layout.xaxis, range, autorange: false };
    if (element.clientWidth < NARROW) {
      const below = layout.xaxis?.title ? 24 : 0; // under the title of the axis
      layout.margin = { ...layout.margin, l: 46, r: 6, t: 8, b: (layout.margin?.b ?? 40) + (layout.showlegend ? below : 0) };
      layout.legend = { ...layout.legend, y: -(44 + below) / layout.height, yanchor: "top" };
    }
    const prices = priceRange(figure.data, -Infinity, Infinity);
    if (prices && !range) layout.yaxis = { ...layout.yaxis, range: prices };
    return Plotly.react(element, themed(figure.data, theme, false), layout, CONFIG);
  };

  // Heights that a panel shows for a span of time. Lines further from the bars than these are high do not flatten them.
  const extent = (traces, from, to) => {
    let [low, high] = [Infinity, -Infinity];
    for (const trace of traces) {
      const [lows, highs] = [trace.low ?? trace.y, trace.high ?? trace.y];
      const width = trace.xperiod ?? 0;
      trace.x.forEach((x, place) => {
        if (x === null || x + width < from || x > to || lows[place] === null) return;
        low = Math.min(low, lows[place]);
        high = Math.max(high, highs[place]);
      });
    }
    return low <= high ? [low, high] : null;
  };

  const padded = ([low, high]) => {
    const edge = (high - low || Math.abs(high) * 1e-4 || 1) * 0.06;
    return [low - edge, high + edge];
  };

  const priceRange = (traces, from, to) => {
    const bars = extent(traces.filter((trace) => trace.type === "candlestick"), from, to);
    if (!bars) return null;
    const all = extent(traces.filter((trace) => (trace.yaxis ?? "y") === "y"), from, to);
    const height = bars[1] - bars[0];
    return padded([all[0] < bars[0] - height ? bars[0] : all[0], all[1] > bars[1] + height ? bars[1] : all[1]]);
  };

  // A zoom along the time alone fits the heights of all panels to what is in sight.
  const fitHeights = (element, figure, changes) => {
    const keys = Object.keys(changes);
    if (!keys.some((key) => key.startsWith("xaxis")) || keys.some((key) => key.startsWith("yaxis"))) return;
    const [from, to] = element.layout.xaxis.range.map(milliseconds);
    const update = {};
    for (const axis of new Set(figure.data.map((trace) => trace.yaxis))) {
      const own = figure.data.filter((trace) => trace.yaxis === axis);
      const range = (axis === "y" && priceRange(own, from, to)) || extent(own, from, to);
      if (range) update[`${axis.replace("y", "yaxis")}.range`] = axis === "y" ? range : padded(range);
    }
    Plotly.relayout(element, update);
  };

  const milliseconds = (value) => (typeof value === "number" ? value : Date.parse(`${value.replace(" ", "T")}Z`));

  const zoom = (element, how) => {
    if (how === "all") return Plotly.relayout(element, { "xaxis.autorange": true });
    const [from, to] = element.layout.xaxis.range.map(milliseconds);
    const width = to - from;
    const [left, right] = { in: [0.25, -0.25], out: [-0.5, 0.5], left: [-0.5, -0.5], right: [0.5, 0.5] }[how];
    return Plotly.relayout(element, { "xaxis.range": [from + left * width, to + right * width] });
  };

  // Plotly is large: it is fetched beside the page, and run when tables and texts stand on the screen.
  let loaded = null;
  const plotly = () => {
    loaded ??= new Promise((resolve, reject) => {
      const script = make("script", { src: document.getElementById("plotly").href });
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
    return loaded;
  };

  // At once where a chart is in sight, else when the reader moves towards it, or after a while.
  const plotlyWhenWanted = (charts) => {
    if (charts.some((element) => element.getBoundingClientRect().top < innerHeight)) return plotly();
    return new Promise((resolve) => {
      const start = () => resolve(plotly());
      addEventListener("scroll", start, { once: true, passive: true });
      setTimeout(start, UNHURRIED_MS);
    });
  };

  // Most figures stand in the page; those that a reader steers are built from its data by explore.js.
  const figureOf = (element) => {
    const found = data(element);
    const build = element.dataset.build;
    return build ? () => window.figureBuilders[build](found, element) : () => found;
  };

  const drawCharts = async () => {
    const charts = new Map([...document.querySelectorAll(".chart")].map((element) => [element, figureOf(element)]));
    if (!charts.size) return;
    try {
      await plotlyWhenWanted([...charts.keys()]);
    } catch {
      charts.forEach((_, element) => element.append("This chart needs the folder assets beside the page."));
      return;
    }
    const waiting = new Set(charts.keys());
    const redraw = (element) => waiting.has(element) || draw(element, charts.get(element)());
    const show = async (element) => {
      waiting.delete(element);
      const figure = charts.get(element)();
      await draw(element, figure);
      if (figure.layout.xaxis?.type === "date") element.on("plotly_relayout", (changes) => fitHeights(element, figure, changes));
    };
    // One chart, then whatever the reader does, then the next one. What is out of sight is drawn when it comes into sight.
    const watcher = new IntersectionObserver((entries) => {
      const near = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
      near.forEach((element, place) => setTimeout(() => waiting.has(element) && show(element), place));
    }, { rootMargin: "400px" });
    charts.forEach((_, element) => watcher.observe(element));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...charts.keys()].forEach(redraw));
    document.addEventListener("rebuild", (event) => redraw(event.target));
    addEventListener("beforeprint", () => [...waiting].forEach(show));
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => zoom(button.closest("figure").querySelector(".chart"), button.dataset.zoom));
    }
  };

  document.querySelectorAll(".data-table").forEach((root) => new DataTable(root));
  requestAnimationFrame(() => setTimeout(drawCharts)); // after the first paint
})();
