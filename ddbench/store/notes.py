"""The small JSON files of a store: its marker, notes on cells, failures, and the suites of runs."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Self

from ddbench.record import Part, parse_part
from ddbench.record.run_record import Key

FORMAT: Final = 2
EARLIER: Final = 1


class Note(Part):
    """A small stored file.

    Attributes:
        what: the name of the file in messages.
    """

    what: ClassVar[str]

    @classmethod
    def parse(cls, value: Any, where: str | None = None) -> Self:
        """Return the note of a JSON value. Raise CorruptError with the place ``where`` if it is none."""
        return parse_part(cls, value, cls.what, where)


class Marker(Note):
    """The file ``store.json``.

    Attributes:
        format: the format of the store.
        earlier: True if the store may have work of format 1.
    """

    what = "marker of a store"
    format: int
    earlier: bool = False


class CellNote(Note):
    """A note that a result belongs to a cell. It has further keys that describe the cell.

    Attributes:
        action_key: the key of the result; None in notes of ddbench 0.2.
        recipe_key: the key of its recipe; None in notes of ddbench 0.2.
        suite: the name of the suite.
        method: the name of the row.
    """

    what = "note on a cell"
    action_key: Key | None = None
    recipe_key: Key | None = None
    suite: str
    method: str


class Failure(Note):
    """The last failure of a node, for display.

    Attributes:
        recipe_key: the key of its recipe.
        action_key: the key of its output.
        stage: the name of its stage.
        label: its name for display.
        message: the error as one line.
        trace: the traceback; empty if there is none.
    """

    what = "failure of a node"
    recipe_key: Key
    action_key: Key
    stage: str
    label: str
    message: str
    trace: str = ""


class RunNote(Note):
    """The file ``suite.json`` of a run.

    Attributes:
        run: the name of the run's folder; None in runs of ddbench 0.2.
        file: the name of the suite file.
        suite: its content.
    """

    what = "suite of a run"
    run: str | None = None
    file: str
    suite: dict[str, Any]
