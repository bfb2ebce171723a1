"""The texts of single files with components. Workers import them from the store, so that they need no other copy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ddbench.limits import TEXT_BYTES
from ddbench.store.layout import CODE
from ddbench.store.store import Store
from ddbench.toolkit.files import CorruptError, write_whole

if TYPE_CHECKING:
    from ddbench.registry.files import ComponentFile


def keep_code(store: Store, files: Iterable[ComponentFile]) -> None:
    """Store the texts of files by their digests. Replace a damaged one."""
    for file in files:
        path = store.root / CODE / file.address
        if not (path.is_file() and path.read_bytes() == file.text):
            with store.writing():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, file.text, store.root / "tmp")


def kept_code(store: Store, address: str) -> Path:
    """Return the stored file at ``DIGEST/NAME``. Raise CorruptError if it is damaged or missing."""
    path = store.root / CODE / address
    check_code(path)
    return path


def check_code(path: Path) -> None:
    """Check a stored text against the digest in its path. Raise CorruptError if it is damaged or missing."""
    try:
        sound = path.stat().st_size <= TEXT_BYTES
        sound = sound and hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name
    except OSError as error:
        raise CorruptError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    if not sound:
        raise CorruptError("the file is damaged", where=str(path))
