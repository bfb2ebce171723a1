"""A first suite for the user's own images, and what it can tell them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from os.path import isdir
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final, cast

from ddbench.errors import DataError
from ddbench.limits import NAME_CHARACTERS
from ddbench.text import counted

if TYPE_CHECKING:
    from ddbench.api import Progress
    from ddbench.toolkit import Survey
    from ddbench.toolkit.pictures import Surveys

_TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "images.yaml.txt"
# The first one that gives every class a validation image is taken.
_SHARES: Final = (0.1, 0.2, 0.3, 0.4, 0.5)
# The largest one that nine of ten pictures have is taken.
_SIZES: Final = (64, 48, 32, 16, 8)
_IPC: Final = 10
_EPOCHS: Final = 20


@dataclass(frozen=True)
class OwnImages:
    """A user's folder, and how it is read.

    Attributes:
        root: the folder with the splits or with the classes.
        options: further parameters of the data set.
        survey: what is in it.
    """

    root: Path
    options: dict[str, Any]
    survey: Survey


def suite_for_images(folder: Path, file: Path, validation: str | None) -> str:
    """Return a suite that compares ways to choose images of each class; tell the user what the folder holds.

    Args:
        folder: the folder of the images.
        file: where the suite will be written; its path of the images is relative to this file.
        validation: the name of the folder with the validation images; None if only one can be it.

    Raises:
        DdbenchError: the folder cannot be read, has fewer than two classes, or a class has too few pictures.
    """
    from ddbench.cli.output import print_notes

    found = _read(folder, validation)
    survey = found.survey
    print_notes(f"not usable: {line}" for line in survey.refused)
    for split, counts in (("training", survey.train), ("validation", survey.validation)):
        if not min(counts):
            problem = f"class '{survey.classes[counts.index(0)]}' has no usable {split} picture"
            raise DataError(problem, where=str(folder), hint="add pictures of the class")
    size, ipc = _size(survey.sides), min(_IPC, *survey.train)
    for line in _told(found, size, ipc):
        print(line)
    name = re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._")[:NAME_CHARACTERS] or "photos"
    options = "".join(f", {key}: {value}" for key, value in found.options.items())
    values = {"train": f"{sum(survey.train):,}", "validation": f"{sum(survey.validation):,}", "ipc": ipc}
    values |= {"name": json.dumps(name), "path": _path(found.root, file), "size": size, "options": options}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(values, epochs=_EPOCHS)


def _path(root: Path, file: Path) -> str:
    """Return a folder's path from the folder of a suite, as YAML."""
    path = os.path.relpath(os.path.realpath(root), os.path.realpath(file.parent))
    try:
        path.encode()
    except UnicodeEncodeError:
        hint = "rename it"
        raise DataError("has a path that is not UTF-8, which a suite cannot name", where=str(root), hint=hint) from None
    return json.dumps(f"./{path}" if path.startswith("~") else path, ensure_ascii=False)


def _read(folder: Path, validation: str | None) -> OwnImages:
    """Return the images of a folder. Without a folder for validation, find a share that gives each class an image."""
    # Unlike `Path.is_dir`, it is False in a folder that may not be read; the survey tells that.
    has_train, *has_validation = (isdir(folder / n) for n in ("train", "val", "validation", "valid", "test"))  # noqa: PTH112
    if validation is not None or (has_train and any(has_validation)):
        options = {} if validation is None else {"validation": validation}
        return OwnImages(folder, options, _survey(folder, **options))
    root = folder / "train" if has_train else folder
    for share in _SHARES:
        survey = _survey(root, split=share)
        if min(survey.validation):
            break
    return OwnImages(root, {"split": share}, survey)


def _survey(root: Path, **options: Any) -> Survey:
    from ddbench.registry import create

    data: Surveys = cast("Any", create("dataset", "image-folder", path=root, **options))
    with progress_bar() as progress:
        return data.survey(progress)


def _size(sides: tuple[int, ...]) -> int:
    """Return the image size for pictures with these smaller sides."""
    typical = sorted(sides)[len(sides) // 10]
    return next((size for size in _SIZES if size <= typical), _SIZES[-1])


def _told(found: OwnImages, size: int, ipc: int) -> Iterator[str]:
    """Yield what the folder holds, what it can tell, and what was chosen."""
    survey = found.survey
    train, validation = sum(survey.train), sum(survey.validation)
    totals = [sum(pair) for pair in zip(survey.train, survey.validation, strict=True)]
    least = totals.index(min(totals))
    smallest = f"{survey.classes[least]} {survey.train[least]:,}/{survey.validation[least]:,}"
    # The half width of the 95 % interval of an accuracy of one half, which is the widest.
    points = 196 * sqrt(0.25 / validation)
    images = counted(validation, "validation image")
    verb = "tells" if validation == 1 else "tell"
    yield (
        f"{len(survey.classes)} classes · {train:,} train · {validation:,} val · smallest: {smallest} · "
        f"{images} {verb} apart differences of about ±{points:.1f} points"
    )
    if share := found.options.get("split"):
        yield f"{found.root} has no validation folder: `split: {share:g}` takes validation images by their content"
    if survey.turned:
        verb = "is" if survey.turned == 1 else "are"
        yield f"{counted(survey.turned, 'picture')} {verb} turned upright by EXIF data"
    smaller = sum(side < size for side in survey.sides)
    enlarged = f"; {counted(smaller, 'smaller picture')} will be enlarged" if smaller else ""
    yield f"image_size: {size}{enlarged}"
    yield f"ipc: {ipc}" + (" (the smallest class has no more)" if ipc < _IPC else "")
    if survey.refused:
        entries = counted(len(survey.refused), "entry is", "entries are")
        yield f"{entries} not usable: mend or move them before `ddbench plan`; the counts leave them out"


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Lend a function that shows progress on a terminal, by part."""
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from ddbench.cli.output import stderr

    if not stderr.is_terminal:
        yield lambda part, done, total: None
        return
    with Bars(console=stderr, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(part: str, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=total)
            bars.update(tasks[part], completed=done)

        yield show
