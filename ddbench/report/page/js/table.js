"use strict";
// The sortable table of all entries.
page.makeTable = function () {
  const { data } = page;
  const board = new Tabulator("#board", {
    data: data.entries.map(page.rowOf),
    index: "index",
    layout: "fitDataFill",
    maxHeight: "75vh",
    columns: page.columns(),
    columnDefaults: { headerSortTristate: true, resizable: false },
    placeholder: "No entry matches the filters.",
  });
  board.on("rowClick", (event, row) => {
    if (!event.target.closest("button, input")) page.showProvenance(row.getData().index);
  });
};

// Return a scale in percent for each student and IPC. It holds all means and intervals there.
page.scales = function () {
  const ends = (entry) => (entry.spread ? [entry.spread.mean, ...(entry.spread.interval ?? [])] : []);
  return d3.rollup(page.data.entries, (own) => d3.scaleLinear(d3.extent(own.flatMap(ends)), [0, 100]), (e) => e.student, (e) => e.ipc);
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
    needed: verdict ? verdict.sets_needed : null,
    best,
    pool: entry.pool,
    seconds: page.seconds(entry, 0),
  };
};

// Return a mark of the interval on a scale that all rows of a student and IPC share.
page.intervalMark = function (row, scales) {
  const { element } = page;
  if (row.mean === null) return "";
  const scale = scales.get(row.student).get(row.ipc);
  const dot = element("i", { class: "dot", style: `left:${scale(row.mean)}%` });
  const [low, high] = (row.interval ?? [row.mean, row.mean]).map(scale);
  const bar = element("i", { class: "bar", style: `left:${low}%;width:${high - low}%` });
  const text = row.interval ? page.interval(row.interval) : row.note ?? "";
  return element("span", { class: "whisker" }, element("span", { class: "track", "aria-hidden": "true" }, bar, dot), text);
};

page.columns = function () {
  const { element, data } = page;
  const scales = page.scales();
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
    { title: "method", field: "method", ...text, formatter: open, frozen: true, variableHeight: true, minWidth: 120, maxWidth: window.innerWidth < 600 ? 150 : 300 },
    { title: "student", field: "student", ...text, minWidth: 115, visible: several("student") },
    { title: "IPC", field: "ipc", ...number(0), minWidth: 85, headerFilter: "input", headerFilterFunc: "=", headerFilterPlaceholder: "equals" },
    { title: "protocol", field: "protocol", ...text, visible: several("protocol") },
    { title: "accuracy", field: "mean", ...number(1), minWidth: 105, ...least },
    { title: "95 % interval", field: "interval", minWidth: 205, headerSort: false, formatter: (cell) => page.intervalMark(cell.getData(), scales) },
    { title: "rank", field: "rank", ...number(0), headerSortStartingDir: "asc", formatter: (cell) => cell.getData().rankText },
    { title: `minus ${data.baseline}`, field: "difference", ...number(2), titleFormatter: () => page.element("span", {}, `minus ${data.baseline}`), headerWordWrap: true, maxWidth: 170, visible: data.baseline !== null, formatter: (cell) => (cell.getValue() === null ? "–" : page.signed(cell.getValue())) },
    { title: "verdict", field: "verdict", ...text, minWidth: 115, visible: data.baseline !== null },
    { title: "more sets", field: "needed", ...number(0), headerSortStartingDir: "asc", visible: data.baseline !== null, headerTooltip: "further sets of each row that would decide" },
    { title: "n", field: "n", hozAlign: "right", sorter: "number", formatter: (cell) => page.count(cell.getData()) },
    { title: "best", field: "best", ...number(1), visible: data.entries.some((entry) => entry.best !== null) },
    { title: "pool / class", field: "pool", ...number(0), headerSortStartingDir: "asc" },
    { title: "time", field: "seconds", ...number(0), headerSortStartingDir: "asc", formatter: (cell) => (cell.getValue() === null ? "–" : page.duration(cell.getValue())) },
  ];
};

page.count = (row) => (row.n === row.expected ? String(row.n) : `${row.n} of ${row.expected}`);
