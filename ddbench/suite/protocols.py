"""The protocols of a suite: known ones by their id, local ones by the content of a file or a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from ddbench.errors import ComponentError, SuiteError
from ddbench.text import one_line
from ddbench.yaml_source import KeyPath, YamlSource

if TYPE_CHECKING:
    from ddbench.protocol.extend import Extended, Place
    from ddbench.protocol.protocol import Protocol
    from ddbench.registry import Catalogue


def _protocol(value: Any) -> Any:
    if isinstance(value, dict) and "extends" not in value and "name" not in value:
        raise ValueError("a mapping needs the protocol that it changes: write `{extends: NAME@VERSION, …}`")
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        raise ValueError("the names of fields must be text")
    if not isinstance(value, str | dict):
        raise ValueError("give NAME@VERSION, the path of a protocol file, or `{extends: NAME@VERSION, …}`")
    return value


# An id, or the fields of a local protocol; the reader of suites puts the content of a file in place of its path.
# The schema of suites adds the ids and the fields of protocols to this format.
_SCHEMA = WithJsonSchema({"format": "protocol", "anyOf": [{"type": "string"}, {"type": "object"}]})
ProtocolUse = Annotated[str | dict[str, Any], BeforeValidator(_protocol), _SCHEMA]


def _changes(value: Any) -> Any:
    if not isinstance(value, dict) or not value or value.keys() & {"extends", "name"}:
        raise ValueError("give the fields of the row's protocol that the twin changes, as in `{augmentation: none}`")
    return value


Changes = Annotated[dict[str, Any], BeforeValidator(_changes)]
# The name of a local protocol in tables, None for a known one; and the protocol.
Named: TypeAlias = "tuple[str | None, Protocol]"


class Protocols:
    """A reader of the protocols of one suite. Equal protocols are one object.

    A local protocol with the content of a known one is that protocol, so that equal trainings have equal keys.

    Attributes:
        source: the suite file with the places of its values.
        available: the catalogue of protocols.
    """

    def __init__(self, source: YamlSource, available: Catalogue) -> None:
        self.source = source
        self.available = available
        self._found: dict[KeyPath, Extended] = {}
        self._names: dict[tuple[str, str | None, str], Named] = {}
        self._own: dict[str, str] = {}

    def get(self, use: str | dict[str, Any], path: KeyPath) -> Named:
        """Return the protocol at ``path``. Raise SuiteError if it is unknown or has a mistake."""
        return self._named(self._resolved(use, path), use.get("name") if isinstance(use, dict) else None, path)

    def twin(self, use: str | dict[str, Any], path: KeyPath, changes: dict[str, Any], twin: KeyPath) -> Named:
        """Return the protocol at ``path`` with ``changes``, which are at ``twin``."""
        from ddbench.protocol.extend import Extended, extend

        of = self._resolved(use, path)
        key = (*path, *twin)
        if key not in self._found:
            with _in_suite():
                self._found[key] = Extended(extend(of.protocol, changes, self._places(twin)), of.base)
        return self._named(self._found[key], None, twin)

    def _resolved(self, use: str | dict[str, Any], path: KeyPath) -> Extended:
        from ddbench.protocol.extend import resolve

        if path not in self._found:
            with _in_suite():
                self._found[path] = resolve(use, self._places(path), self.available.protocol)
        return self._found[path]

    def _places(self, above: KeyPath) -> Place:
        return lambda path: self.source.place((*above, *path))

    def _named(self, found: Extended, own: Any, path: KeyPath) -> Named:
        """Return the protocol with its name in tables, from its own name or from what it changes."""
        if not found.protocol.is_local:
            return None, found.protocol
        if own is not None:
            self._check_name(own, found.protocol, path)
        base = found.base.id
        if base != own:
            self._check_name(base, found.base.local(), (*path, "extends"))
        key = (found.protocol.id, own, base)
        if key not in self._names:
            self._names[key] = self._known(found) or _local(found, own)
        return self._names[key]

    def _known(self, found: Extended) -> Named | None:
        base = self.available.protocols().get(found.base.id)
        same = base is not None and base.content == found.protocol.content
        known = base if same else self.available.protocol_like(found.protocol)
        return None if known is None else (None, known)

    def _check_name(self, own: Any, protocol: Protocol, path: KeyPath) -> None:
        """Raise SuiteError if a name has no version, or is that of another protocol."""
        from ddbench.protocol.protocol import ID

        where = self.source.place((*path, "name") if (*path, "name") in self.source.places else path)
        if not ID.fullmatch(str(own)):
            raise SuiteError(
                f"'{one_line(str(own))}' is not a name with a version", where=where, hint="write one such as mine@1"
            )
        known = self.available.protocols().get(own)
        if known is not None and known.content != protocol.content:
            message = f"'{own}' is a protocol of {self.available.protocol_owner(own)}, with other content"
            raise SuiteError(message, where=where, hint="give yours another name")
        if self._own.setdefault(own, protocol.id) != protocol.id:
            message = f"two protocols of this suite have the name '{own}' and differ"
            raise SuiteError(message, where=where, hint="rename one of them")


@contextmanager
def _in_suite() -> Iterator[None]:
    """Tell a mistake in a protocol as one in the suite."""
    try:
        yield
    except ComponentError as error:
        raise SuiteError(error.message, where=error.where, hint=error.hint) from None


def _local(found: Extended, own: str | None) -> Named:
    """Return a local protocol's name in tables, and the protocol with what it changes in its summary."""
    from ddbench.protocol.difference import difference

    protocol = found.protocol
    changes = None if found.base.content == protocol.content else difference(protocol, found.base)
    remarks = (changes if own else None, protocol.summary, f"in records {protocol.id}")
    summary = "; ".join(remark.rstrip(".") for remark in remarks if remark)
    return f"{own or changes or found.base.id} (local)", protocol.model_copy(update={"summary": summary})
