"""Write distilled sets into a new folder, each with its manifest and its card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddbench.plan import State
from ddbench.report.private import without_folders
from ddbench.report.results import Results, results_of
from ddbench.sets.card import card
from ddbench.sets.chosen import ChosenSet, choose_sets, read_set, teacher_of
from ddbench.sets.formats import FORMATS
from ddbench.sets.manifest import manifest
from ddbench.suite import ResolvedSuite
from ddbench.toolkit.files import new_folder


@dataclass(frozen=True)
class SetWriter:
    """A writer of the sets of one suite in one format.

    Attributes:
        suite: the suite.
        state: the state of its plan.
        results: its results.
        name: a name in ``FORMATS``.
    """

    suite: ResolvedSuite
    state: State
    results: Results
    name: str

    def write(self, chosen: ChosenSet, sets: int, folder: Path) -> int:
        """Write one of ``sets`` sets of a row into a folder. Return the number of its images."""
        data, teacher = read_set(self.state, chosen), teacher_of(self.suite, chosen)
        files = FORMATS[self.name](data, self.suite.dataset.component.classes, teacher, folder)
        made = without_folders(manifest(self.suite, self.state, chosen, data, files), self.results.paths)
        text = json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / "manifest.json").write_text(f"{text}\n", encoding="utf-8")
        page = card(self.suite, self.results, chosen, data, self.name, sets)
        (folder / "README.md").write_text(page, encoding="utf-8")
        return len(data)


def export_sets(
    suite: ResolvedSuite, state: State, method: str, ipc: int | None, folder: Path, name: str, *, every: bool
) -> tuple[int, int]:
    """Write the first distilled set of a finished row, or each in a subfolder. Return the numbers of sets and images.

    Args:
        suite: the suite.
        state: the state of its plan.
        method: the name of the row.
        ipc: images per class; None if the row has only one value.
        folder: the new folder; it may exist if it is empty.
        name: a name in ``FORMATS``.
        every: write each set of the row.

    Raises:
        DdbenchError: there is no such set, it is not finished, or the format cannot hold it. Then nothing is written.
        OSError: the folder cannot be written.
    """
    sets: Sequence[ChosenSet] = choose_sets(suite, state, method, ipc)
    writer = SetWriter(suite, state, results_of(suite, state), name)
    with new_folder(folder) as aside:
        if not every:
            return 1, writer.write(sets[0], len(sets), aside)
        images = 0
        for chosen in sets:
            own = aside / chosen.name
            own.mkdir()
            images += writer.write(chosen, len(sets), own)
        return len(sets), images
