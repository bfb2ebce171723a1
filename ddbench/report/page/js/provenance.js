"use strict";
// The dialog that shows what is behind one number.
page.showProvenance = function (index) {
  const { element, data } = page;
  const entry = data.entries[index];
  const dialog = document.getElementById("provenance");
  const close = element("button", { class: "close", "aria-label": "Close", onclick: () => dialog.close() }, "✕");
  dialog.replaceChildren(
    close,
    element("h2", { id: "provenance-title" }, entry.method),
    element("p", { class: "note" }, `${entry.student}, IPC ${entry.ipc}, protocol ${entry.protocol}`),
    page.summaryOf(entry),
    element("h3", {}, "Values by seed"), page.trainingsOf(entry),
    element("h3", {}, "Recipe"), page.recipeOf(entry),
    element("h3", {}, "Components"), page.componentsOf(entry),
    element("h3", {}, "Time of one training and all stages before it"), page.stagesOf(entry),
    element("h3", {}, "Environment"), ...page.environmentsOf(entry),
  );
  dialog.showModal();
  dialog.scrollTop = 0;
};

page.definitions = function (pairs) {
  const { element } = page;
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
};

page.summaryOf = function (entry) {
  const { spread, rank, best } = entry;
  if (!spread) return page.definitions([["result", `none of ${entry.expected} trainings yet`]]);
  const several = spread.trainings === spread.sets ? "" : `, ${spread.trainings} trainings`;
  return page.definitions([
    ["accuracy", `${page.fixed(spread.mean, 2)} %; each set counts once`],
    ["95 % interval", spread.interval ? `${page.interval(spread.interval, 2)}, over ${spread.unit}` : null],
    ["remark", spread.note],
    ["sets", `${spread.sets}${several}${entry.n < entry.expected ? `; ${entry.n} of ${entry.expected} trainings are done` : ""}`],
    ["standard deviation of sets", spread.sd_sets === null ? null : page.fixed(spread.sd_sets, 2)],
    ["rank", rank ? `${page.rank(rank)} of ${rank.of}, by ${rank.test}` : "none, because the spread of its sets is unknown"],
    ...page.verdictOf(entry.verdict),
    ["best of all evaluations", best === null ? null : page.fixed(best, 2)],
    ["evaluations", entry.evaluations],
    ["epochs", entry.epochs],
  ]);
};

page.verdictOf = function (verdict) {
  if (!verdict) return [];
  const { against, word, difference, interval, test, p, reason, family, margin, sets_needed: needed, hours } = verdict;
  const chance = p === null ? "" : `, p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}`;
  const sets = needed === null ? null : `${needed} more of each row${hours === null ? "" : `, about ${page.duration(hours * 3600)}`}`;
  return [
    [`against ${against}`, word === "equivalent" ? `equivalent within ${margin} points` : word],
    ["difference", difference === null ? null : `${page.signed(difference)} points${interval ? ` ${page.interval(interval, 2)}` : ""}`],
    ["test", test ? `${test}, ${family} comparison${family === 1 ? "" : "s"}${chance}` : null],
    ["why", reason],
    ["sets that would decide", sets],
  ];
};

page.trainingsOf = function (entry) {
  const { element, data } = page;
  const code = (text) => (text ? element("code", { title: text }, text.slice(0, 12)) : null);
  const several = data.environments.length > 1;
  const titles = ["generation", "selection", "training", "last", "best", "key", "distilled set", "made"];
  const rows = entry.trainings.map((one) => {
    const [first, ...others] = one.seeds;
    const shared = others.length ? ` (and ${others.length} more seeds)` : "";
    return [
      others.length ? `${first[0]}${shared}` : first[0], first[1], first[2], page.fixed(one.last, 2), page.fixed(one.best, 2),
      code(one.key), code(one.set), one.created ? one.created.slice(0, 10) : null, ...(several ? [one.environment + 1] : []),
    ];
  });
  return page.table([...titles, ...(several ? ["environment"] : [])], rows);
};

page.recipeOf = function (entry) {
  const { data } = page;
  const recipe = data.methods[entry.method];
  const explained = [
    [`generator ${recipe.generator}`, data.generators[recipe.generator]],
    [`protocol ${entry.protocol}`, data.protocols[entry.protocol]],
    ...Object.entries(data.scorers).map(([role, text]) => [`scorer ${role}`, text]),
  ];
  return page.definitions([...Object.entries(recipe), ...explained]);
};

page.componentsOf = function (entry) {
  const { element, data } = page;
  if (entry.components.length === 0) return element("p", { class: "note" }, "The records do not have them.");
  const rows = entry.components.map((position) => {
    const part = data.components[position];
    const from = [part.package, part.package_version].filter(Boolean).join(" ");
    const commit = part.commit ? `${part.commit.slice(0, 12)}${part.dirty ? ", changed" : ""}` : null;
    const parameters = Object.entries(part.params ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const hash = part.code_hash ? element("code", { title: part.code_hash }, part.code_hash.slice(0, 12)) : null;
    return [part.kind, part.name, part.version, from, commit, hash, parameters.join(", ")];
  });
  return page.table(["kind", "name", "version", "package", "commit", "code", "parameters"], rows);
};

page.stagesOf = function (entry) {
  const stages = Object.entries(entry.stages);
  if (stages.length === 0) return page.element("p", { class: "note" }, "The records do not have times.");
  const rows = stages.map(([name, pair]) => [name, ...pair.map(page.duration)]);
  return page.table(["stage", "wall time", "CPU time"], rows);
};

page.environmentsOf = function (entry) {
  const { data } = page;
  const used = [...new Set(entry.trainings.map((one) => one.environment))];
  const sets = [...new Set(entry.trainings.map((one) => one.validation))];
  const flat = (value) =>
    value && typeof value === "object" ? Object.entries(value).map(([name, part]) => `${name} ${part ?? "?"}`).join(", ") : value;
  const environments = used.map((position) =>
    page.definitions([
      ...(data.environments.length > 1 ? [["number", position + 1]] : []),
      ...Object.entries(data.environments[position]).map(([name, value]) => [name.replaceAll("_", " "), flat(value)]),
    ]));
  const validations = sets.map((position) => {
    const { digest, size } = data.validations[position];
    return page.definitions([["validation images", size], ["their SHA-256", digest]]);
  });
  return [...environments, ...validations];
};
