"""Draw the figures of a suite, and write them as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ddbench.figures.kinds import FIGURES
from ddbench.figures.source import NothingToDrawError, Source
from ddbench.figures.style import files, styled
from ddbench.toolkit.files import new_folder


def draw(source: Source, name: str) -> dict[str, bytes]:
    """Return the files of a figure by their suffix, ``svg`` and ``png``.

    Args:
        source: the data.
        name: a name in ``FIGURES``.

    Raises:
        NothingToDrawError: the data is missing.
        DdbenchError: matplotlib is not installed.
    """
    with styled():
        return files(FIGURES[name](source))


def write_figures(source: Source, names: Iterable[str], folder: Path) -> tuple[list[str], dict[str, str]]:
    """Draw figures into a new folder. Return the names of the drawn ones, and the reasons for the others by name.

    Args:
        source: the data.
        names: names in ``FIGURES``.
        folder: the new folder; it may exist if it is empty. It is not made if there is nothing to draw.

    Raises:
        DdbenchError: matplotlib is not installed, or the folder is not empty.
        OSError: the folder cannot be written.
    """
    made: dict[str, dict[str, bytes]] = {}
    reasons: dict[str, str] = {}
    for name in names:
        try:
            made[name] = draw(source, name)
        except NothingToDrawError as reason:
            reasons[name] = str(reason)
    if made:
        with new_folder(folder) as aside:
            for name, drawn in made.items():
                for suffix, data in drawn.items():
                    (aside / f"{name}.{suffix}").write_bytes(data)
    return list(made), reasons
