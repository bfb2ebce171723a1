"""Look at all pictures of a user before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ddbench import DataError, Progress
from ddbench.toolkit import Survey, file_sha256

from ..._digests import identity
from ..._image_reader import examine
from ..._paths import printable
from .listing import SPLITS, Listing


class _Facts(NamedTuple):
    side: int
    turned: bool
    digest: str


def survey(
    classes: Sequence[str], listings: Mapping[str, Listing], refused: Sequence[str], progress: Progress
) -> Survey:
    """Decode all pictures and count the usable ones.

    A validation picture that equals a training picture is not usable: a run would stop at it.

    Args:
        classes: the names of the classes.
        listings: the pictures of both splits.
        refused: a line for each entry that cannot be a picture.
        progress: called after each picture.
    """
    counts, sides, turned = {split: [0] * len(classes) for split in SPLITS}, list[int](), 0
    problems, training = list(refused), dict[str, Path]()
    for split, label, path, found in _looked_at(listings, progress):
        if isinstance(found, str):
            problems.append(found)
        elif split == "validation" and found.digest in training:
            problems.append(f"{path}: is a training picture too, {training[found.digest]}; remove one of them")
        else:
            counts[split][label] += 1
            sides.append(found.side)
            turned += found.turned
            if split == "train":
                training[found.digest] = path
    train, validation = (tuple(counts[split]) for split in SPLITS)
    return Survey(tuple(map(printable, classes)), train, validation, tuple(sides), turned, tuple(problems))


def _looked_at(listings: Mapping[str, Listing], progress: Progress) -> Iterator[tuple[str, int, Path, _Facts | str]]:
    """Yield split, label, path and facts of each picture, or the line that refuses it; training pictures come first."""
    files = [
        (split, label, listings[split].folder / file)
        for split in SPLITS
        for label, file in zip(listings[split].labels, listings[split].files, strict=True)
    ]
    with ThreadPoolExecutor() as pool:
        for done, (file, found) in enumerate(zip(files, pool.map(lambda file: _facts(file[2]), files), strict=True)):
            progress("pictures", done + 1, len(files))
            yield *file, found


def _facts(path: Path) -> _Facts | str:
    try:
        return _examined(path, identity(path.stat()))
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror}; check its permissions"


@cache
def _examined(path: Path, mark: tuple[int, ...]) -> _Facts:
    """Examine a picture. The identity is part of the cache key, so a changed file is decoded again."""
    return _Facts(*examine(path), file_sha256(path))
