"""Checks of a pool in one safetensors file. Torch is imported inside functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safetensors import SafetensorError, safe_open

from ddbench import DataError, Dataset, Samples, TrainingData

from ..._class_names import class_places, given_names
from .content import readable
from .metadata import Metadata
from .pixels import Pixels, to_pixels
from .soft_labels import to_logits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

LOGITS, PROBABILITIES = "soft_logits", "soft_probabilities"
_FLOATS: Final = ("F16", "BF16", "F32")
_LAYOUT: Final = {
    "images": "images are uint8 or float [N, 3, S, S]",
    "labels": "labels are int64 [N]",
    "latents": "latents are float [N, …]",
    LOGITS: "soft labels are float [N, C] with one column for each class of the file",
    PROBABILITIES: "soft labels are float [N, C] with one column for each class of the file",
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
            hint="check the path; in a suite, a relative path starts at its folder",
        )
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"cannot be read as safetensors ({reason})", where=str(path), hint="make it again") from None


def tensor_names(path: Path) -> frozenset[str]:
    """Return the names of a file's tensors that a pool may have. Raise DataError if it is not safetensors."""
    with opened(path) as file:
        return frozenset(file.keys()).intersection(_LAYOUT)


def latent_shape(path: Path) -> tuple[int, ...] | None:
    """Return the shape of one of a file's latents; None if it has none. Raise DataError if it is not safetensors."""
    with opened(path) as file:
        return tuple(file.get_slice("latents").get_shape()[1:]) if "latents" in set(file.keys()) else None


def teacher_in(path: Path) -> str | None:
    """Return the teacher of a file's soft labels, or None. Raise DataError if it is not safetensors."""
    with opened(path) as file:
        return Metadata(path, file.metadata() or {}).text("teacher")


@dataclass(frozen=True, eq=False)
class Register:
    """The labels, ids and metadata of a file's images, in the file's order. Images are read later.

    Attributes:
        path: the file.
        labels: indices of the data set's classes, ``[N]``; -1 for an image of another class.
        places: the file's label of each class, which is its column in soft labels too.
        ids: one id for each image.
        pixels: the normalisation of float images; None for images of bytes.
        tau: the temperature of probabilities; None for logits.
        teacher: the name of the teacher that gave the soft labels.
    """

    path: Path
    labels: NDArray[np.int64]
    places: Sequence[int]
    ids: tuple[str, ...]
    pixels: Pixels | None = None
    tau: float | None = None
    teacher: str | None = None

    @classmethod
    def read(
        cls, path: Path, listed: Sequence[str] | None, pixels: Pixels | None, data: Dataset | TrainingData
    ) -> Register:
        """Read and check a file.

        Args:
            path: the file.
            listed: the names of its labels in order, if a parameter gives them.
            pixels: the normalisation of its images, if a parameter gives it.
            data: the data set.

        Raises:
            DataError: it is not a pool with images of every class. Or its labels have no names and need them, or its
                images are floats without a normalisation.
        """
        names = given_names(path, listed)
        with opened(path) as file:
            floats = _check_tensors(file, path, len(data.classes) if names is None else len(names))
            labels: NDArray[np.int64] = file.get_tensor("labels")
            told = Metadata(path, file.metadata() or {})
            probable = PROBABILITIES in set(file.keys())
        if floats:
            pixels = told.pixels(pixels)
        else:
            no_pixels(pixels, path)
        places = class_places(names, data, str(path), "labels")
        check_labels(labels, len(data.classes) if names is None else len(names), path)
        return cls(
            path,
            own_labels(labels, places, [c.name for c in data.classes], path),
            places,
            told.ids(len(labels)),
            pixels,
            told.tau() if probable else None,
            told.text("teacher"),
        )

    def positions(self, class_index: int) -> list[int]:
        """Return the positions of the images of a class."""
        found: list[int] = (self.labels == class_index).nonzero()[0].tolist()
        return found

    def samples(self, positions: Sequence[int], tensors: Mapping[str, Tensor]) -> Samples:
        """Return the samples at some positions from their tensors, as stored.

        Raises:
            DataError: pixels are out of range, or soft labels are not what they are called.
        """
        images = tensors["images"]
        if self.pixels is not None:
            images = to_pixels(images, self.pixels, self.path)
        soft = next((tensors[name] for name in (LOGITS, PROBABILITIES) if name in tensors), None)
        return Samples(
            images,
            tuple(self.ids[i] for i in positions),
            tensors.get("latents"),
            () if soft is None else (f"soft labels of {self.teacher or 'an unnamed teacher'}",),
            None if soft is None else to_logits(soft, self.places, self.tau, self.path),
        )


def _check_tensors(file: Any, path: Path, columns: int) -> bool:
    """Check data types and shapes from the header. Return whether images are floats.

    Raises:
        DataError: one is wrong or missing.
    """
    parts = {name: file.get_slice(name) for name in _LAYOUT if name in set(file.keys())}
    for name in ("images", "labels"):
        if name not in parts:
            raise DataError(f"holds no tensor '{name}'", where=str(path), hint=_LAYOUT[name])
    if LOGITS in parts and PROBABILITIES in parts:
        hint = "keep the logits"
        raise DataError(f"holds both '{LOGITS}' and '{PROBABILITIES}'", where=str(path), hint=hint)
    types = {name: part.get_dtype() for name, part in parts.items()}
    shapes = {name: list(part.get_shape()) for name, part in parts.items()}
    images = shapes["images"]
    fits = {
        "images": types["images"] in ("U8", *_FLOATS) and len(images) == 4 and images[1:] == [3, images[2], images[2]],
        "labels": types["labels"] == "I64" and len(shapes["labels"]) == 1,
        "latents": types.get("latents") in _FLOATS and shapes["latents"] != [],
    }
    for name in (LOGITS, PROBABILITIES):
        fits[name] = types.get(name) in _FLOATS and shapes[name][1:] == [columns]
    for name, shape in shapes.items():
        if not fits[name]:
            hint = f"{_LAYOUT[name]}" + (f", here {columns}" if name in (LOGITS, PROBABILITIES) else "")
            raise DataError(f"has '{name}' of {types[name]} {shape}", where=str(path), hint=hint)
    if len({shape[0] for shape in shapes.values()}) > 1:
        counts = ", ".join(f"{shape[0]} {name}" for name, shape in shapes.items())
        raise DataError(f"holds {counts}", where=str(path), hint="there is one of each for every image")
    return bool(types["images"] != "U8")


def no_pixels(listed: Pixels | None, path: Path) -> None:
    """Raise DataError if a parameter gives the normalisation of images that are bytes."""
    if listed is not None:
        raise DataError("has images of bytes, which are not normalised", where=str(path), hint="remove `pixels`")


def check_labels(labels: NDArray[np.int64], classes: int, path: Path) -> None:
    """Raise DataError if a label is none of the file's classes."""
    last = classes - 1
    outside = (labels < 0) | (labels > last)
    if outside.any():
        at = int(outside.argmax())
        raise DataError(f"gives image {at} the label {labels[at]}", where=str(path), hint=f"the classes are 0 … {last}")


def own_labels(
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
