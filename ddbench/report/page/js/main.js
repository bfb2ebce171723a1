"use strict";
// Choose what the charts show first: the first setting, its largest IPC, and methods from the best to the worst.
page.start = function () {
  const { data, state } = page;
  const first = data.entries.find((entry) => entry.spread) ?? data.entries[0];
  Object.assign(state, { student: first.student, protocol: first.protocol });
  page.settle();
  const ranked = d3.sort(page.shownAtIpc(), (entry) => -entry.spread.mean).map((entry) => entry.method);
  state.methods = ranked.slice(0, page.MOST_COLOURS - 2);
};

// Keep the IPC of the charts, if the setting has it.
page.settle = function () {
  const ipcs = new Set(page.shown().map((entry) => entry.ipc));
  if (!ipcs.has(page.state.ipc)) page.state.ipc = d3.max(ipcs) ?? null;
};

page.select = function (label, options, value, change) {
  const { element } = page;
  const list = element("select", { onchange: (event) => change(event.target.value) }, ...options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)));
  return element("label", {}, `${label} `, list);
};

page.drawControls = function () {
  const { element, data, state } = page;
  const settings = d3.groups(data.entries, (e) => JSON.stringify([e.student, e.protocol])).map(([key]) => key);
  const mixed = new Set(data.entries.map((entry) => entry.protocol)).size > 1;
  const ipcs = d3.sort(new Set(page.shown().map((entry) => entry.ipc)));
  const update = (changes) => { Object.assign(state, changes); page.settle(); page.drawControls(); page.redraw(); };
  const setting = page.select("Student", settings.map((key) => [key, mixed ? JSON.parse(key).join(", ") : JSON.parse(key)[0]]), JSON.stringify([state.student, state.protocol]), (key) => {
    const [student, protocol] = JSON.parse(key);
    update({ student, protocol });
  });
  const ipc = page.select("IPC", ipcs.map((value) => [String(value), String(value)]), String(state.ipc), (value) => update({ ipc: Number(value) }));
  const cost = page.select("Cost", Object.entries(page.COSTS).map(([key, { label }]) => [key, label]), state.cost, (value) => update({ cost: value }));
  const boxes = Object.keys(data.methods).map((method) => {
    const chosen = state.methods.includes(method);
    const full = !chosen && state.methods.length === page.MOST_COLOURS;
    const box = element("input", { type: "checkbox", checked: chosen, disabled: full, onchange: () => update({ methods: chosen ? state.methods.filter((other) => other !== method) : [...state.methods, method] }) });
    return element("label", { style: chosen ? `--mark:${page.colour(method)}` : null }, box, method);
  });
  const open = document.querySelector("#controls details")?.open ?? false;
  const list = element("details", { open }, element("summary", {}, `Highlighted: ${state.methods.join(" · ") || "none"}`), element("p", { class: "note" }, `Choose up to ${page.MOST_COLOURS} methods.`), element("div", { class: "methods" }, ...boxes));
  document.getElementById("controls").replaceChildren(element("div", { class: "selects" }, settings.length > 1 ? setting : null, ipc, cost), list);
};

document.documentElement.classList.add("with-scripts");
page.makeTable();
if (page.data.entries.some((entry) => entry.spread)) {
  page.start();
  page.drawControls();
  page.addChart("ipc", page.ipcChart);
  page.addChart("cost", page.costChart);
  page.addChart("stages", page.stagesChart);
  page.addChart("curves", page.curvesChart);
  page.addChart("published", page.reportedChart);
}
document.getElementById("accuracy").addEventListener("click", (event) => {
  const cell = event.target.closest("[data-entry]");
  if (cell) page.showProvenance(Number(cell.dataset.entry));
});
