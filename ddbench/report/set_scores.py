"""The scores of distilled sets themselves, for each place of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ddbench.record import Measurement
from ddbench.report.results import Results
from ddbench.report.scores import Place
from ddbench.stats.summary import Summary, summarise

# Bytes of one number of a soft label, which is a float32.
_FLOAT: Final = 4


@dataclass(frozen=True)
class Near:
    """An image of a set that is near a validation image, as in :class:`~ddbench.record.NearImage`."""

    image: str
    nearest: str
    nearness: float


@dataclass(frozen=True)
class SetRow:
    """The scores of the distilled sets of one method, IPC and protocol.

    Attributes:
        method: the name of the row.
        ipc: images per class.
        protocol: the protocol.
        sets: number of different sets with a result.
        assessed: number of assessed sets among them.
        images: number of images of the assessed sets together.
        image_bytes: bytes of the images of a set.
        label_bytes: bytes of the soft labels that a student learns a set from; None if unknown.
        coverage: coverage of the training images in percent; None if unknown.
        diversity: diversity of the images.
        near_validation: number of near-duplicates of validation images.
        near_training: number of near-duplicates of training images.
        closest: the lowest nearness to a validation image.
        shown: the nearest near-duplicates of validation images.
    """

    method: str
    ipc: int
    protocol: str
    sets: int
    assessed: int
    images: int
    image_bytes: int
    label_bytes: int | None
    coverage: Summary | None
    diversity: Summary
    near_validation: int
    near_training: int
    closest: float
    shown: tuple[Near, ...]


def set_rows(places: Mapping[Place, Sequence[Measurement]], results: Results) -> list[SetRow]:
    """Return the scores of the sets of each method, IPC and protocol, over all students; those that are assessed."""
    groups: dict[tuple[str, int, str], list[Measurement]] = {}
    for (method, ipc, _, protocol), measured in places.items():
        groups.setdefault((method, ipc, protocol), []).extend(measured)
    rows = (_row(*group, measured, results) for group, measured in groups.items())
    return [row for row in rows if row is not None]


def _row(method: str, ipc: int, protocol: str, measured: Iterable[Measurement], results: Results) -> SetRow | None:
    """Return the scores of the sets of one place; None if none of them is assessed.

    Args:
        method: the name of the row.
        ipc: images per class.
        protocol: the protocol.
        measured: the measurements of all students.
        results: the results of the suite.
    """
    by_set = {one.distilled: one for one in measured if one.distilled is not None}
    found = [results.assessments[digest] for digest in sorted(by_set) if digest in results.assessments]
    if not found:
        return None
    covered = [one.coverage for one in found if one.coverage is not None]
    shown = sorted((near for one in found for near in one.validation.shown), key=lambda near: near.nearness)
    return SetRow(
        *(method, ipc, protocol, len(by_set), len(found)),
        images=sum(one.images for one in found),
        image_bytes=max(one.image_bytes for one in found),
        label_bytes=_label_bytes(by_set[found[0].distilled], results.classes),
        coverage=summarise(covered) if covered else None,
        diversity=summarise([one.diversity for one in found]),
        near_validation=sum(one.validation.count for one in found),
        near_training=sum(one.training.count for one in found),
        closest=min(one.validation.closest for one in found),
        shown=tuple(Near(one.image, one.nearest, one.nearness) for one in shown),
    )


def _label_bytes(measured: Measurement, classes: int | None) -> int | None:
    """Return the bytes of soft labels: a vector for each image, or for each image and epoch if a teacher gave them.

    Hard labels have none, since they follow from the order of the images.
    """
    vectors = measured.images if measured.soft else 0
    if "teacher" in measured.uses:
        vectors = None if measured.images is None or measured.epochs is None else measured.images * measured.epochs
    return None if vectors is None or classes is None else vectors * classes * _FLOAT
