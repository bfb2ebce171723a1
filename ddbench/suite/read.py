"""Read a suite file, and the suite that it extends, into its model. Errors name their place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from os.path import isfile
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

from pydantic import BaseModel, ValidationError

from ddbench.errors import ComponentError, SuiteError, did_you_mean, first_mistake
from ddbench.protocol.extend import with_files
from ddbench.suite.model import Exclude, Labels, Matrix, Method, PooledSelector, Seeds, SuiteModel
from ddbench.suite.published import is_shipped
from ddbench.suite.references import Scores, SetScores
from ddbench.suite.shipped import hint_for, shipped_suites
from ddbench.text import one_line
from ddbench.yaml_source import KeyPath, YamlSource, read_yaml

_MERGED = ("seeds", "generators", "scorers", "methods", "twins", "splits")
# Pydantic's types of mistakes, with texts for users.
_LIST, _MAPPING = "give a list, such as `[a, b]`", "give a mapping, such as `{key: value}`"
_TEXTS = {"list_type": _LIST, "dict_type": _MAPPING, "model_type": _MAPPING, "model_attributes_type": _MAPPING}
_CHARACTERS = "use lower-case letters, digits and hyphens, as in `my-name`"


def read_suite(file: Path, shown: str | None = None) -> tuple[SuiteModel, YamlSource]:
    """Read a suite file, merged with the suite that it extends.

    Args:
        file: the path of the file.
        shown: the name of the file in messages; by default its path.

    Raises:
        SuiteError: the file has a mistake.
    """
    source = _with_protocols(read_yaml(file, shown), file.parent)
    if "extends" in source.values:
        source = _extended(file, source)
    for path, value in _scalars(source.values, ()):
        if isinstance(value, float) and not isfinite(value):
            raise SuiteError(f"{value} is not a finite number", where=source.place(path), hint="write a finite number")
    try:
        return SuiteModel.model_validate(source.values), source
    except ValidationError as error:
        raise _mistake(error, source) from None


def _scalars(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every scalar in a value with its path."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
        return
    for key, inner in items:
        yield from _scalars(inner, (*path, key))


def _extended(file: Path, source: YamlSource) -> YamlSource:
    base_name, where = source.values["extends"], source.place(("extends",))
    if not isinstance(base_name, str):
        raise SuiteError("'extends' must be the path of a suite file or the name of a shipped suite", where=where)
    base_file, shown = _base(file, base_name, where)
    base = _with_protocols(read_yaml(base_file, shown), base_file.parent)
    if "extends" in base.values:
        raise SuiteError(f"'{base_name}' extends another suite", where=where, hint="only one level is allowed")
    values, published = dict(base.values), base.values.get("published")
    if isinstance(published, str) and not is_shipped(published, base_file.parent):
        values["published"] = (Path(base_name).parent / published).as_posix()
    if "dataset" in source.values and "published" not in source.values:
        values = _without_published(values)
    return _merged(replace(base, values=values), source, base_file.parent)


def _with_protocols(source: YamlSource, folder: Path) -> YamlSource:
    """Replace the paths of protocol files by their content, so that stored suites have it."""
    methods = source.values.get("methods")
    rows: list[KeyPath] = [("methods", name) for name in methods] if isinstance(methods, dict) else []
    for place in [(), *rows, ("matrix",)]:
        try:
            source = with_files(source, folder, (*place, "protocol"))
        except ComponentError as error:
            raise SuiteError(error.message, where=error.where, hint=error.hint) from None
    return source


def _without_published(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a suite without published numbers, which belong to its data set."""
    methods = values.get("methods")
    if isinstance(methods, dict):
        own = {
            name: {k: v for k, v in row.items() if k != "published"} if isinstance(row, dict) else row
            for name, row in methods.items()
        }
        values = {**values, "methods": own}
    return {key: value for key, value in values.items() if key != "published"}


def _base(file: Path, name: str, where: str) -> tuple[Path, str]:
    """Return the file that ``file`` extends, a relative path or a shipped name, and its name in messages."""
    base, shipped = file.parent / name, shipped_suites()
    if isfile(base):  # noqa: PTH113  (False for a name that no file can have)
        return base, next((name for name, path in shipped.items() if path == base), str(base))
    if name in shipped:
        return shipped[name], name
    hint = f"a path is relative to this file; {hint_for(name, shipped)}"
    raise SuiteError(f"the file {base} does not exist", where=where, hint=hint)


def _merged(base: YamlSource, own: YamlSource, folder: Path) -> YamlSource:
    """Merge ``own`` into ``base``, a file of ``folder``. In :data:`_MERGED`, merge entries; else replace the value."""
    values: dict[str, Any] = dict(base.values)
    replaced: set[KeyPath] = set()
    for key, value in own.values.items():
        if key == "extends":
            continue
        below = values.get(key)
        if key in _MERGED and isinstance(value, dict) and isinstance(below, dict):
            values[key] = {**below, **value}
            replaced |= {(key, name) for name in value}
        else:
            values[key] = value
            replaced.add((key,))
    kept = {path: place for path, place in base.places.items() if replaced.isdisjoint((path[:1], path[:2]))}
    folders = dict.fromkeys(kept.keys() - own.places.keys(), folder)
    return YamlSource(own.file, values, {**kept, **own.places}, folders)


def _mistake(error: ValidationError, source: YamlSource) -> SuiteError:
    """Return the first structural mistake."""
    first = first_mistake(error)
    path: KeyPath = first["loc"]
    if first["type"] == "extra_forbidden":
        return SuiteError(f"unknown key '{path[-1]}'", where=source.place(path), hint=_key_hint(path))
    if first["type"] == "missing":
        missing = f"the key '{'.'.join(map(str, path))}' is missing"
        return SuiteError(missing, where=source.place(path), hint=f"add `{path[-1]}: …`")
    # The end of the path may name alternatives of the model, which are not in the file.
    while path and path not in source.places:
        path = path[:-1]
    name = ".".join(map(str, path))
    message = _TEXTS.get(first["type"], first["msg"].removeprefix("Value error, "))
    text = f"'{one_line(name)}' is {shortened(first['input'])}: {message[0].lower()}{message[1:]}"
    hint = _CHARACTERS if first["type"] == "string_pattern_mismatch" else None
    return SuiteError(text, where=source.place(path), hint=hint)


def _key_hint(path: KeyPath) -> str:
    """Return a hint for an unknown key: the place where it is allowed, or else a similar key."""
    key = str(path[-1])
    if len(path) == 1 and key in Method.model_fields:
        return f"write `{key}` in a row of `methods`, or in `matrix`"
    if path[0] in ("methods", "matrix") and key in SuiteModel.model_fields:
        return f"write `{key}` at the top level"
    return did_you_mean(key, _fields(path[:-1]))


def _fields(path: KeyPath) -> list[str]:
    """Return the keys that are allowed at ``path``."""
    models: dict[str, type[BaseModel]] = {"seeds": Seeds, "methods": Method, "matrix": Matrix, "exclude": Exclude}
    models |= {"scores": Scores, "set_scores": SetScores}
    if not path:
        return [*SuiteModel.model_fields, "extends"]
    if path[:2] == ("matrix", "selector"):
        return list(PooledSelector.model_fields)
    return list((Labels if path[-1] == "labels" else models[str(path[0])]).model_fields)
