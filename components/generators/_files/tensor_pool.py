"""Checks of a pool in one safetensors file. Torch is not imported here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safetensors import SafetensorError, safe_open

from ddbench import DataError, Dataset, TrainingData

from ..._class_names import class_places, given_names
from .content import readable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LAYOUT: Final = {
    "images": "images are uint8 [N, 3, S, S]",
    "labels": "labels are int64 [N]",
    "latents": "latents are float [N, …]",
}


@contextmanager
def opened(path: Path, framework: str = "numpy") -> Iterator[Any]:
    """Open the file without reading its tensors. Raise DataError if it is missing or not safetensors."""
    with readable(path):
        exists = path.is_file()
    if not exists:
        raise DataError(
            "there is no such file",
            where=str(path),
            hint="check the path; a relative path starts at the working directory",
        )
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"cannot be read as safetensors ({reason})", where=str(path), hint="make it again") from None


@dataclass(frozen=True, eq=False)
class Register:
    """Labels and ids of a pool's images, in the file's order. Images are read later.

    Attributes:
        labels: indices of the data set's classes, ``[N]``; -1 for an image of another class.
        ids: one id for each image.
    """

    labels: NDArray[np.int64]
    ids: tuple[str, ...]

    @classmethod
    def read(cls, path: Path, listed: Sequence[str] | None, data: Dataset | TrainingData) -> Register:
        """Read and check a file.

        Args:
            path: the file.
            listed: the names of its labels in order, if a parameter gives them.
            data: the data set.

        Raises:
            DataError: it is not a pool with images of every class, or its labels have no names and need them.
        """
        with opened(path) as file:
            _check_tensors(file, path)
            labels: NDArray[np.int64] = file.get_tensor("labels")
            given = (file.metadata() or {}).get("ids")
        names = given_names(path, listed)
        places = class_places(names, data, str(path), "labels")
        _check_labels(labels, len(data.classes) if names is None else len(names), path)
        return cls(_own_labels(labels, places, [c.name for c in data.classes], path), _ids(given, len(labels), path))


def _check_tensors(file: Any, path: Path) -> None:
    """Check data types and shapes from the header. Raise DataError if one is wrong."""
    parts = {name: file.get_slice(name) for name in _LAYOUT if name in set(file.keys())}
    for name in ("images", "labels"):
        if name not in parts:
            raise DataError(f"holds no tensor '{name}'", where=str(path), hint=_LAYOUT[name])
    types = {name: part.get_dtype() for name, part in parts.items()}
    shapes = {name: list(part.get_shape()) for name, part in parts.items()}
    images = shapes["images"]
    fits = {
        "images": types["images"] == "U8" and len(images) == 4 and images[1] == 3 and images[2] == images[3],
        "labels": types["labels"] == "I64" and len(shapes["labels"]) == 1,
        "latents": types.get("latents") in ("F16", "BF16", "F32") and shapes["latents"] != [],
    }
    for name, shape in shapes.items():
        if not fits[name]:
            raise DataError(f"has '{name}' of {types[name]} {shape}", where=str(path), hint=_LAYOUT[name])
    if len({shape[0] for shape in shapes.values()}) > 1:
        counts = ", ".join(f"{shape[0]} {name}" for name, shape in shapes.items())
        raise DataError(f"holds {counts}", where=str(path), hint="there is one of each for every image")


def _check_labels(labels: NDArray[np.int64], classes: int, path: Path) -> None:
    """Raise DataError if a label is none of the file's classes."""
    last = classes - 1
    outside = (labels < 0) | (labels > last)
    if outside.any():
        at = int(outside.argmax())
        raise DataError(f"gives image {at} the label {labels[at]}", where=str(path), hint=f"the classes are 0 … {last}")


def _own_labels(
    labels: NDArray[np.int64], places: Sequence[int], class_names: Sequence[str], path: Path
) -> NDArray[np.int64]:
    """Return the data set's label of each image, or -1. Raise DataError if a class has no image.

    Args:
        labels: the file's labels.
        places: the file's label of each class.
        class_names: the names of the classes.
        path: the file, for messages.
    """
    import numpy as np

    own = np.full_like(labels, -1)
    for class_index, place in enumerate(places):
        own[labels == place] = class_index
    empty = np.bincount(own[own >= 0], minlength=len(class_names)) == 0
    if empty.any():
        at = int(empty.argmax())
        raise DataError(
            f"holds no image of class {at}, '{class_names[at]}'", where=str(path), hint="every class needs one"
        )
    return own


def _ids(given: str | None, count: int, path: Path) -> tuple[str, ...]:
    """Return the ids from the metadata, or else the positions."""
    if given is None:
        return tuple(f"{i:06d}" for i in range(count))
    try:
        ids = json.loads(given)
    except (ValueError, RecursionError):
        ids = None
    if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids) or not len(ids) == len(set(ids)) == count:
        raise DataError(
            f"has metadata 'ids' that are not a JSON list of {count} different strings",
            where=str(path),
            hint="correct them, or leave them out",
        )
    return tuple(ids)
