"""The difference of a protocol from one that it extends, as text. Torch is not imported here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ddbench.protocol.extend import EPOCHS
from ddbench.protocol.protocol import Protocol


def difference(protocol: Protocol, base: Protocol) -> str:
    """Return such as ``minimax-hard@1 with epochs 60, without augmentation``.

    A field is given by its path, with its new value. Fields that are removed follow ``without``.
    """
    changes = list(_changes(base.content, protocol.content))
    given = ", ".join(f"{name} {value}" for name, value in changes if value is not None)
    removed = ", ".join(name for name, value in changes if value is None)
    return f"{base.id}{given and f' with {given}'}{given and removed and ','}{removed and f' without {removed}'}"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield each changed field with its new value, or None if it is removed."""
    for name in [*old, *(name for name in new if name not in old)]:
        before, after, path = old.get(name), new.get(name), f"{above}{name}"
        if before == after:
            continue
        if after in (None, {}):
            yield path, None
        elif path == "epochs_by_ipc" and after == {"up_to": {}, "beyond": after["beyond"]}:
            yield EPOCHS, str(after["beyond"])
        elif isinstance(after, dict):
            yield from _changes(before or {}, after, f"{path}.")
        else:
            yield path, after if isinstance(after, str) else json.dumps(after)
