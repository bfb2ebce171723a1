"""The card of an exported set: a page for its readers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from tabulate import tabulate

from ddbench import __version__
from ddbench.api import ClassInfo, Component, DistilledSet, tensor_digest
from ddbench.report.leaderboard import Entry, leaderboard_of
from ddbench.report.results import Results, describe_generator
from ddbench.sets.chosen import ChosenSet, teacher_of
from ddbench.sets.formats import CLASS_FILE, METADATA, TENSORS
from ddbench.sets.layouts import class_names
from ddbench.stats.summary import DDOF
from ddbench.suite import Cell, ResolvedSuite
from ddbench.text import code, counted, markdown

_NUMBERED: Final = (
    "The name of a folder is its label, with five digits. So torchvision's `ImageFolder` gives the labels below."
)
# By format, what its files are and how other programs read them.
_READERS: Final = {
    "folder": f"Each class has a folder of PNG files. {code(METADATA)} has the label and the id of each{{soft}}.\n"
    "torchvision's `ImageFolder` numbers the classes in the order of the names of their folders.\n"
    "ddbench reads them with `{use: folder, path: DIR, metadata: true}`.",
    "hf": "With the library datasets: `load_dataset(DIR, split='train')`.\n"
    "It has the columns `image`, `label` and `id`{soft}.\n"
    "ddbench reads it with `{use: folder, path: DIR/train, metadata: true}`.",
    "safetensors": f"{code(TENSORS)} holds `images` and `labels`{{soft}}.\n"
    "Its metadata has the lists `classes` and `ids`.\n"
    "In Python: `safetensors.torch.load_file(FILE)`. ddbench reads it with `{use: pool-file, path: FILE}`.",
    "minimax": "Each class has a folder of PNG files, named by its WordNet id.\n"
    f"Minimax's code labels them in the order of a class file; that of this set is {code(CLASS_FILE)}.\n"
    "torchvision's `ImageFolder` numbers the same folders in the order of their names.",
    "rded": f"The folders and files are named as RDED's code writes them. {_NUMBERED}",
    "ddranking": f"DD-Ranking reads the images as `image_path`. {_NUMBERED}",
}


def card(suite: ResolvedSuite, results: Results, chosen: ChosenSet, data: DistilledSet, name: str, sets: int) -> str:
    """Return the card as Markdown.

    Args:
        suite: the suite.
        results: its results.
        chosen: the set.
        data: its images and labels.
        name: the name of the format.
        sets: the number of different sets of the row at this IPC.
    """
    cell, classes = chosen.cell, suite.dataset.component.classes
    side, size = data.images.shape[-1], _size(cell)
    parts = [
        *([_front_matter(data, classes)] if name == "hf" else []),
        f"# {markdown(cell.row.name)}: {size} of {markdown(suite.dataset.label)}",
        f"A distilled set of {len(data)} images, {side} × {side} pixels, in {len(classes)} classes. "
        f"ddbench {__version__} wrote these files; `manifest.json` has the recipe and the keys of the set.",
        _table(("", ""), _facts(suite, chosen, data)),
        "## Licences",
        _table(("", "source", "licence"), licences(suite, chosen)),
        "The licence of a part is what ddbench knows of it. Check it before you publish the images.",
        "## Accuracy",
        _accuracy(results, chosen, sets),
        "## Read it",
        _READERS[name].replace("{soft}", "" if data.soft is None else ", and `soft_logits`"),
        "## Classes",
        _table(("label", "class", "WordNet id"), [(i, c.name, c.wnid or "") for i, c in enumerate(classes)]),
    ]
    return "\n\n".join(parts) + "\n"


def _size(cell: Cell) -> str:
    return f"{counted(cell.ipc, 'image')} per class" if cell.sized else "all images"


def _facts(suite: ResolvedSuite, chosen: ChosenSet, data: DistilledSet) -> list[tuple[str, Any]]:
    row, teacher = chosen.cell.row, teacher_of(suite, chosen)
    told = row.describe()
    return [
        ("generator", describe_generator(row.generator.component)),
        *((part, told[part]) for part in ("pool", "selector", "refiner")),
        ("labels", "hard" if data.soft is None else f"hard, and {told['labels']}"),
        *([("teacher", teacher)] if teacher else []),
        ("seeds", ", ".join(f"{axis} {seed}" for axis, seed in chosen.seeds.items())),
        ("SHA-256 of the images", tensor_digest(data.images)),
    ]


def licences(suite: ResolvedSuite, chosen: ChosenSet) -> list[tuple[str, str, str]]:
    """Return label, source and licence of each part whose pixels may be in the images."""
    row = chosen.cell.row
    parts: list[Component] = [suite.dataset.component, row.generator.component]
    if row.borrowed is not None and not row.refiner.component.identity:  # its decoder made the pixels
        parts.append(row.borrowed.component)
    return [(part.label(), part.info.paper or "", part.licence) for part in parts]


def _accuracy(results: Results, chosen: ChosenSet, sets: int) -> str:
    """Return the accuracies of students on this set, and on all sets of the row."""
    cell = chosen.cell
    own = [t for t in results.trials if (t.method, t.ipc) == (cell.row.name, cell.ipc)]
    here = [t for t in own if all(t.seeds[axis] == seed for axis, seed in chosen.seeds.items())]
    shown = {"this set": here} if sets == 1 else {"this set": here, f"all {sets} sets": own}
    boards = {what: leaderboard_of(replace(results, trials=tuple(trials))) for what, trials in shown.items()}
    sizes = ", ".join(f"{size:,}" for _, size in boards["this set"].validation)
    said = (
        f"Top-1 accuracy in % on the {sizes} validation images of {markdown(results.dataset)}, after the last epoch: "
        f"mean ± standard deviation (ddof {DDOF}) over n trainings. "
        "*best* is the highest accuracy of all evaluations of a training."
    )
    protocol = f"{cell.row.protocol_name}: {cell.row.protocol.summary}"
    rows = [_entry(what, entry) for what, board in boards.items() for entry in board.entries]
    headers = ("sets", "student", "n", "last", "best")
    return "\n\n".join([said, f"Protocol {markdown(protocol)}", _table(headers, rows)])


def _entry(what: str, entry: Entry) -> tuple[Any, ...]:
    return (what, entry.student, 0 if entry.last is None else entry.last.n, entry.last or "", entry.best or "")


def _table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table. Markup in values is escaped."""
    escaped = [[markdown(str(value)) for value in row] for row in rows]
    return tabulate(escaped, headers, tablefmt="github", disable_numparse=True)


def _front_matter(data: DistilledSet, classes: Sequence[ClassInfo]) -> str:
    """Return what the library datasets must know. JSON is YAML too."""
    names = {str(label): name for label, name in enumerate(class_names(classes))}
    features: list[dict[str, Any]] = [
        {"name": "image", "dtype": "image"},
        {"name": "label", "dtype": {"class_label": {"names": names}}},
        {"name": "id", "dtype": "string"},
    ]
    if data.soft is not None:
        features.append({"name": "soft_logits", "sequence": "float32"})
    files = [{"split": "train", "path": "train/**"}]
    configs = [{"config_name": "default", "data_files": files, "features": features}]
    return f"---\nconfigs: {json.dumps(configs, ensure_ascii=False)}\n---"
