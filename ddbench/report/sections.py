"""The parts of a leaderboard's page after its headline, as tables of text. Markdown and terminals show them."""

from __future__ import annotations

from typing import Any

from ddbench.record.format1 import earlier_note
from ddbench.report.comparison import Comparison
from ddbench.report.headline import NOTHING, value_of
from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.score_sections import distilled_sets, scores
from ddbench.report.section import Section, section, shown_interval
from ddbench.report.splits import Step
from ddbench.report.standings import Standing
from ddbench.stats.summary import binomial_standard_error
from ddbench.text import code, counted, markdown

_RULE = (
    "*Reproduced* means that the published mean lies within our interval, widened on both sides by the published "
    "standard deviation, if there is one. Our interval is the 95 % Student-t interval of the mean accuracy. The unit "
    "of repetition is the distilled set, or the training if there is only one set. Each set counts once. A published "
    "*best* is compared with our *best*, which needs `evaluate: papers`. A published *last* is compared with our "
    "*last*. If the statistic is unknown, our *last* is shown. There is no verdict for an unknown statistic, for "
    "another number of evaluations, for a single unit, or while a training is missing."
)
_VERDICTS = (
    "The difference is the mean of the row minus that of the baseline, over distilled sets, in points. Intervals and "
    "p-values hold for all comparisons of one student and IPC together. *Equivalent* means that the difference is "
    "surely below the margin. *More sets* is the number of further sets of each row that decide with a probability "
    "of 80 %. Difference and spread are then as measured. *Hours* is their recorded time."
)
_OTHER_PROTOCOL = "A row whose protocol is not that of the baseline has a verdict on its method and protocol together."
_OVERALL = (
    "A setting is one student with one IPC. These are means over all settings, with 95 % bootstrap intervals, among "
    "the rows of one protocol. A row with fewer than two sets in a setting is left out. With fewer than five settings, "
    "the intervals hold for these settings only."
)
_VARIANCE = (
    "The variance that each seed adds, pooled over the rows, as a standard deviation in points. Seeds that change "
    "together share a line."
)
_SPLITS = (
    "Each row of a split adds one part to the row before. A difference is the mean last accuracy of the second row "
    "minus that of the first, in percent points. Its interval is the 95 % Student-t interval over distilled sets. "
    "Sets of one generator with equal seeds are paired. Other sets are independent, and their interval is Welch's. "
    "There is no interval if a row has one set only. There is no difference while a training is missing."
)


def sections_of(board: Leaderboard) -> list[Section]:
    """Return the parts of a page after its headline, without those that have nothing to show."""
    optional = [verdicts(board), published(board), scores(board), splits(board), overall(board), variances(board)]
    optional.append(distilled_sets(board))
    return [*(section for section in optional if section.rows), methods(board), details(board)]


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
        f"Top-1 accuracy in %, mean ± standard deviation (ddof {board.ddof}) over {', '.join(varied)}. "
        "Each set counts once. The deviation is that of set means, or of the trainings of a row with one set.",
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
            "them. The mean of each counts."
        )
    if (between := board.environment_spread) is not None:
        lines.append(
            f"{between.trainings} trainings have results from several of {between.environments} environments. Their "
            f"standard deviation between environments is {between.sd:.2f}, and the largest difference is "
            f"{between.largest:.2f}."
        )
    return lines


def published(board: Leaderboard) -> Section:
    """Return the table of published numbers with our results and verdicts."""
    headers = ["method", "protocol", "student", "IPC", "published", "statistic", "source"]
    headers += ["ours", "n", "95 % interval", "difference", "verdict"]
    return section("Against published numbers", headers, map(_compared, board.comparisons), _RULE)


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
    return [
        *line,
        ours,
        f"{ours.counted}{missing}",
        shown_interval(ours.interval),
        f"{comparison.difference:+.2f}",
        verdict,
    ]


def verdicts(board: Leaderboard) -> Section:
    """Return the comparisons with the baseline."""
    headers = ["method", "protocol", "student", "IPC", "difference", "interval", "p", "verdict", "test", "sets"]
    rows = [_verdict(standing) for standing in board.statistics.standings if standing.verdict]
    text = f"{_VERDICTS} The margin is ±{board.statistics.margin:g}."
    if any(standing.against_protocol for standing in board.statistics.standings):
        text += f" {_OTHER_PROTOCOL}"
    title = f"Against {markdown(str(board.statistics.baseline))}"
    return section(title, [*headers, "more sets", "hours"], rows, text)


def _verdict(standing: Standing) -> list[Any]:
    verdict = standing.verdict
    assert verdict is not None
    return [
        *(standing.method, standing.protocol, standing.student, standing.ipc),
        NOTHING if verdict.difference is None else f"{verdict.difference:+.2f}",
        shown_interval(verdict.interval),
        _probability(verdict.p),
        verdict.word,
        verdict.test or f"none: {verdict.reason}",
        f"{verdict.sets[0]} and {verdict.sets[1]}",
        NOTHING if verdict.sets_needed is None else f"{verdict.sets_needed:,}",
        NOTHING if verdict.hours is None else f"{verdict.hours:,.1f}",
    ]


def _probability(p: float | None) -> str:
    return NOTHING if p is None else "< 0.0001" if p < 1e-4 else f"{p:.4f}"


def overall(board: Leaderboard) -> Section:
    """Return each row over all students and IPCs."""
    rows = (
        [
            *(method, row.settings, NOTHING if row.difference is None else f"{row.difference:+.2f}"),
            *(shown_interval(row.interval), f"{row.rank:.1f}", shown_interval(row.rank_interval)),
        ]
        for method, row in board.statistics.overall.items()
    )
    difference = f"difference to {board.statistics.baseline}" if board.statistics.baseline else "difference"
    headers = ["method", "settings", difference, "interval", "mean rank", "interval of the rank"]
    return section("Over all settings", headers, rows, _OVERALL)


def variances(board: Leaderboard) -> Section:
    """Return the variance of each column by seed axis."""
    rows = (
        [column.student, column.ipc, axis, f"{variance**0.5:.2f}"]
        for column in board.statistics.variances
        for axis, variance in column.by_axis.items()
    )
    return section("Where the variance comes from", ["student", "IPC", "seed", "sd"], rows, _VARIANCE)


def splits(board: Leaderboard) -> Section:
    """Return the table of the splits: what each part adds."""
    headers = ["split", "student", "IPC", "part", "from", "to", "difference", "95 % interval", "sets"]
    return section("Where the gain comes from", headers, map(_step, board.splits), _SPLITS)


def _step(step: Step) -> list[Any]:
    line, difference = [step.split, step.student, step.ipc, step.part, step.before, step.after], step.difference
    if difference is None:
        return [*line, NOTHING, NOTHING, f"{counted(step.missing, 'training')} missing"]
    first, second = difference.sets
    sets = counted(first, "pair") if difference.paired else f"{first} and {second}"
    return [*line, f"{difference.mean:+.2f}", shown_interval(difference.interval), sets]


def methods(board: Leaderboard) -> Section:
    """Return the table of the methods' components, and a list that explains the names in it."""
    headers = ["generator", "pool", "selector", "refiner", "labels", "protocol"]
    rows = [[name, *(row[part] for part in headers)] for name, row in board.rows.items()]
    parts = {"protocol": board.summaries, "generator": board.generators, "scorer": board.scorers}
    named = (f"{kind} {code(name)}: {markdown(said)}" for kind, of in parts.items() for name, said in of.items())
    return section("Methods", ["method", *headers], rows, items=tuple(named))


def details(board: Leaderboard) -> Section:
    """Return all entries: repetitions, accuracies, intervals and ranks."""
    standings = {(s.method, s.ipc, s.student, s.protocol): s for s in board.statistics.standings}
    rows = [_entry(e, standings.get((e.method, e.ipc, e.student, e.protocol))) for e in board.entries]
    headers = ["method", "protocol", "student", "IPC", "images", "n", "sets", "last", "95 % interval", "rank"]
    entries = section("All entries", [*headers, "best", "evaluations", "epochs"], rows)
    return entries if len(board.protocols) > 1 else entries.without("protocol")


def _entry(entry: Entry, standing: Standing | None) -> list[Any]:
    spread = standing.spread if standing else None
    return [
        *(entry.method, entry.protocol, entry.student, entry.ipc, entry.images or NOTHING),
        f"{entry.last.n if entry.last else 0} of {entry.expected}",
        spread.sets if spread else NOTHING,
        value_of(entry, standing) if entry.last else NOTHING,
        shown_interval(spread.interval if spread else None),
        standing.rank if standing and standing.rank else NOTHING,
        *(entry.best or NOTHING, entry.evaluations or NOTHING, entry.epochs or NOTHING),
    ]
