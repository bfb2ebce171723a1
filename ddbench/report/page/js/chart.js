"use strict";
page.charts = [];

// Register the chart of a figure. It is drawn when it comes near the window, and again after a change.
// `draw(width)` returns {node, note, titles, rows}: an SVG element, a sentence, and its numbers as a table.
page.addChart = function (id, draw) {
  const figure = document.getElementById(id);
  if (!figure) return;
  const chart = { figure, draw, seen: false, width: 0 };
  page.charts.push(chart);
  new IntersectionObserver((seen) => {
    if (chart.seen || !seen.some((one) => one.isIntersecting)) return;
    chart.seen = true;
    page.drawChart(chart);
  }, { rootMargin: "300px" }).observe(figure);
  new ResizeObserver(() => {
    if (chart.seen && figure.clientWidth > 0 && figure.clientWidth !== chart.width) page.drawChart(chart);
  }).observe(figure);
};

page.drawChart = function (chart) {
  const { element } = page;
  const { figure } = chart;
  chart.width = figure.clientWidth;
  const caption = figure.querySelector("figcaption");
  const { node, note, titles, rows } = chart.draw(chart.width);
  const parts = note ? [element("p", { class: "note" }, note)] : [];
  if (node) {
    page.makeFocusable(node);
    parts.push(node);
  }
  if (rows) {
    const numbers = element("details", {}, element("summary", {}, "Numbers"));
    numbers.addEventListener("toggle", () => numbers.append(page.table(titles, rows)), { once: true });
    parts.push(numbers);
  }
  const heading = caption.querySelector("h3");
  caption.replaceChildren(heading);
  figure.replaceChildren(caption, ...parts);
};

page.redraw = () => page.charts.filter((chart) => chart.seen).forEach(page.drawChart);

// Points with a label can be reached by keyboard, and a screen reader reads the label.
page.makeFocusable = function (node) {
  for (const point of node.querySelectorAll("circle[aria-label]")) {
    point.setAttribute("tabindex", "0");
    point.setAttribute("role", "img");
  }
};

page.frame = (width, options) => Plot.plot({
  width, marginLeft: 44, marginTop: 24, style: { fontSize: "12px", background: "none", color: "var(--ink)" },
  color: { type: "identity" }, ...options,
});

page.describe = function (entry) {
  const { spread } = entry;
  const interval = spread?.interval ? ` ${page.interval(spread.interval)}` : "";
  return `${entry.method}\nIPC ${entry.ipc}: ${page.fixed(spread.mean)} %${interval}`;
};

// Return positions at least `gap` apart, near the wanted ones and within [low, high]. They keep their order.
page.apart = function (wanted, gap, low, high) {
  const order = d3.sort(d3.range(wanted.length), (i) => wanted[i]);
  const found = [];
  let previous = -Infinity;
  for (const i of order) previous = found[i] = Math.max(wanted[i], previous + gap, low);
  let next = high + gap;
  for (const i of order.toReversed()) next = found[i] = Math.min(found[i], next - gap);
  return found;
};

// Return names with their colours, for above a chart.
page.legend = (pairs) => page.element("div", { class: "legend" }, ...pairs.map(([name, colour]) =>
  page.element("span", {}, page.element("i", { style: `background:${colour}` }), name)));

// Return the margin for names beside a chart. The longest name fits, if it needs at most a share of the width.
page.marginFor = (names, width, share) => Math.ceil(Math.min(width * share, 16 + (d3.max(names, page.textWidth) ?? 0)));

// Lines with bands for highlighted methods. Their names are at the ends, or in a legend if one is too long.
// Each point is {method, x, mean, low, high, title}; low and high may be null.
page.lines = function (points, width, { x, height = 400, dots = true }) {
  const chosen = points.filter(page.isChosen);
  const names = page.state.methods.filter((method) => chosen.some((point) => point.method === method));
  const marginRight = page.marginFor(names, width, 1);
  const atEnds = marginRight < width * 0.3;
  const margins = { marginRight: atEnds ? marginRight : 20, marginBottom: 36, marginTop: 24 };
  const ends = points.flatMap((point) => [point.mean, ...(page.isChosen(point) ? [point.low ?? point.mean, point.high ?? point.mean] : [])]);
  const domain = d3.nice(...d3.extent(ends), 6);
  const unit = (domain[1] - domain[0]) / (height - margins.marginTop - margins.marginBottom) || 1;
  const last = d3.groups(chosen, (point) => point.method).map(([, own]) => d3.greatest(own, (point) => point.x));
  const heights = page.apart(last.map((point) => point.mean), 14 * unit, ...domain);
  const stroke = (point) => page.colour(point.method);
  const own = { x: "x", z: "method" };
  const node = page.frame(width, {
    ...margins, height, x: { ...x, grid: false }, y: { domain, grid: true, label: "↑ accuracy, %" },
    marks: [
      Plot.line(points.filter((point) => !page.isChosen(point)), { ...own, y: "mean", stroke, strokeWidth: 1 }),
      Plot.areaY(chosen.filter((p) => p.low !== null), { ...own, y1: "low", y2: "high", fill: stroke, fillOpacity: 0.13 }),
      Plot.line(chosen, { ...own, y: "mean", stroke, strokeWidth: 2 }),
      Plot.dot(dots ? points : [], { x: "x", y: "mean", r: (p) => (page.isChosen(p) ? 4 : 2), fill: stroke, ariaLabel: "title" }),
      Plot.text(atEnds ? last.map((point, i) => ({ ...point, y: heights[i] })) : [], {
        x: "x", y: "y", dx: 10, text: "method", fill: stroke, textAnchor: "start", fontWeight: 600,
      }),
      Plot.tip(points, Plot.pointer({ x: "x", y: "mean", title: "title", fill: "var(--paper)", stroke: "var(--faint)" })),
    ],
  });
  return atEnds ? node : page.element("div", {}, page.legend(names.map((name) => [name, page.colour(name)])), node);
};
