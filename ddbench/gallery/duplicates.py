"""Mark images that are the same, or nearly the same, as images of other rows or of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from ddbench.api import image_digests
from ddbench.gallery.contents import Picture

if TYPE_CHECKING:
    from torch import Tensor

    Cells: TypeAlias = tuple[tuple[Picture, ...], ...]

# Near duplicates: images of one class whose pixels, averaged over a grid of SIDE × SIDE fields, differ by at most NEAR
# of the range of a pixel, as a mean over all values. The nearest two of 1,000 images of CIFAR-10 differ by 0.06;
# refinement by `soft-label-latent` and noise of 2 % stay below 0.01.
SIDE: Final = 16
NEAR: Final = 0.03
RULE: Final = (
    "“same” marks images of one class with equal pixels. “near” marks those that differ by at most "
    f"{100 * NEAR:g} % of the range of a pixel. The difference is a mean "
    f"over a grid of {SIDE} × {SIDE} and three colours."
)


def marked(rows: Sequence[Cells]) -> list[Cells]:
    """Return the cells of rows 1, 2, … with the numbers of the rows that have the same or nearly the same image.

    Images are compared within a class. A row that has an image twice is named too.
    """
    columns = [_marked_class([row[c] for row in rows]) for c in range(len(rows[0]))]
    return [tuple(column[r] for column in columns) for r in range(len(rows))]


def _marked_class(by_row: Sequence[Sequence[Picture]]) -> list[tuple[Picture, ...]]:
    import torch

    owners = [number for number, own in enumerate(by_row, 1) for _ in own]
    pictures = [picture for own in by_row for picture in own]
    if not pictures:
        return [() for _ in by_row]
    digests = [image_digests(picture.pixels[None])[0] for picture in pictures]
    fields = torch.stack([_fields(picture.pixels) for picture in pictures])
    near = (torch.cdist(fields, fields, p=1) / fields.shape[1] <= NEAR).tolist()
    made = []
    for i, picture in enumerate(pictures):
        others = [j for j in range(len(pictures)) if j != i and near[i][j]]
        same = {owners[j] for j in others if digests[j] == digests[i]}
        alike = {owners[j] for j in others if digests[j] != digests[i]}
        made.append(replace(picture, same=tuple(sorted(same)), near=tuple(sorted(alike))))
    left = iter(made)
    return [tuple(next(left) for _ in own) for own in by_row]


def _fields(pixels: Tensor) -> Tensor:
    """Return the means of an image's fields, in [0, 1], as one row."""
    import torch

    return torch.nn.functional.adaptive_avg_pool2d(pixels.float() / 255, SIDE).flatten()
