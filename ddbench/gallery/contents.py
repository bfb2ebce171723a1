"""The contents of a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of a distilled set or of a pool.

    Attributes:
        pixels: uint8 ``[3, H, W]``.
        sample_id: its sample id.
        score: the selector's score; None if it gives none, and for images of a pool.
        same: the numbers of the rows with another image of the same pixels; of a pool's image, the rows that chose it.
        near: the numbers of the rows with another image that is nearly the same.
    """

    pixels: Tensor
    sample_id: str
    score: float | None = None
    same: tuple[int, ...] = ()
    near: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Strip:
    """A line of a gallery.

    Attributes:
        name: the name of a row, or the description of a pool.
        details: one line about it.
        cells: the pictures by class; None if they are missing.
        number: the number of the row; 0 for a pool.
        missing: the reason why pictures are missing; empty if they are there.
    """

    name: str
    details: str
    cells: tuple[tuple[Picture, ...], ...] | None
    number: int = 0
    missing: str = ""


@dataclass(frozen=True, eq=False)
class Gallery:
    """A gallery.

    Attributes:
        suite: the name of the suite.
        dataset: the name of the data set.
        ipc: images per class.
        classes: the names of the shown classes, in the order of the labels.
        strips: each pool, followed by the rows that chose from it; rows without pictures come last.
        notes: what is shown in part.
    """

    suite: str
    dataset: str
    ipc: int
    classes: tuple[str, ...]
    strips: tuple[Strip, ...]
    notes: tuple[str, ...]
