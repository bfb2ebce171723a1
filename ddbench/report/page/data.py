"""The data of a page, as JSON: what its table, its charts and its provenance show."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from ddbench.record import Validation
from ddbench.report.comparison import Comparison
from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.page.trainings import Training, curve_of, stage_times, trainings_of
from ddbench.report.private import without_folders
from ddbench.report.results import Results
from ddbench.report.standings import Standing
from ddbench.suite.cells import PoolSize
from ddbench.text import one_line


def page_data(results: Results, board: Leaderboard) -> dict[str, Any]:
    """Return the data of a page. It holds no path, and no character that changes the direction of text.

    Equal results give equal data, in an equal order.
    """
    shared = _Shared()
    trainings = trainings_of(results)
    entries = [
        {
            **_entry(entry, trainings[entry.method, entry.ipc, entry.student, entry.protocol], board, shared),
            **_standing(standing),
        }
        for entry, standing in zip(board.entries, board.statistics.standings, strict=True)
    ]
    data = {
        "suite": board.suite,
        "dataset": board.dataset,
        "numerics": board.numerics,
        "chance": board.chance,
        "baseline": board.statistics.baseline,
        "margin": board.statistics.margin,
        "methods": board.rows,
        "protocols": board.summaries,
        "generators": board.generators,
        "scorers": board.scorers,
        "entries": entries,
        "comparisons": [_comparison(one) for one in board.comparisons],
        **shared.lists,
    }
    return _clean(without_folders(data, results.paths))  # type: ignore[no-any-return]


class _Shared:
    """Values that many results have in common. The data holds each of them once, and its position elsewhere."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Any]] = {"environments": [], "validations": [], "components": [], "epochs": []}
        self._positions: dict[tuple[str, Hashable], int] = {}
        self._lineages: dict[int, list[int]] = {}

    def place(self, kind: str, mark: Hashable, value: Any) -> int:
        """Return the position of a value in its list. Values with one mark are equal."""
        if (kind, mark) not in self._positions:
            self._positions[kind, mark] = len(self.lists[kind])
            self.lists[kind].append(to_jsonable_python(value))
        return self._positions[kind, mark]

    def components(self, trainings: Iterable[Training]) -> list[int]:
        """Return the positions of the components that made results, each once."""
        found: dict[int, None] = {}
        for training in trainings:
            lineage = training.measured.lineage
            if id(lineage) not in self._lineages:  # The results keep the lineage, so its id is not used again.
                self._lineages[id(lineage)] = [self.place("components", repr(part), part) for part in lineage]
            found |= dict.fromkeys(self._lineages[id(lineage)])
        return list(found)


def _entry(entry: Entry, trainings: Sequence[Training], board: Leaderboard, shared: _Shared) -> dict[str, Any]:
    """Return one place of the table."""
    curve = curve_of(trainings)
    return {
        "method": entry.method,
        "ipc": entry.ipc,
        "student": entry.student,
        "protocol": entry.protocol,
        "expected": entry.expected,
        "n": entry.last.n if entry.last else 0,
        "best": None if entry.best is None else entry.best.mean,
        "evaluations": entry.evaluations,
        "epochs": entry.epochs,
        "pool": _pool(board.rows[entry.method]["pool"], entry.ipc),
        "stages": stage_times(trainings),
        "curve": curve and {**vars(curve), "epochs": shared.place("epochs", curve.epochs, curve.epochs)},
        "trainings": [_training(training, shared) for training in trainings],
        "components": shared.components(trainings),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    """Return interval, rank and verdict of one place."""
    parts = {"spread": standing.spread, "rank": standing.rank, "verdict": standing.verdict}
    return {name: None if part is None else vars(part) for name, part in parts.items()}


def _training(training: Training, shared: _Shared) -> dict[str, Any]:
    measured, record = training.measured, training.record
    return {
        "seeds": training.seeds,
        "last": measured.last,
        "best": measured.best,
        "key": measured.action_key,
        "set": measured.distilled,
        "created": None if record is None else record.created,
        "environment": shared.place("environments", measured.fingerprint, measured.environment),
        "validation": shared.place("validations", measured.validation.digest, _validation(measured.validation)),
    }


def _validation(validation: Validation) -> dict[str, Any]:
    return {"digest": validation.digest, "size": validation.size}


def _pool(text: str, ipc: int) -> int:
    """Return how many images per class a row's pool has. It is 0 for a row that uses all existing images."""
    return 0 if text == "everything" else PoolSize(int(text) if text.isdecimal() else text).count(ipc) or 0


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "method": one.method,
        "student": one.student,
        "protocol": one.protocol,
        "ipc": one.ipc,
        "published": vars(one.published),
        "ours": None if one.ours is None else {**vars(one.ours), "counted": one.ours.counted},
        "difference": one.difference,
        "reproduced": one.reproduced,
    }


def _clean(value: Any) -> Any:
    """Return a JSON value with visible escapes in place of control characters."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {one_line(name): _clean(part) for name, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, list | tuple) else value
