"use strict";
// Names come from suites and plug-ins. They reach the document as text nodes and attributes only, never as markup.
const page = { data: JSON.parse(document.getElementById("data").textContent) };

// Return an element. Attributes that start with "on" are listeners.
page.element = function (tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
};

// Return a table of texts and elements.
page.table = function (titles, rows) {
  const { element } = page;
  const cell = (value) => {
    const made = element("td", {}, value instanceof Node ? value : String(value ?? "–"));
    made.classList.toggle("short", made.textContent.length <= 24);
    return made;
  };
  return element(
    "div", { class: "scroll", tabindex: 0, role: "region", "aria-label": titles.join(", ") },
    element(
      "table", {},
      element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))),
    ),
  );
};

// Round as Python does, half to even, so that the page agrees with the other formats.
page.formats = [0, 1, 2].map((digits) => new Intl.NumberFormat("en", {
  minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven", useGrouping: false,
}));
page.fixed = (value, digits = 1) =>
  (value === null || value === undefined ? "–" : page.formats[digits].format(value).replace("-", "−"));
page.signed = (value, digits = 2) => (value < 0 ? "" : "+") + page.fixed(value, digits);
page.interval = (pair, digits = 1) => (pair ? `[${pair.map((end) => page.fixed(end, digits)).join(", ")}]` : "–");
page.rank = (rank) => (!rank ? "–" : rank.low === rank.high ? String(rank.low) : `${rank.low}–${rank.high}`);

page.duration = function (seconds) {
  if (seconds === null || seconds === undefined) return "unknown";
  if (seconds < 1) return `${Number(seconds.toPrecision(1))} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
};

// Return the width of a text in a chart, in pixels.
page.textWidth = function (text) {
  page.pen ??= document.createElement("canvas").getContext("2d");
  page.pen.font = "600 12px system-ui, sans-serif";
  return page.pen.measureText(text).width;
};

// Return the unit in which the longest of some times is easy to read, with its seconds.
page.unit = (longest) => (longest < 120 ? ["seconds", 1] : longest < 7200 ? ["minutes", 60] : ["hours", 3600]);

// Return the sum of the wall times (0) or CPU times (1) of an entry's stages; null if one is unknown.
page.seconds = function (entry, column) {
  const times = Object.values(entry.stages).map((pair) => pair[column]);
  return times.length === 0 || times.includes(null) ? null : d3.sum(times);
};

// Colours mark at most this many methods. Others are grey.
page.MOST_COLOURS = 6;
page.state = { student: null, protocol: null, ipc: null, cost: "wall", methods: [] };
page.colour = function (method) {
  const position = page.state.methods.indexOf(method);
  return position < 0 ? "var(--faint)" : `var(--series-${position})`;
};
page.isChosen = (entry) => page.state.methods.includes(entry.method);

// Return the entries with a result for the chosen student and protocol, those of highlighted methods last.
page.shown = function () {
  const { student, protocol } = page.state;
  const found = page.data.entries.filter((e) => e.spread && e.student === student && e.protocol === protocol);
  return d3.sort(found, (entry) => page.isChosen(entry));
};
page.shownAtIpc = () => page.shown().filter((entry) => entry.ipc === page.state.ipc);
