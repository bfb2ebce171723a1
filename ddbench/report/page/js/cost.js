"use strict";
page.COSTS = {
  pool: { label: "images per class in the pool", of: (entry) => entry.pool },
  wall: { label: "wall time", of: (entry) => page.seconds(entry, 0) },
  cpu: { label: "CPU time", of: (entry) => page.seconds(entry, 1) },
};

// Return round ticks of a logarithmic axis, at most about `most`.
page.logTicks = function ([low, high], most) {
  for (const steps of [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const powers = d3.range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1);
    const ticks = powers.flatMap((power) => steps.map((step) => Number((step * 10 ** power).toPrecision(2))));
    const inside = ticks.filter((tick) => tick >= low && tick <= high);
    if (inside.length <= most) return inside;
  }
  return [low, high];
};

// Return the options of the cost axis, for amounts in seconds or images.
page.costAxis = function (amounts, width) {
  const { cost } = page.state;
  const { label } = page.COSTS[cost];
  if (cost === "pool") {
    const pools = d3.sort(new Set(amounts));
    const step = Math.ceil(pools.length / (width / 70));
    return { type: "symlog", label: `${label} →`, ticks: pools.filter((_, i) => i % step === 0), tickFormat: String };
  }
  const [name, seconds] = page.unit(d3.max(amounts));
  const extent = d3.extent(amounts);
  const ticks = page.logTicks(extent.map((amount) => amount / seconds), width / 70);
  return { type: "log", label: `${label}, ${name} →`, ticks: ticks.map((tick) => tick * seconds), tickFormat: (amount) => String(Number((amount / seconds).toPrecision(2))) };
};

page.NO_TIMES = "The records have no complete times for these entries.";
page.TIMES = "Time is that of one training and of every stage before it. A stage that several methods share counts for each of them.";
page.leftOut = (count) =>
  (count === 0 ? "" : `${count} method${count === 1 ? " is" : "s are"} left out, because a stage was resumed and timed only in part, or not timed.`);

// Return the entries that no other one beats: none is at least as cheap and better, or cheaper and as good.
page.front = function (points) {
  const found = [];
  for (const point of d3.sort(points, (a, b) => a.cost - b.cost || b.mean - a.mean)) {
    if (found.length === 0 || point.mean > found.at(-1).mean) found.push(point);
  }
  return found;
};

page.costChart = function (width) {
  const cost = page.COSTS[page.state.cost];
  const points = page.shownAtIpc().flatMap((entry) => {
    const amount = cost.of(entry);
    if (amount === null) return [];
    const interval = entry.spread?.interval;
    const title = `${page.describe(entry)}\n${page.state.cost === "pool" ? `pool: ${amount} images per class` : page.duration(amount)}`;
    return [{ method: entry.method, cost: amount, mean: entry.spread.mean, low: interval?.[0], high: interval?.[1], title }];
  });
  if (points.length === 0) return { node: null, note: page.NO_TIMES };
  const front = page.front(points);
  const steps = [...front, { cost: d3.max(points, (p) => p.cost), mean: front.at(-1).mean }];
  // The ends of a long front are enough: names along it would hide it.
  const told = front.length > 6 ? [front[0], front.at(-1)] : front;
  const named = points.filter((point) => page.isChosen(point) || told.includes(point));
  const others = points.filter((point) => !page.isChosen(point));
  const fill = (point) => page.colour(point.method);
  const height = 420;
  const node = page.frame(width, {
    height, marginRight: 20, marginBottom: 40, insetLeft: 16, insetRight: 30,
    x: page.costAxis(points.map((point) => point.cost), width),
    y: { grid: true, label: "↑ accuracy, %", nice: true },
    marks: [
      Plot.line(steps, { x: "cost", y: "mean", curve: "step-after", stroke: "var(--quiet)", strokeDasharray: "4 3" }),
      Plot.ruleX(points.filter((p) => page.isChosen(p) && p.low !== undefined), { x: "cost", y1: "low", y2: "high", stroke: fill, strokeWidth: 1.5 }),
      Plot.dot(others, { x: "cost", y: "mean", r: 3.5, fill, ariaLabel: "title" }),
      Plot.dot(points.filter(page.isChosen), { x: "cost", y: "mean", r: 5, fill, ariaLabel: "title" }),
      Plot.tip(points, Plot.pointer({ x: "cost", y: "mean", title: "title", fill: "var(--paper)", stroke: "var(--faint)" })),
    ],
  });
  page.labelPoints(node, named, front);
  const rule = "The dashed line is the Pareto front: no other method is both cheaper and better. It ignores the intervals.";
  const pool = "The pool is what a generator makes. It is 0 for methods that choose from all existing images.";
  const times = `${page.TIMES} ${page.leftOut(page.shownAtIpc().length - points.length)}`;
  return {
    node, note: `IPC ${page.state.ipc}. ${rule} ${page.state.cost === "pool" ? pool : times}`,
    titles: ["method", cost.label, "accuracy", "on the front"],
    rows: d3.sort(points, (p) => p.cost).map((p) => [p.method, p.cost, page.fixed(p.mean, 2), front.includes(p) ? "yes" : "no"]),
  };
};

// Write names beside points where there is room, and leave out those that would overlap. The line of the front leaves
// its points to the right, so their names stand elsewhere.
page.labelPoints = function (node, points, front) {
  const [x, y] = [node.scale("x"), node.scale("y")];
  const taken = [];
  const width = node.width.baseVal.value;
  const free = (box) =>
    box.left > 44 && box.right < width && taken.every((other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
  const group = d3.select(node).append("g").attr("class", "labels").attr("text-anchor", "start").attr("aria-hidden", "true");
  for (const point of points) taken.push({ left: x.apply(point.cost) - 4, right: x.apply(point.cost) + 4, top: y.apply(point.mean) - 4, bottom: y.apply(point.mean) + 4 });
  for (const point of d3.sort(points, (p) => -page.isChosen(p))) {
    const label = group.append("text").text(point.method).attr("fill", page.isChosen(point) ? page.colour(point.method) : "var(--quiet)");
    const long = page.textWidth(point.method);
    const [left, top] = [x.apply(point.cost), y.apply(point.mean)];
    const right = front.includes(point) ? [9, 18] : [9, 4];
    const places = [right, [-long - 9, 4], [-long / 2, -9], [-long / 2, 18], [9, -9], [9, 18], [-long - 9, -9], [-long - 9, 18]];
    const boxes = places.map(([dx, dy]) => ({ left: left + dx, right: left + dx + long, top: top + dy - 11, bottom: top + dy + 3 }));
    const box = boxes.find(free);
    if (!box) { label.remove(); continue; }
    taken.push(box);
    label.attr("x", box.left).attr("y", box.bottom - 3);
  }
};

// Stages in the order of the work, by colour. Short stages share one.
page.STAGES = ["fit", "generate", "score", "select", "label", "refine", "evaluate", "other"];

page.stagesChart = function (width) {
  const column = page.state.cost === "cpu" ? 1 : 0;
  const entries = page.shownAtIpc().filter((entry) => page.seconds(entry, column) !== null);
  if (entries.length === 0) return { node: null, note: page.NO_TIMES };
  const [unit, size] = page.unit(d3.max(entries, (entry) => page.seconds(entry, column)));
  const sorted = d3.sort(entries, (entry) => page.seconds(entry, column));
  const parts = sorted.flatMap((entry) => {
    const known = d3.rollup(Object.entries(entry.stages), (own) => d3.sum(own, ([, pair]) => pair[column]), ([name]) => (page.STAGES.includes(name) ? name : "other"));
    return page.STAGES.filter((name) => known.has(name)).map((stage) => ({ method: entry.method, stage, seconds: known.get(stage) }));
  });
  const used = page.STAGES.filter((stage) => parts.some((part) => part.stage === stage));
  const fill = (part) => `var(--stage-${part.stage})`;
  const marginLeft = page.marginFor(sorted.map((entry) => entry.method), width, 0.42);
  const node = page.frame(width, {
    marginLeft, marginRight: 64, marginTop: 8, height: 50 + 24 * sorted.length,
    x: { grid: true, label: `${unit} →`, ticks: width < 600 ? 3 : 8, transform: (seconds) => seconds / size }, y: { domain: sorted.map((entry) => entry.method), label: null, axis: null },
    marks: [
      Plot.axisY({ tickSize: 0, label: null, lineWidth: (marginLeft - 12) / 13, textOverflow: "ellipsis-middle" }),
      Plot.barX(parts, { y: "method", x: "seconds", fill, title: (part) => `${part.method}\n${part.stage}: ${page.duration(part.seconds)}`, tip: { fill: "var(--paper)", stroke: "var(--faint)" }, inset: 0.5 }),
      Plot.text(sorted, { y: "method", x: (entry) => page.seconds(entry, column), text: (entry) => page.duration(page.seconds(entry, column)), textAnchor: "start", dx: 5 }),
    ],
  });
  const legend = page.legend(used.map((stage) => [stage, `var(--stage-${stage})`]));
  return {
    node: page.element("div", {}, legend, page.element("div", { class: "tall" }, node)),
    note: `IPC ${page.state.ipc}, ${page.COSTS[column ? "cpu" : "wall"].label}. ${page.TIMES} ${page.leftOut(page.shownAtIpc().length - entries.length)}`,
    titles: ["method", "stage", "seconds"], rows: parts.map((part) => [part.method, part.stage, page.fixed(part.seconds, 1)]),
  };
};
