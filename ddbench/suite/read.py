"""From a suite file to its structure: the file, what it extends, and the place of what has no business in it."""

from __future__ import annotations

from dataclasses import replace
from os.path import isfile
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

from pydantic import BaseModel, ValidationError

from ddbench.errors import SuiteError, did_you_mean
from ddbench.suite.model import Exclude, Labels, Matrix, Method, PooledSelector, Seeds, SuiteModel
from ddbench.suite.published import is_shipped
from ddbench.suite.shipped import hint_for, shipped_suites
from ddbench.yaml_source import KeyPath, YamlSource, read_yaml

_MERGED = ("seeds", "generators", "scorers", "methods")


def read_suite(file: Path, shown: str | None = None) -> tuple[SuiteModel, YamlSource]:
    """Return a suite file's structure, merged into that of the suite it extends, if any; raise SuiteError.

    Args:
        shown: the file's name in messages; by default its path.
    """
    source = read_yaml(file, shown)
    if "extends" in source.values:
        source = _extended(file, source)
    try:
        return SuiteModel.model_validate(source.values), source
    except ValidationError as error:
        raise _mistake(error, source) from None


def _extended(file: Path, source: YamlSource) -> YamlSource:
    base_name, where = source.values["extends"], source.place(("extends",))
    if not isinstance(base_name, str):
        raise SuiteError("extends: is the path of another suite file, or the name of a shipped one", where=where)
    base_file, shown = _base(file, base_name, where)
    base = read_yaml(base_file, shown)
    if "extends" in base.values:
        raise SuiteError(f"'{base_name}' itself extends another suite", where=where, hint="one level is allowed")
    values, published = dict(base.values), base.values.get("published")
    if isinstance(published, str) and not is_shipped(published, base_file.parent):
        values["published"] = (Path(base_name).parent / published).as_posix()
    return _merged(replace(base, values=values), source)


def _base(file: Path, name: str, where: str) -> tuple[Path, str]:
    """Return the file that ``file`` extends, and its name in messages: by its path from there, else a shipped one."""
    base, known = file.parent / name, shipped_suites()
    if isfile(base):  # noqa: PTH113  (False for a name that no file can have)
        return base, next((name for name, path in known.items() if path == base), str(base))
    if name in known:
        return known[name], name
    hint = f"its path is relative to this file; {hint_for(name, known)}"
    raise SuiteError(f"there is no file {base}", where=where, hint=hint)


def _merged(base: YamlSource, own: YamlSource) -> YamlSource:
    """``own`` laid over ``base``: entries of the named groups one by one, everything else key by key."""
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
    return YamlSource(own.file, values, {**kept, **own.places})


def _mistake(error: ValidationError, source: YamlSource) -> SuiteError:
    """The first structural mistake, in one line; a misspelt key before the key that is missing for it."""
    mistakes = error.errors()
    first = next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])
    path: KeyPath = first["loc"]
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), _fields(path[:-1]))
        return SuiteError(f"unknown key '{path[-1]}'", where=source.place(path), hint=hint)
    if first["type"] == "missing":
        missing = f"the key '{'.'.join(map(str, path))}' is missing"
        return SuiteError(missing, where=source.place(path), hint=f"add `{path[-1]}: …`")
    # What follows the written part of the path names alternatives within the model.
    while path and path not in source.places:
        path = path[:-1]
    name, message = ".".join(map(str, path)), first["msg"].removeprefix("Value error, ")
    said = f"'{name}' is {shortened(first['input'])}: {message[0].lower()}{message[1:]}"
    return SuiteError(said, where=source.place(path))


def _fields(path: KeyPath) -> list[str]:
    """The keys that may stand at ``path``."""
    models: dict[str, type[BaseModel]] = {"seeds": Seeds, "methods": Method, "matrix": Matrix, "exclude": Exclude}
    if not path:
        return [*SuiteModel.model_fields, "extends"]
    if path[:2] == ("matrix", "selector"):
        return list(PooledSelector.model_fields)
    return list((Labels if path[-1] == "labels" else models[str(path[0])]).model_fields)
