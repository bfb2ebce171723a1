"""The rows against which a suite's scores are computed, and their check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from ddbench.errors import SuiteError, did_you_mean
from ddbench.suite.fields import SomeNames
from ddbench.yaml_source import KeyPath, YamlSource


class Scores(BaseModel):
    """The rows against which scores in addition to accuracy are computed.

    Attributes:
        random: The row of random real images. With several protocols, a list of rows: a method is compared with the row
            that has its protocol.
        full: The row of the full data.
        twin: A name under ``twins`` that removes all augmentation. The augmentation-robust score needs it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    random: SomeNames
    full: str | None = None
    twin: str | None = None


class SetScores(BaseModel):
    """The scores of distilled sets themselves: storage, coverage, diversity, and near-duplicates of real images.

    Attributes:
        teacher: The role of the scorer whose embeddings are compared.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    teacher: str = "teacher"


def check_references(
    scores: Scores, twins: Mapping[str, dict[str, Any]], rows: Mapping[str, dict[str, str]], source: YamlSource
) -> None:
    """Raise SuiteError if a reference is not a row, or stands for two things, or if the twin has augmentation.

    Args:
        scores: the references.
        twins: the changes of each twin.
        rows: the components and settings of the rows with cells, as text.
        source: the suite file.
    """
    for path, message, hint in _mistakes(scores, twins, rows):
        raise SuiteError(message, where=source.place(("scores", *path)), hint=hint)


def _mistakes(
    scores: Scores, twins: Mapping[str, dict[str, Any]], rows: Mapping[str, dict[str, str]]
) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield the place of each mistake under ``scores``, the mistake and its remedy."""
    named: list[tuple[KeyPath, str]] = [(("random", i), name) for i, name in enumerate(scores.random)]
    seen: dict[tuple[str, str], str] = {}
    for path, name in [*named, *([(("full",), scores.full)] if scores.full is not None else [])]:
        if name not in rows:
            yield path, f"no row with cells is called '{name}'", did_you_mean(name, rows)
            return
        if path[0] == "full" and name in scores.random:
            yield path, f"'{name}' is also the row of random images", "name another row"
        key = rows[name]["protocol"], rows[name]["labels"]
        if path[0] == "random" and seen.setdefault(key, name) != name:
            yield path, f"'{seen[key]}' and '{name}' have one protocol and equal labels", "name one of them"
    if scores.twin is None:
        return
    if scores.twin not in twins:
        yield ("twin",), f"there is no twin '{scores.twin}'", did_you_mean(scores.twin, twins)
    elif twins[scores.twin] not in ({"augmentation": "none"}, {"augmentation": None}):
        what = f"the twin '{scores.twin}' does not remove all augmentation, and nothing else"
        yield ("twin",), what, "define it as `{augmentation: none}`"
