"use strict";
page.curvesChart = function (width) {
  const entries = page.shownAtIpc().filter((entry) => entry.curve.length > 1);
  if (entries.length === 0) {
    return { node: null, note: "There are no learning curves here: each training was evaluated once, after its last epoch. The setting “evaluate: papers” of a suite records more." };
  }
  const points = entries.flatMap((entry) => entry.curve.map(([x, mean, low, high]) => (
    { method: entry.method, x, mean, low, high, title: `${entry.method}\nepoch ${x}: ${page.fixed(mean)} %` })));
  return {
    node: page.lines(points, width, { x: { label: "epoch →" } }),
    note: `IPC ${page.state.ipc}. A line is the mean of all trainings. A band reaches from the lowest to the highest of them.`,
    titles: ["method", "epoch", "mean", "lowest", "highest"],
    rows: points.map((p) => [p.method, p.x, page.fixed(p.mean, 2), page.fixed(p.low, 2), page.fixed(p.high, 2)]),
  };
};
