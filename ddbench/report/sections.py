"""The parts of a leaderboard's page after its headline, as tables of text. Markdown and terminals show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ddbench.record.format1 import earlier_note
from ddbench.report.comparison import Comparison
from ddbench.report.leaderboard import Leaderboard
from ddbench.report.splits import Step
from ddbench.stats.summary import binomial_standard_error
from ddbench.text import code, markdown, one_line

NOTHING = "–"
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
    "There is no interval if a row has one set only."
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



@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: its title.
        headers: the headers of its table.
        rows: the rows of its table, as plain text.
        text: what explains the table, in Markdown.
        items: lines of a list below the table, in Markdown.
    """

    title: str
    headers: list[str]
    rows: list[list[str]]
    text: str = ""
    items: tuple[str, ...] = ()


def sections_of(board: Leaderboard) -> list[Section]:
    """Return the parts of a page after its headline, without those that have nothing to show."""
    optional = [published(board), scores(board), splits(board)]
    return [*(section for section in optional if section.rows), methods(board), details(board)]


def _section(
    title: str, headers: list[str], rows: Iterable[Sequence[Any]], text: str = "", items: tuple[str, ...] = ()
) -> Section:
    return Section(title, headers, [[one_line(str(cell)) for cell in row] for row in rows], text, items)


def preamble(board: Leaderboard) -> list[str]:
    """Return what holds for the whole board: data, seeds, validation set and environment, as lines of Markdown."""
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
        have = "1 training has" if board.repeated == 1 else f"{board.repeated} trainings have"
        lines.append(
            f"{have} results on inputs with different bits, as two machines make them. One result of each counts."
        )
    return lines


def published(board: Leaderboard) -> Section:
    """Return the table of published numbers with our results and verdicts."""
    headers = ["method", "protocol", "student", "IPC", "published", "statistic", "source"]
    headers += ["ours", "n", "95 % interval", "difference", "verdict"]
    return _section("Against published numbers", headers, map(_compared, board.comparisons), _RULE)


def _compared(comparison: Comparison) -> list[Any]:
    number, ours = comparison.published, comparison.ours
    printed = f"{number}{f' (n = {number.n})' if number.n else ''}"
    line = [comparison.method, comparison.protocol, comparison.student, comparison.ipc]
    line += [printed, number.statistic, number.source]
    if ours is None:
        return [*line, *[NOTHING] * 5]
    done = sum(ours.sizes)
    missing = f" ({done} of {comparison.expected})" if done < comparison.expected else ""
    verdict = {True: "reproduced", False: "not reproduced", None: NOTHING}[comparison.reproduced]
    return [*line, ours, f"{ours.counted}{missing}", _interval(ours.interval), f"{comparison.difference:+.2f}", verdict]


def splits(board: Leaderboard) -> Section:
    """Return the table of the splits: what each part adds."""
    headers = ["split", "student", "IPC", "part", "from", "to", "difference", "95 % interval", "sets"]
    return _section("Where the gain comes from", headers, map(_step, board.splits), _SPLITS)


def _step(step: Step) -> list[Any]:
    line, difference = [step.split, step.student, step.ipc, step.part, step.before, step.after], step.difference
    if difference is None:
        return [*line, *[NOTHING] * 3]
    first, second = difference.sets
    sets = f"{first} pairs" if difference.paired else f"{first} and {second}"
    return [*line, f"{difference.mean:+.2f}", _interval(difference.interval), sets]


def _interval(interval: tuple[float, float] | None) -> str:
    """Return an interval with two decimals: with one, a verdict could look wrong at its edge."""
    return "[{:.2f}, {:.2f}]".format(*interval) if interval else NOTHING


def scores(board: Leaderboard) -> Section:
    """Return the table of scores in addition to accuracy."""
    headers = ["method", "protocol", "student", "IPC", "random"]
    headers += ["over random", "below full", "recovered, %", "augmentation"]
    rows = (
        [
            *(s.method, s.protocol, s.student, s.ipc, s.random or NOTHING),
            *(value or NOTHING for value in (s.over_random, s.below_full, s.recovered, s.robustness)),
        ]
        for s in board.scores
    )
    return _section("Scores", headers, rows, _SCORES)


def methods(board: Leaderboard) -> Section:
    """Return the table of the methods' components, and a list that explains the names in it."""
    headers = ["generator", "pool", "selector", "refiner", "labels", "protocol"]
    rows = [[name, *(row[part] for part in headers)] for name, row in board.rows.items()]
    parts = {"protocol": board.summaries, "generator": board.generators, "scorer": board.scorers}
    named = (f"{kind} {code(name)}: {markdown(said)}" for kind, of in parts.items() for name, said in of.items())
    return _section("Methods", ["method", *headers], rows, items=tuple(named))


def details(board: Leaderboard) -> Section:
    """Return the table of all entries: n, last, best, evaluations and epochs."""
    rows = (
        [
            e.method,
            e.ipc,
            e.images or NOTHING,
            e.student,
            *([e.protocol] if len(board.protocols) > 1 else []),
            f"{e.last.n if e.last else 0} of {e.expected}",
            e.last or NOTHING,
            e.best or NOTHING,
            e.evaluations or NOTHING,
            e.epochs or NOTHING,
        ]
        for e in board.entries
    )
    protocol = ["protocol"] if len(board.protocols) > 1 else []
    headers = ["method", "IPC", "images", "student", *protocol, "n", "last", "best", "evaluations", "epochs"]
    return _section("All entries", headers, rows)
