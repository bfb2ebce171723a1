"use strict";
page.ipcChart = function (width) {
  const entries = page.shown();
  const ipcs = d3.sort(new Set(entries.map((entry) => entry.ipc)));
  const points = entries.map((entry) => ({
    method: entry.method, x: entry.ipc, mean: entry.spread.mean,
    low: entry.spread?.interval?.[0] ?? null, high: entry.spread?.interval?.[1] ?? null, title: page.describe(entry),
  }));
  const domain = ipcs.length > 1 ? d3.extent(ipcs) : [ipcs[0] / 2, ipcs[0] * 2];
  return {
    node: page.lines(points, width, { x: { type: "log", domain, ticks: ipcs, tickFormat: String, label: "images per class (IPC) →" } }),
    note: "A band is the 95 % interval of the mean. Methods that are not highlighted are grey.",
    titles: ["method", "IPC", "accuracy", "95 % interval"],
    rows: entries.map((entry) => [entry.method, entry.ipc, page.fixed(entry.spread.mean, 2), page.interval(entry.spread?.interval, 2)]),
  };
};

// Ours and published numbers: two marks a line.
page.reportedChart = function (width) {
  const { data } = page;
  const several = (key) => new Set(data.comparisons.map((one) => one[key])).size > 1;
  const students = several("student");
  const label = (one) => `${one.method}, ${students ? `${one.student} ` : ""}IPC ${one.ipc}`;
  const lines = data.comparisons.map((one, position) => {
    const { published, ours } = one;
    const source = published.paper ?? published.source;
    return {
      position, label: label(one), published: published.mean, ours: ours?.mean ?? null,
      low: published.mean - (published.std ?? 0), high: published.mean + (published.std ?? 0),
      ourLow: ours?.interval?.[0] ?? null, ourHigh: ours?.interval?.[1] ?? null,
      title: `${label(one)}\npublished ${page.fixed(published.mean)} (${published.statistic})\n${source}` +
        (ours ? `\nours ${page.fixed(ours.mean)} ${page.interval(ours.interval)}` : "\nno result of ours yet"),
    };
  });
  const ours = lines.filter((line) => line.ours !== null);
  const marginLeft = page.marginFor(lines.map((line) => line.label), width, 0.45);
  const y = "position";
  const node = page.frame(width, {
    marginLeft, marginRight: 20, marginBottom: 40, height: 64 + 30 * lines.length,
    x: { grid: true, label: "accuracy, % →", nice: true }, y: { domain: lines.map((line) => line.position), axis: null, type: "band" },
    marks: [
      Plot.axisY(lines.map((line) => line.position), {
        tickFormat: (position) => lines[position].label, tickSize: 0, label: null, lineWidth: (marginLeft - 12) / 13, textOverflow: "ellipsis-middle",
      }),
      Plot.ruleY(lines, { y, x1: "low", x2: "high", dy: -5, stroke: "var(--quiet)" }),
      Plot.dot(lines, { y, x: "published", dy: -5, r: 4, stroke: "var(--quiet)", fill: "var(--paper)", ariaLabel: "title" }),
      Plot.ruleY(ours.filter((line) => line.ourLow !== null), { y, x1: "ourLow", x2: "ourHigh", dy: 5, stroke: "var(--series-0)", strokeWidth: 2 }),
      Plot.dot(ours, { y, x: "ours", dy: 5, r: 4, fill: "var(--series-0)", ariaLabel: "title" }),
      Plot.tip(lines, Plot.pointerY({ y, x: "published", title: "title", fill: "var(--paper)", stroke: "var(--faint)" })),
    ],
  });
  return { node, note: "Each line is one published number. A filled mark is ours with its 95 % interval. A hollow mark is the published mean with its standard deviation. Point at a mark to see its paper." };
};
