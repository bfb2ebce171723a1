"use strict";
page.curvesChart = function (width) {
  const entries = page.shownAtIpc().filter((entry) => entry.curve);
  if (entries.length === 0) {
    return { node: null, note: "There are no learning curves here: each student was evaluated once, after its last epoch. With “evaluate: papers”, a suite records more." };
  }
  const points = entries.flatMap(({ method, curve }) => page.data.epochs[curve.epochs].map((x, i) => (
    { method, x, mean: curve.mean[i], low: curve.low[i] ?? null, high: curve.high[i] ?? null, title: `${method}\nepoch ${x}: ${page.fixed(curve.mean[i])} %` })));
  return {
    node: page.lines(points, width, { x: { label: "epoch →" }, dots: false }),
    note: `IPC ${page.state.ipc}. A line is the mean of all trainings. A band reaches from the lowest to the highest of them.`,
    titles: ["method", "epoch", "mean", "lowest", "highest"],
    rows: points.map((p) => [p.method, p.x, page.fixed(p.mean, 2), page.fixed(p.low, 2), page.fixed(p.high, 2)]),
  };
};
