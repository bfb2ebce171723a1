"""Collect the pictures of a gallery from a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ddbench.api.pixels import nearest_bytes
from ddbench.errors import DdbenchError, StoreError, did_you_mean
from ddbench.gallery.contents import Gallery, Picture, Strip
from ddbench.gallery.duplicates import marked
from ddbench.sets.chosen import ChosenSet, planned_sets, read_set
from ddbench.sets.selections import SelectionReader, StoredSelection

if TYPE_CHECKING:
    from ddbench.plan import State
    from ddbench.suite import ResolvedSuite

CLASSES: Final = 20  # columns, unless classes are named
CHOSEN: Final = 10  # images of a class in a row
POOL: Final = 40  # images of a class in a pool


@dataclass(frozen=True, eq=False)
class _Found:
    """The set of a row with its selection and its pictures."""

    name: str
    chosen: ChosenSet
    selection: StoredSelection
    cells: tuple[tuple[Picture, ...], ...]


def collect(
    suite: ResolvedSuite, state: State, ipc: int, methods: Sequence[str] = (), classes: Sequence[str] = ()
) -> Gallery:
    """Return the gallery of the first distilled set of each row.

    Args:
        suite: the suite.
        state: the state of its plan.
        ipc: images per class.
        methods: the names of the rows, in their order; all rows if it is empty.
        classes: the names of the classes; the first ``CLASSES`` if it is empty.

    Raises:
        DdbenchError: there is no such row or class, or no row has a stored set at this IPC.
    """
    rows = list(dict.fromkeys(cell.row.name for cell in suite.cells))
    names = [info.name for info in suite.dataset.component.classes]
    for what, wanted, known in (("method", methods, rows), ("class", classes, names)):
        for name in wanted:
            if name not in known:
                hint = did_you_mean(name, known)
                raise DdbenchError(f"suite '{suite.name}' has no {what} '{name}'", hint=hint)
    shown = [label for label, name in enumerate(names) if name in classes] if classes else range(len(names))[:CLASSES]
    found, missing = _find(suite, state, ipc, list(dict.fromkeys(methods)) or rows, shown)
    if not found:
        raise DdbenchError(f"no row has a stored set at IPC {ipc}", hint=f"run it: `ddbench run {suite.file}`")
    strips = [*_strips(found, shown), *(Strip(name, "", None, missing=reason) for name, reason in missing.items())]
    notes = tuple(_notes(found, len(shown), len(names)))
    return Gallery(suite.name, suite.dataset.label, ipc, tuple(names[i] for i in shown), tuple(strips), notes)


def _find(
    suite: ResolvedSuite, state: State, ipc: int, rows: Sequence[str], shown: Sequence[int]
) -> tuple[list[_Found], dict[str, str]]:
    """Return the sets that can be read, and the reasons for the others by row."""
    reader, found, missing = SelectionReader(suite, state), [], {}
    for name in rows:
        sets = planned_sets(state, name, ipc)
        if not sets:
            missing[name] = f"it has no set at IPC {ipc}"
            continue
        try:
            selection = reader.read(sets[0], with_fields=False)
            found.append(_Found(name, sets[0], selection, _chosen(state, sets[0], selection, shown)))
        except StoreError as error:
            missing[name] = str(error)
    return found, missing


def _chosen(
    state: State, chosen: ChosenSet, selection: StoredSelection, shown: Sequence[int]
) -> tuple[tuple[Picture, ...], ...]:
    """Return the first pictures of each class of a set, in the order of the selector, as students see them."""
    data = read_set(state, replace(chosen, soft=None))
    images = nearest_bytes(data.images)
    places: list[list[int]] = [[] for _ in selection.per_class]
    for place, label in enumerate(data.labels.tolist()):
        places[label].append(place)
    scores = selection.scores
    return tuple(
        tuple(
            Picture(images[place], data.sample_ids[place], None if scores is None else scores[label][rank])
            for rank, place in enumerate(places[label][:CHOSEN])
        )
        for label in shown
    )


def _strips(found: Sequence[_Found], shown: Sequence[int]) -> Iterator[Strip]:
    """Yield each pool, followed by the rows that chose from it. Rows have numbers in this order."""
    groups: dict[object, list[_Found]] = {}
    for one in found:
        groups.setdefault(one.selection.pool_key, []).append(one)
    order = [one for group in groups.values() for one in group]
    numbers = {one.name: number for number, one in enumerate(order, 1)}
    cells = dict(zip(numbers, marked([one.cells for one in order]), strict=True))
    for group in groups.values():
        yield _pool(group, numbers, shown)
        for one in group:
            row = one.chosen.cell.row
            yield Strip(
                one.name, f"{row.selector.label}; refiner: {row.refiner.label}", cells[one.name], numbers[one.name]
            )


def _pool(group: Sequence[_Found], numbers: dict[str, int], shown: Sequence[int]) -> Strip:
    """Return the first images of the pool of some rows, each with the rows that chose it."""
    first, selection = group[0], group[0].selection
    rows: dict[int, list[int]] = {}
    for one in group:
        for position in one.selection.positions:
            rows.setdefault(position, []).append(numbers[one.name])
    kept = [selection.pool.by_class[label][:POOL] for label in shown]
    images = iter(nearest_bytes(selection.images([position for own in kept for position in own])))
    cells = tuple(
        tuple(Picture(next(images), selection.pool.sample_ids[i], same=tuple(rows.get(i, ()))) for i in own)
        for own in kept
    )
    count = first.chosen.cell.row.pool.count(first.chosen.cell.ipc)
    size = "all images" if count is None else f"{count} images per class"
    details = f"{size}; generation seed {first.chosen.cell.generation_seed}"
    return Strip(f"Pool: {first.chosen.cell.row.generator.label}", details, cells)


def _notes(found: Sequence[_Found], shown: int, classes: int) -> Iterator[str]:
    if shown < classes:
        yield f"{shown} of {classes} classes are shown."
    if any(len(own) > CHOSEN for one in found for own in one.selection.per_class):
        yield f"A row shows the first {CHOSEN} images of each class, in the order of the selector."
    if any(len(own) > POOL for one in found for own in one.selection.pool.by_class):
        yield f"A pool shows its first {POOL} images of each class."
