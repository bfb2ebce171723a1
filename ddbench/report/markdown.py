"""Format a leaderboard as Markdown: the headline table, then the details."""

from __future__ import annotations

from typing import Any

from tabulate import tabulate

from ddbench.record.format1 import earlier_note
from ddbench.report.comparison import Comparison
from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.splits import Step
from ddbench.stats.scores import Estimate
from ddbench.stats.summary import Summary, binomial_standard_error
from ddbench.text import code, counted, markdown

_NOTHING = "–"
# Near-duplicates that are listed, at most.
_NEAR_SHOWN = 20
_RULE = (
    "*Reproduced* means that the published mean lies within our interval, widened on both sides by the published "
    "standard deviation, if there is one. Our interval is the 95 % Student-t interval of the mean accuracy. The unit "
    "of repetition is the distilled set, or the training if there is only one set. Each set counts once. A published "
    "*best* is compared with our *best*, which needs `evaluate: papers`. A published *last* is compared with our "
    "*last*. If the statistic is unknown, our *last* is shown. There is no verdict for an unknown statistic, for "
    "another number of evaluations, for a single unit, or while a training is missing."
)
_SPLITS = (
    "Each row of a split adds one part to the row before. A difference is the mean last accuracy of the second row "
    "minus that of the first, in percent points. Its interval is the 95 % Student-t interval over distilled sets. "
    "Sets of one generator with equal seeds are paired. Other sets are independent, and their interval is Welch's. "
    "There is no interval if a row has one set only. There is no difference while a training is missing."
)

_SCORES = (
    "The ideas are those of DD-Ranking (arXiv:2505.13300), on our numbers. *Over random* (IOR) is the accuracy minus "
    "that of random images under the same protocol, in points. *Below full* is the accuracy on the full data minus the "
    "accuracy. With hard labels it is DD-Ranking's HLR. *Recovered* is the share of the way from random to full. "
    "*Augmentation* (ARS) is 100 (exp(b) − exp(−1)) / (exp(1) − exp(−1)), and b is the mean of the improvements over "
    "random with and without augmentation, as fractions. Random images have 26.9. Brackets are 95 % intervals over "
    "sets, or over trainings if there is only one set. A score is empty while a training is missing. It is "
    "empty too if `scores` names no row that it needs. A row of random images must have the method's protocol."
)
# What each column of scores needs.
_ABSENT = {
    "over random": "needs a finished row of random images with the method's protocol",
    "below full": "needs `full` in `scores`, and that row finished",
    "recovered, %": "needs finished rows of random images and of the full data",
    "augmentation": "needs `twin` in `scores`, and finished twins of the method and of random images",
}

_SETS = (
    "Scores of the sets themselves, in the embeddings of the scorer that `set_scores` names. *Images* are bytes of "
    "pixels as stored, without compression. *Soft labels* are float32 numbers: one for each image and class, or for "
    "each image, class and epoch if a teacher labels batches. Hard labels count nothing. *Coverage* is the share of "
    "the training images of a class with an image of the set in their neighbourhood (arXiv:2002.09797). "
    "Neighbourhoods are so large that as many independent real images cover half. *Diversity* is the Vendi score of a "
    "class (arXiv:2210.02410): the effective number of different images. Both are means over the classes, then over "
    "the sets. An image is *near* a real image if that is less than half as far as the 50 nearest are on "
    "average (arXiv:2301.13188). Distances are those of embeddings, or of pixels at 16 × 16, mirrored or not."
)


def to_markdown(board: Leaderboard) -> str:
    """Return the whole page, with a final newline. Equal results give equal bytes."""
    parts = [f"# {markdown(board.suite)}", _preamble(board), "## Last accuracy", headline(board)]
    if board.comparisons:
        parts += ["## Against published numbers", _RULE, published(board)]
    if board.scores:
        parts += ["## Scores", _SCORES, scores(board)]
    if board.splits:
        parts += ["## Where the gain comes from", _SPLITS, splits(board)]
    if board.sets:
        parts += ["## Distilled sets", _SETS, set_scores(board), *near_images(board)]
    parts += ["## Methods", methods(board), "## All entries", details(board)]
    return "\n\n".join(parts) + "\n"


def _preamble(board: Leaderboard) -> str:
    varied = [f"{count} {axis} seeds" for axis, count in board.seeds.items() if count > 1] or ["one seed of each axis"]
    validation = [
        f"{size} images, sha256 {digest[:12]}, binomial standard error of one accuracy at most "
        f"{binomial_standard_error(50, size):.1f}"
        for digest, size in board.validation
    ]
    lines = [
        markdown(f"Data set {board.dataset}, protocol {', '.join(board.protocols)}, numerics {board.numerics}."),
        f"Top-1 accuracy in %, mean ± standard deviation (ddof {board.ddof}) over {', '.join(varied)}.",
        "*last* is the accuracy after the last epoch. *best* is the highest accuracy of all evaluations of a training, "
        "as papers report it. It is optimistic, because the validation set selects it. It is empty unless the suite "
        "sets `evaluate: papers`.",
        f"Validation set: {'; '.join(validation) or 'no result yet'}.",
        markdown(f"Environment: {'; '.join(board.environments) or 'no result yet'}."),
    ]
    if board.teachers:
        lines.append(markdown(f"Teachers: {'; '.join(board.teachers)}."))
    if board.earlier:
        lines.append(earlier_note(board.earlier))
    if board.repeated:
        have = "has" if board.repeated == 1 else "have"
        lines.append(
            f"{counted(board.repeated, 'training')} {have} results on inputs with different bits, as two machines make "
            "them. One result of each counts."
        )
    return "  \n".join(lines)


def headline(board: Leaderboard) -> str:
    """Return the table of methods by student and IPC."""
    students = list(dict.fromkeys(e.student for e in board.entries))
    columns = sorted({(e.student, e.ipc) for e in board.entries}, key=lambda c: (students.index(c[0]), c[1]))
    places = {(e.method, e.protocol, e.student, e.ipc): e for e in board.entries}
    rows = list(dict.fromkeys((e.method, e.protocol) for e in board.entries))
    mixed = len(board.protocols) > 1
    table = []
    for method, protocol in rows:
        shown = [_last(places.get((method, protocol, *column))) for column in columns]
        table.append([method, *([protocol] if mixed else []), *shown])
    if board.chance is not None:
        table.append(["Chance", *([_NOTHING] if mixed else []), *[f"{board.chance:.1f}"] * len(columns)])
    headers = ["method", *(["protocol"] if mixed else []), *(f"{student} IPC {ipc}" for student, ipc in columns)]
    return _table(table, headers)


def _table(rows: list[list[Any]], headers: list[str]) -> str:
    """Return a Markdown table. Markup in values is escaped."""
    escaped = [[markdown(str(value)) for value in row] for row in [headers, *rows]]
    return tabulate(escaped[1:], escaped[0], tablefmt="github", disable_numparse=True)


def _last(entry: Entry | None) -> str:
    if entry is None or entry.last is None:
        return _NOTHING
    partial = f" ({entry.last.n} of {entry.expected})" if entry.last.n < entry.expected else ""
    return f"{entry.last}{partial}"


def published(board: Leaderboard) -> str:
    """Return the table of published numbers with our results and verdicts."""
    headers = ["method", "protocol", "student", "IPC", "published", "statistic", "source"]
    headers += ["ours", "n", "95 % interval", "difference", "verdict"]
    return _table([_compared(comparison) for comparison in board.comparisons], headers)


def _compared(comparison: Comparison) -> list[Any]:
    number, ours = comparison.published, comparison.ours
    printed = f"{number}{f' (n = {number.n})' if number.n else ''}"
    line = [comparison.method, comparison.protocol, comparison.student, comparison.ipc]
    line += [printed, number.statistic, number.source]
    if ours is None:
        return [*line, *[_NOTHING] * 5]
    done = sum(ours.sizes)
    missing = f" ({done} of {comparison.expected})" if done < comparison.expected else ""
    verdict = {True: "reproduced", False: "not reproduced", None: _NOTHING}[comparison.reproduced]
    return [*line, ours, f"{ours.counted}{missing}", _interval(ours.interval), f"{comparison.difference:+.2f}", verdict]


def splits(board: Leaderboard) -> str:
    """Return the table of the splits: what each part adds."""
    headers = ["split", "student", "IPC", "part", "from", "to", "difference", "95 % interval", "sets"]
    return _table([_step(step) for step in board.splits], headers)


def _step(step: Step) -> list[Any]:
    line, difference = [step.split, step.student, step.ipc, step.part, step.before, step.after], step.difference
    if difference is None:
        return [*line, _NOTHING, _NOTHING, f"{counted(step.missing, 'training')} missing"]
    first, second = difference.sets
    sets = counted(first, "pair") if difference.paired else f"{first} and {second}"
    return [*line, f"{difference.mean:+.2f}", _interval(difference.interval), sets]


def _interval(interval: tuple[float, float] | None) -> str:
    """Return an interval with two decimals: with one, a verdict could look wrong at its edge."""
    return "[{:.2f}, {:.2f}]".format(*interval) if interval else _NOTHING


def scores(board: Leaderboard) -> str:
    """Return the table of scores in addition to accuracy."""
    headers = ["method", "protocol", "student", "IPC", "random"]
    columns: dict[str, list[Estimate | None]] = {
        "over random": [s.over_random for s in board.scores],
        "below full": [s.below_full for s in board.scores],
        "recovered, %": [s.recovered for s in board.scores],
        "augmentation": [s.robustness for s in board.scores],
    }
    shown = {name: values for name, values in columns.items() if any(values)}
    table = [
        [s.method, s.protocol, s.student, s.ipc, s.random or _NOTHING, *(v or _NOTHING for v in values)]
        for s, *values in zip(board.scores, *shown.values(), strict=True)
    ]
    absent = [f"*{name.removesuffix(', %')}*: {_ABSENT[name]}" for name in columns if name not in shown]
    left_out = [f"Left out, as no row has a value: {'; '.join(absent)}."] if absent else []
    return "\n\n".join([_table(table, [*headers, *shown]), *left_out])


def set_scores(board: Leaderboard) -> str:
    """Return the table of distilled sets."""
    headers = ["method", "protocol", "IPC", "sets", "images, KiB", "soft labels, KiB", "coverage, %", "diversity"]
    headers += ["near validation", "near training"]
    table = [
        [
            *(s.method, s.protocol, s.ipc, f"{s.assessed} of {s.sets}", *map(_kib, (s.image_bytes, s.label_bytes))),
            *(s.coverage or _NOTHING, _two_decimals(s.diversity)),
            *(f"{count} of {s.images}" for count in (s.near_validation, s.near_training)),
        ]
        for s in board.sets
    ]
    return _table(table, headers)


def near_images(board: Leaderboard) -> list[str]:
    """Return the lists of near-duplicates of validation images, the nearest first; and their number by chance."""
    places: dict[tuple[float, str, str], list[str]] = {}
    for s in board.sets:
        for image in s.shown:
            place = f"{markdown(s.method)}, IPC {s.ipc}"
            places.setdefault((image.nearness, image.image, image.nearest), []).append(place)
    listed = [
        f"- {code(image)} is near validation image {code(nearest)} ({nearness:.3f}): {'; '.join(dict.fromkeys(own))}"
        for (nearness, image, nearest), own in sorted(places.items())[:_NEAR_SHOWN]
    ]
    more = [f"- and {len(places) - _NEAR_SHOWN} more"] if len(places) > _NEAR_SHOWN else []
    near, checked = board.expected_near or (0, 0)
    compared = f"By the same rule, {near:,} of {checked:,} training images are near a validation image."
    return [compared, *(["\n".join([*listed, *more])] if listed else [])]


def _two_decimals(found: Summary) -> str:
    return f"{found.mean:.2f}" + ("" if found.std is None else f" ± {found.std:.2f}")


def _kib(size: int | None) -> str:
    return _NOTHING if size is None else f"{size / 1024:,.1f}"


def methods(board: Leaderboard) -> str:
    """Return the table of the methods' components, and a list that explains the names in it."""
    headers = ["generator", "pool", "selector", "refiner", "labels", "protocol"]
    rows = [[name, *(row[part] for part in headers)] for name, row in board.rows.items()]
    parts = {"protocol": board.summaries, "generator": board.generators, "scorer": board.scorers}
    named = [f"- {kind} {code(name)}: {markdown(said)}" for kind, of in parts.items() for name, said in of.items()]
    return "\n\n".join([_table(rows, ["method", *headers]), "\n".join(named)])


def details(board: Leaderboard) -> str:
    """Return the table of all entries: n, last, best, evaluations and epochs."""
    table = [
        [
            e.method,
            e.ipc,
            e.images or _NOTHING,
            e.student,
            *([e.protocol] if len(board.protocols) > 1 else []),
            f"{e.last.n if e.last else 0} of {e.expected}",
            e.last or _NOTHING,
            e.best or _NOTHING,
            e.evaluations or _NOTHING,
            e.epochs or _NOTHING,
        ]
        for e in board.entries
    ]
    protocol = ["protocol"] if len(board.protocols) > 1 else []
    headers = ["method", "IPC", "images", "student", *protocol, "n", "last", "best", "evaluations", "epochs"]
    return _table(table, headers)
