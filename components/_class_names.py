"""Match names from elsewhere with the classes of a data set. Torch is not imported here."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import Field
from safetensors import SafetensorError, safe_open

from ddbench import ClassInfo, DataError, Dataset, TrainingData

# The names of a file's labels or outputs, in their order.
ClassNames: TypeAlias = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]

_NUMBERS: Final = "label indices"


def class_places(named: Sequence[str] | None, data: Dataset | TrainingData, where: str, what: str) -> list[int]:
    """Return the place of each class among the labels or outputs of a file.

    Args:
        named: their names, matched as in :func:`match_names`; None if the file has no names. Then they have the order
            of the data set.
        data: the data set.
        where: the file, for messages.
        what: ``labels`` or ``outputs``, for messages.

    Raises:
        DataError: a class has no name or two, or there are no names and the order of the classes is in doubt.
    """
    if named is not None:
        return match_names(named, data, where, "name", "classes")
    if is_order_in_doubt(data):
        raise DataError(
            f"names no classes for its {what}, and the classes of the data set could have another order there",
            where=where,
            hint=f"add `classes: [NAME, …]` with the name of each of its {what} in order",
        )
    return list(range(len(data.classes)))


def is_order_in_doubt(data: Dataset | TrainingData) -> bool:
    """Return whether files from elsewhere may number the classes in another order than the data set.

    The data set says so, or its labels do not follow the WordNet ids of its classes.
    """
    wnids = [c.wnid for c in data.classes if c.wnid]
    return data.ambiguous_order or wnids != sorted(wnids)


def given_names(path: Path | None, listed: Sequence[str] | None) -> Sequence[str] | None:
    """Return the class names from a file's metadata or from a parameter, or None if neither has them.

    Args:
        path: the file, which has metadata if it is safetensors; None if there is no file yet.
        listed: the names in the parameter ``classes``.

    Raises:
        DataError: the metadata is not a list of names, or differs from the parameter.
    """
    return agreed_names(None if path is None else _names_in(path), listed, str(path))


def agreed_names(held: Sequence[str] | None, listed: Sequence[str] | None, where: str) -> Sequence[str] | None:
    """Return the class names that a file holds or that a parameter lists. Raise DataError if they differ."""
    if None not in (held, listed) and tuple(held or ()) != tuple(listed or ()):
        hint = "remove the parameter, or correct the file"
        raise DataError("has other class names than the parameter 'classes'", where=where, hint=hint)
    return listed if held is None else held


def _names_in(path: Path) -> list[str] | None:
    """Return the names in the metadata ``classes`` of safetensors, or None."""
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("classes")
    except (SafetensorError, OSError):  # another format; or damage, which the reader of the tensors tells
        return None
    if text is None:
        return None
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DataError(
            "has metadata 'classes' that is not a JSON list of strings",
            where=str(path),
            hint="correct it, or leave it out",
        )
    return names


def match_names(
    given: Sequence[str], data: Dataset | TrainingData, where: str, one: str, many: str, *, numbers: bool = False
) -> list[int]:
    """Return the position in ``given`` of each class, in label order.

    All names follow one scheme: class name, WordNet id or ImageNet-1k index. Names are compared as they are, else up to
    the composition of accents, else by letters and digits alone; leading zeros of an index are ignored. Names of other
    classes are ignored, so an ImageNet pool or teacher serves its subsets.

    Args:
        given: the names.
        data: the data set.
        where: the file or folder that has the names, for messages.
        one: the word for a thing that is named, for messages.
        many: its plural.
        numbers: allow label indices (0 … C − 1) as names, unless the order of the classes is in doubt.

    Raises:
        DataError: a class has no name or two, or two schemes fit and disagree.
    """
    classes = data.classes
    fitting: dict[str, list[list[int]]] = {}
    misfits: list[tuple[int, str]] = []
    for scheme, names in _schemes(classes, numbers=numbers).items():
        found, missing = _matched(names, given)
        misfits.append((len(missing), f"no {one} for class '{classes[missing[0]].name}'" if missing else ""))
        if not missing:
            fitting[scheme] = [found[c] for c in range(len(classes))]
    in_doubt = is_order_in_doubt(data)
    if not fitting:
        ways = _ways(classes, numbers=numbers and not in_doubt)
        raise DataError(min(misfits, key=lambda misfit: misfit[0])[1], where=where, hint=f"name the {many} by {ways}")
    hint = "name them by class name" + (" or WordNet id" if classes[0].wnid else "")
    numbered = fitting.pop(_NUMBERS, None) if in_doubt else None
    if numbered and not fitting:
        problem = f"the {many} are numbered, which could follow another order of the classes"
        raise DataError(problem, where=where, hint=hint)
    chosen, *others = (
        [_only(own, given, c.name, where) for own, c in zip(places, classes, strict=True)]
        for places in fitting.values()
    )
    if any(other != chosen for other in others):
        problem = f"the {many} can be read as {' or as '.join(fitting)}, which disagree"
        raise DataError(problem, where=where, hint=hint)
    return chosen


def _schemes(classes: Sequence[ClassInfo], *, numbers: bool) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes in each scheme that has a different name for every class."""
    schemes: dict[str, list[str | int | None]] = {
        "class names": [c.name for c in classes],
        "WordNet ids": [c.wnid for c in classes],
        **({_NUMBERS: list(range(len(classes)))} if numbers else {}),
        "ImageNet indices": [c.imagenet_index for c in classes],
    }
    spelt = {s: tuple(str(n) for n in names) for s, names in schemes.items() if None not in names}
    return {scheme: names for scheme, names in spelt.items() if len(set(map(_composed, names))) == len(names)}


def _matched(names: Sequence[str], given: Sequence[str]) -> tuple[dict[int, list[int]], list[int]]:
    """Return the positions of each class, and the classes without one, by the strictest spelling that serves all."""
    spelt = [_spelling(name) for name in names]
    apart = {name: c for c, name in enumerate(spelt) if spelt.count(name) == 1}
    missing: list[int] = []
    for spell in (_composed, _spelling) if len(apart) == len(names) else (_composed,):
        by_name: dict[str, list[int]] = {}
        for position, name in enumerate(given):
            by_name.setdefault(spell(name), []).append(position)
        wanted = [spell(name) for name in names]
        missing = [c for c, name in enumerate(wanted) if name not in by_name]
        if not missing:
            chosen = {c: by_name[name] for c, name in enumerate(wanted)}
            used = {position for own in chosen.values() for position in own}
            for position, name in enumerate(given):
                if position not in used and _spelling(name) in apart:
                    chosen[apart[_spelling(name)]].append(position)
            return chosen, []
    return {}, missing


def _composed(name: str) -> str:
    """Return a name in Unicode's composed form. Other systems store accents as characters of their own."""
    return unicodedata.normalize("NFC", name)


def _spelling(name: str) -> str:
    """Return a name for comparison: lower-case letters and digits, or a number without leading zeros."""
    plain = "".join(ch for ch in _composed(name).casefold() if ch.isalnum())
    if not plain.isdecimal():
        return plain
    return "".join(str(unicodedata.decimal(digit)) for digit in plain).lstrip("0") or "0"


def _only(positions: list[int], given: Sequence[str], class_name: str, where: str) -> int:
    if len(positions) > 1:
        both = " and ".join(f"'{given[position]}'" for position in positions)
        raise DataError(f"{both} both name class '{class_name}'", where=where, hint="remove one")
    return positions[0]


def _ways(classes: Sequence[ClassInfo], *, numbers: bool) -> str:
    """Return the possible names of the first class, for a hint."""
    first = classes[0]
    ways = [f"class name ('{first.name}')"]
    ways += [f"WordNet id ('{first.wnid}')"] if first.wnid else []
    ways += ["label index ('0')"] if numbers else []
    ways += [f"ImageNet index ('{first.imagenet_index}')"] if first.imagenet_index is not None else []
    return " or ".join(ways)
