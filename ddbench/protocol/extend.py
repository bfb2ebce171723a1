"""Protocols that extend others, as files and as mappings. Torch is not imported here.

The fields of a mapping change those of the protocol that it extends:

- a section changes only the fields that it names;
- ``null`` removes a field or a section;
- any other value replaces the field, and so does a section with another ``name``;
- ``epochs: N`` replaces ``epochs_by_ipc``: N epochs at every IPC;
- ``augmentation: none`` removes every augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from ddbench.errors import ComponentError, SuiteError, did_you_mean, first_mistake
from ddbench.protocol.protocol import ID, Protocol
from ddbench.text import one_line
from ddbench.yaml_source import KeyPath, YamlSource, read_yaml

# Returns the protocol of an id.
Find = Callable[[str], Protocol]
# Returns ``file:line:column`` of a field.
Place = Callable[[KeyPath], str]

EPOCHS: Final = "epochs"
_EPOCHS_BY_IPC: Final = "epochs_by_ipc"
_AUGMENTATION: Final = "augmentation"
_ABOUT: Final = ("extends", "name")
_FILE: Final = (".yaml", ".yml")
_FOLDER: Final = ("./", "../", "/", "~")


@dataclass(frozen=True)
class Extended:
    """A protocol and the protocol that it extends, directly or through others.

    Attributes:
        protocol: the protocol.
        base: the protocol at the end of the chain. If that is a local one, its id here is its own name.
    """

    protocol: Protocol
    base: Protocol


def read_protocol(path: Path, find: Find | None = None) -> Protocol:
    """Read ``NAME@VERSION.yaml``, and what it extends.

    Args:
        path: the file.
        find: returns the protocol of an id. Without it, the file may extend only files.

    Raises:
        ComponentError: it is not a protocol; with file, line and field.
    """
    source = with_files(_read(path), path.parent, ("extends",), (path,))
    content = {key: value for key, value in source.values.items() if key != "extends"}
    base = None
    if "extends" in source.values:
        base = resolve(source.values["extends"], _below(source.place, "extends"), find or _unknown).protocol
    return extend(base, content, source.place, path.stem)


def resolve(value: Any, place: Place, find: Find) -> Extended:
    """Return a protocol that is given as an id, or as a mapping whose paths are replaced by :func:`with_files`.

    A mapping's id is that of a local protocol: a digest of its content. So equal content gives equal keys.

    Args:
        value: the id or the mapping.
        place: returns the place of a field of the mapping.
        find: returns the protocol of an id.

    Raises:
        ComponentError: no protocol has the id, or a field is wrong.
    """
    if isinstance(value, dict):
        own = {key: field for key, field in value.items() if key not in _ABOUT}
        if "extends" not in value:
            whole = extend(None, own, place)
            return Extended(whole, whole.model_copy(update={"id": str(value.get("name", "inline@1"))}))
        below = resolve(value["extends"], _below(place, "extends"), find)
        return Extended(extend(below.protocol, own, place), below.base)
    if not isinstance(value, str):
        hint = "give NAME@VERSION, or the path of a protocol file"
        raise ComponentError(f"{value!r} is not a protocol", where=place(()), hint=hint)
    try:
        found = find(value)
    except ComponentError as error:
        raise ComponentError(error.message, where=error.where or place(()), hint=error.hint) from None
    return Extended(found, found)


def extend(base: Protocol | None, own: Mapping[str, Any], place: Place, name: str | None = None) -> Protocol:
    """Return ``base`` with the fields of ``own`` changed.

    Args:
        base: the protocol that is extended; None if ``own`` has every field.
        own: the fields.
        place: returns the place of a field.
        name: the id; by default that of a local protocol with this content.

    Raises:
        ComponentError: a field is unknown, wrong or missing.
    """
    if "id" in own:
        raise ComponentError("unknown field 'id'", where=place(("id",)), hint="the name of a protocol is its id")
    fields = _text_keys(own)
    below = {} if base is None else base.content
    if EPOCHS in fields:
        if _EPOCHS_BY_IPC in fields:
            hint = f"remove one; `{EPOCHS}` holds for every IPC"
            raise ComponentError(f"both '{EPOCHS}' and '{_EPOCHS_BY_IPC}'", where=place((EPOCHS,)), hint=hint)
        below.pop(_EPOCHS_BY_IPC, None)
        fields[_EPOCHS_BY_IPC] = {"beyond": fields.pop(EPOCHS)}
    if _AUGMENTATION in fields and fields[_AUGMENTATION] in (None, "none"):
        below.pop(_AUGMENTATION, None)
        fields[_AUGMENTATION] = {}
    values = fields if base is None else _merged(below, fields)
    protocol = _validated({**values, "id": name or "local@1"}, place, EPOCHS in own)
    return protocol if name else protocol.local()


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        if value is None and key in merged:
            del merged[key]
        elif isinstance(value, dict) and isinstance(below, dict) and value.get("name", _name(below)) == _name(below):
            merged[key] = _merged(below, value)
        elif isinstance(value, dict):  # `name: null` chooses the section without a name
            merged[key] = {name: part for name, part in value.items() if (name, part) != ("name", None)}
        else:  # a null stays, so that an unknown field is told
            merged[key] = value
    return merged


def _name(section: Mapping[str, Any]) -> Any:
    return section.get("name")


def _text_keys(value: Any) -> Any:
    """Return a value with text as keys, as in JSON."""
    return {str(key): _text_keys(part) for key, part in value.items()} if isinstance(value, Mapping) else value


def _validated(values: Mapping[str, Any], place: Place, shortly: bool) -> Protocol:
    """Return the protocol of all fields. ``shortly``: epochs are written as ``epochs: N``."""
    try:
        return Protocol.model_validate(values)
    except ValidationError as error:
        first = first_mistake(error)
        # Names in brackets are no fields: pydantic marks keys by them, and sections their alternatives.
        path: KeyPath = tuple(part for part in first["loc"] if not str(part).startswith("["))
        if shortly and path[0] == _EPOCHS_BY_IPC:
            path = (EPOCHS,)
        field, hint = one_line(".".join(map(str, path))), None
        message = {"extra_forbidden": "is unknown", "missing": "is missing"}.get(first["type"])
        if first["type"] == "missing":
            hint = "add it, or write `extends: NAME@VERSION`"
        elif first["type"] == "extra_forbidden":
            hint = did_you_mean(str(path[-1]), _fields(path[:-1]))
        elif first["type"] in ("model_type", "model_attributes_type", "dict_type"):
            message = f"is {first['input']!r}, not a mapping"
            hint = "write `augmentation: none` for none" if field == _AUGMENTATION else None
        if message is None:
            message = f"is {first['input']!r}: {first['msg'].removeprefix('Value error, ')}"
        raise ComponentError(f"the field '{field}' {message}", where=place(path), hint=hint) from None


def _fields(path: KeyPath) -> set[str]:
    """Return the names of the fields of the protocol, or of a section of it."""
    if not path:
        return {*Protocol.model_fields, EPOCHS, "extends"} - {"id"}
    models: list[type[BaseModel]] = [Protocol]
    for key in path:
        hints = [model.model_fields[str(key)].annotation for model in models if key in model.model_fields]
        models = [part for hint in hints for part in _parts(hint) if isinstance(part, type(BaseModel))]
    return {name for model in models for name in model.model_fields}


def _parts(hint: Any) -> Iterator[Any]:
    """Yield a type and the types in its arguments."""
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


def with_files(source: YamlSource, folder: Path, path: KeyPath, opened: tuple[Path, ...] = ()) -> YamlSource:
    """Replace the path of a protocol file by the file's content, and also the paths that it extends.

    The content gets the file's name as ``name``. Its places are those in its own file.

    Args:
        source: the values.
        folder: the folder from which the path counts.
        path: the place of the protocol in the values; there may be none, or an id, or a mapping.
        opened: the protocol files that contain the values.

    Raises:
        ComponentError: the file does not exist, is not a mapping, extends itself, or has no name with a version.
    """
    value = _at(source.values, path)
    if isinstance(value, dict):
        return with_files(source, folder, (*path, "extends"), opened)
    if not isinstance(value, str) or not (value.endswith(_FILE) or value.startswith(_FOLDER)):
        return source
    file, where, shown = folder / Path(value).expanduser(), source.place(path), one_line(value)
    if not ID.fullmatch(file.name.removesuffix(_FILE[0])):
        hint = "rename it to NAME@VERSION.yaml, such as mine@1.yaml"
        raise ComponentError(f"the name of the protocol file '{shown}' has no version", where=where, hint=hint)
    if not isfile(file):  # noqa: PTH113  (False for a name that no file can have)
        hint = "the path of a protocol is relative to the file that names it"
        raise ComponentError(f"the file {file} does not exist", where=where, hint=hint)
    if any(file.samefile(other) for other in opened):
        chain = " → ".join(other.name for other in (*opened, file))
        raise ComponentError(f"the protocol extends itself: {chain}", where=where, hint="remove one `extends`")
    inner = with_files(_read(file), file.parent, ("extends",), (*opened, file))
    values = _replaced(source.values, path, {"name": file.name.removesuffix(_FILE[0]), **_text_keys(inner.values)})
    places = {(*path, *below): where for below, where in inner.places.items()}
    return YamlSource(source.file, values, {**source.places, **places})


def _read(file: Path) -> YamlSource:
    try:
        source = read_yaml(file)
    except SuiteError as error:
        raise ComponentError(error.message, where=error.where, hint="a protocol file is a YAML mapping") from None
    for key in ("id", "name"):
        if key in source.values:
            raise ComponentError(f"unknown field '{key}'", where=source.place((key,)), hint="the file's name is the id")
    return source


def _at(values: Any, path: KeyPath) -> Any:
    """Return the value at a path; None if there is none."""
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _replaced(values: Any, path: KeyPath, value: Any) -> Any:
    """Return a copy of mappings in mappings with another value at a path."""
    return {**values, path[0]: _replaced(values[path[0]], path[1:], value)} if path else value


def _below(place: Place, key: str) -> Place:
    return lambda path: place((key, *path))


def _unknown(name: str) -> Protocol:
    raise ComponentError(f"there is no protocol '{name}'", hint="give the path of a file")
