"""Sets that other projects saved with torch. Torch reads tensors only, so no code of a file runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ddbench import DataError, Samples, TrainingData
from ddbench.toolkit import sha256_json

from ..._class_names import class_places
from .content import content_digest, readable
from .pixels import HINT, Pixels
from .tensor_pool import LOGITS, Register, check_labels, no_pixels, own_labels

if TYPE_CHECKING:
    from torch import Tensor

IMAGES, LABELS = "images.pt", "labels.pt"
# DC's code normalises CIFAR-10 like this. For CIFAR-100 its versions differ.
_DC_PIXELS: Final = {"cifar10": Pixels(mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010))}
# Data sets whose classes have the same order in DD-Ranking, although files from elsewhere may have another one.
_DDRANKING: Final = ("imagenette", "imagewoof", "tiny-imagenet")
_WHITENED: Final = "images that were whitened (ZCA) cannot be converted"


@dataclass(frozen=True, eq=False)
class SavedSet:
    """One distilled set of a file.

    Attributes:
        register: labels, ids and normalisation of its images.
        tensors: images and soft labels as stored.
    """

    register: Register
    tensors: Mapping[str, Tensor]

    def samples(self, class_index: int) -> Samples:
        """Return the samples of a class. Raise DataError as ``Register.samples`` does."""
        at = self.register.positions(class_index)
        return self.register.samples(at, {name: values[at] for name, values in self.tensors.items()})


def read_dc(
    path: Path, classes: Sequence[str] | None, pixels: Pixels | None, data: TrainingData
) -> tuple[SavedSet, ...]:
    """Read the result file of DC, DSA or DM: a dictionary whose ``data`` lists images and labels of each experiment.

    Raises:
        DataError: it is not such a file, its normalisation is unknown, or the order of its classes is in doubt.
    """
    content = _loaded(path)
    data_of = content.get("data") if isinstance(content, Mapping) else None
    if not isinstance(data_of, list) or not data_of:
        _refuse(path, "dc", "it holds no list 'data'")
    sets = []
    for pair in data_of:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            _refuse(path, "dc", "'data' does not list pairs of images and labels")
        images = _images(pair[0], path, "dc")
        labels = _hard_labels(pair[1], len(images), path, "dc")
        names = class_places(classes, data, str(path), "labels")
        own = _normalisation(images, pixels, _DC_PIXELS.get(data.name), path)
        sets.append(_saved(path, images, labels, names, len(classes or data.classes), own, data))
    return tuple(sets)


def read_ddranking(
    path: Path, classes: Sequence[str] | None, pixels: Pixels | None, data: TrainingData
) -> tuple[SavedSet, ...]:
    """Read a folder for DD-Ranking: ``images.pt``, and logits in ``labels.pt`` if there are soft labels.

    The images of each class follow each other, and all classes have equally many.

    Raises:
        DataError: it is not such a folder, its normalisation is unknown, or the order of its classes is in doubt.
    """
    import torch

    where = path / IMAGES
    images = _images(_loaded(where), where, "ddranking")
    if classes is None and data.name in _DDRANKING:
        classes = [c.wnid or c.name for c in data.classes]
    places = class_places(classes, data, str(where), "labels")
    count = len(classes or data.classes)
    if len(images) % count:
        _refuse(where, "ddranking", f"{len(images)} images are not equally many of {count} classes")
    labels = torch.arange(count).repeat_interleave(len(images) // count)
    soft: dict[str, Tensor] = {}
    if (path / LABELS).is_file():
        given = _loaded(path / LABELS)
        if not isinstance(given, torch.Tensor) or tuple(given.shape) != (len(images), count):
            shape = list(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
            _refuse(path / LABELS, "ddranking", f"it holds {shape}, not logits of shape {[len(images), count]}")
        soft[LOGITS] = given.detach()
    own = _normalisation(images, pixels, None, where)
    return (_saved(where, images, labels, places, count, own, data, **soft),)


def digest_of(path: Path, layout: str) -> str:
    """Return the hex SHA-256 of the files of a layout. Raise DataError if one is missing or cannot be read."""
    if layout == "dc":
        return _file_digest(path)
    files = [path / IMAGES, *([path / LABELS] if (path / LABELS).is_file() else [])]
    return sha256_json([_file_digest(file) for file in files])


def _file_digest(path: Path) -> str:
    """Return the hex SHA-256 of a file. Raise DataError if it is missing or cannot be read."""
    _check_exists(path)
    return content_digest(path)


def _check_exists(path: Path) -> None:
    with readable(path):
        exists = path.is_file()
    if not exists:
        raise DataError("there is no such file", where=str(path), hint="check the path and the layout")


def _saved(
    path: Path,
    images: Tensor,
    labels: Tensor,
    places: Sequence[int],
    count: int,
    pixels: Pixels | None,
    data: TrainingData,
    **soft: Tensor,
) -> SavedSet:
    """Return a set whose labels are matched with the data set's classes."""
    theirs = labels.numpy()
    check_labels(theirs, count, path)
    own = own_labels(theirs, places, [c.name for c in data.classes], path)
    ids = tuple(f"{i:06d}" for i in range(len(images)))
    return SavedSet(Register(path, own, places, ids, pixels), {"images": images, **soft})


def _normalisation(images: Tensor, listed: Pixels | None, known: Pixels | None, path: Path) -> Pixels | None:
    """Return the normalisation of float images, from a parameter or else from the layout; None for bytes."""
    if not images.is_floating_point():
        no_pixels(listed, path)
        return None
    if (own := listed or known) is None:
        raise DataError("has float images of unknown normalisation", where=str(path), hint=f"{HINT}; {_WHITENED}")
    return own


def _images(value: Any, path: Path, layout: str) -> Tensor:
    import torch

    kinds = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
    if not isinstance(value, torch.Tensor) or value.dtype not in kinds or value.layout != torch.strided:
        _refuse(path, layout, "its images are not a tensor of bytes or floats")
    if value.ndim != 4 or value.shape[1:] != (3, value.shape[3], value.shape[3]) or not len(value):
        _refuse(path, layout, f"its images have the shape {list(value.shape)}, not [N, 3, S, S]")
    if value.untyped_storage().nbytes() < value.numel() * value.element_size():
        _refuse(path, layout, "its images are one image, repeated without being stored")
    return value.detach().contiguous()


def _hard_labels(value: Any, count: int, path: Path, layout: str) -> Tensor:
    import torch

    if not isinstance(value, torch.Tensor) or value.dtype != torch.int64 or tuple(value.shape) != (count,):
        _refuse(path, layout, f"its labels are not int64 of shape [{count}]")
    return value


def _refuse(path: Path, layout: str, reason: str) -> NoReturn:
    raise DataError(
        f"is not of the layout '{layout}': {reason}", where=str(path), hint="see `ddbench describe pool-file`"
    )


def _loaded(path: Path) -> Any:
    """Return the tensors in a file of torch, in lists and dictionaries. Raise DataError if it holds other objects."""
    import numpy as np
    import torch

    _check_exists(path)
    # Files of DC hold accuracies too, which are scalars of numpy. Numpy 1 named their constructor otherwise.
    scalar: Any = np.float64(0).__reduce__()[0]
    named = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    kinds = [type(np.dtype(kind)) for kind in ("float32", "float64", "int64")]
    try:
        with torch.serialization.safe_globals([*named, np.dtype, *kinds]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # the content of a damaged or foreign file decides on the error
        hint = "save its tensors alone, with torch.save or as safetensors"
        problem = "cannot be read safely: it holds other objects than tensors, or is damaged"
        raise DataError(problem, where=str(path), hint=hint) from None
