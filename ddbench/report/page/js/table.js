"use strict";
// The sortable table of all entries.
page.makeTable = function () {
  const { data } = page;
  const means = data.entries.flatMap((entry) => (entry.spread ? [entry.spread.mean] : []));
  const ends = data.entries.flatMap((entry) => entry.spread?.interval ?? []);
  const scale = d3.scaleLinear([d3.min([...means, ...ends]), d3.max([...means, ...ends])], [0, 100]);
  const board = new Tabulator("#board", {
    data: data.entries.map(page.rowOf),
    index: "index",
    layout: "fitDataFill",
    maxHeight: "75vh",
    columns: page.columns(scale),
    columnDefaults: { headerSortTristate: true, resizable: false },
    placeholder: "No entry matches the filters.",
  });
  board.on("rowClick", (event, row) => {
    if (!event.target.closest("button, input")) page.showProvenance(row.getData().index);
  });
  return board;
};

page.rowOf = function (entry, index) {
  const { spread, rank, verdict, best } = entry;
  return {
    index,
    method: entry.method, student: entry.student, ipc: entry.ipc, protocol: entry.protocol,
    mean: spread ? spread.mean : null,
    interval: spread ? spread.interval : null,
    note: spread && !spread.interval ? "one set" : "",
    n: entry.n,
    expected: entry.expected,
    // Ranks are sorted by their better end, then by their worse one.
    rank: rank ? rank.low + rank.high / 1e6 : null,
    rankText: page.rank(rank),
    difference: verdict ? verdict.difference : null,
    verdict: verdict ? verdict.word : "",
    best: best ? best.mean : null,
    pool: entry.pool,
    seconds: page.seconds(entry, 0),
  };
};

// Return a mark of the interval on a scale that all rows share.
page.intervalMark = function (row, scale) {
  const { element } = page;
  if (row.mean === null) return "";
  const dot = element("i", { class: "dot", style: `left:${scale(row.mean)}%` });
  const [low, high] = (row.interval ?? [row.mean, row.mean]).map(scale);
  const bar = element("i", { class: "bar", style: `left:${low}%;width:${high - low}%` });
  const text = row.interval ? page.interval(row.interval) : row.note ?? "";
  return element("span", { class: "whisker" }, element("span", { class: "track", "aria-hidden": "true" }, bar, dot), text);
};

page.columns = function (scale) {
  const { element, data } = page;
  const several = (key) => new Set(data.entries.map((entry) => entry[key])).size > 1;
  const text = { headerFilter: "input", headerFilterPlaceholder: "contains…", formatter: (cell) => document.createTextNode(cell.getValue()) };
  const number = (digits) => ({
    hozAlign: "right", sorter: "number", sorterParams: { alignEmptyValues: "bottom" }, headerSortStartingDir: "desc",
    formatter: (cell) => page.fixed(cell.getValue(), digits),
  });
  const least = { headerFilter: "input", headerFilterFunc: ">=", headerFilterPlaceholder: "at least" };
  const open = (cell) =>
    element("button", { class: "link", onclick: () => page.showProvenance(cell.getData().index) }, cell.getValue());
  return [
    { title: "method", field: "method", ...text, formatter: open, frozen: true, minWidth: 130, maxWidth: 300 },
    { title: "student", field: "student", ...text, visible: several("student") },
    { title: "IPC", field: "ipc", ...number(0), minWidth: 85, headerFilter: "input", headerFilterFunc: "=", headerFilterPlaceholder: "equals" },
    { title: "protocol", field: "protocol", ...text, visible: several("protocol") },
    { title: "accuracy", field: "mean", ...number(1), minWidth: 105, ...least },
    { title: "95 % interval", field: "interval", minWidth: 230, headerSort: false, formatter: (cell) => page.intervalMark(cell.getData(), scale) },
    { title: "rank", field: "rank", ...number(0), headerSortStartingDir: "asc", formatter: (cell) => cell.getData().rankText },
    { title: `minus ${data.baseline}`, field: "difference", ...number(2), titleFormatter: () => page.element("span", {}, `minus ${data.baseline}`), visible: data.baseline !== null, formatter: (cell) => (cell.getValue() === null ? "–" : page.signed(cell.getValue())) },
    { title: "verdict", field: "verdict", ...text, visible: data.baseline !== null },
    { title: "n", field: "n", hozAlign: "right", sorter: "number", formatter: (cell) => page.count(cell.getData()) },
    { title: "best", field: "best", ...number(1), visible: data.entries.some((entry) => entry.best) },
    { title: "pool / class", field: "pool", ...number(0), headerSortStartingDir: "asc" },
    { title: "time", field: "seconds", ...number(0), headerSortStartingDir: "asc", formatter: (cell) => (cell.getValue() === null ? "–" : page.duration(cell.getValue())) },
  ];
};

page.count = (row) => (row.n === row.expected ? String(row.n) : `${row.n} of ${row.expected}`);
