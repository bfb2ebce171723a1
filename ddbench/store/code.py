"""The texts of single files with components. Workers import them from the store, so that they need no other copy."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ddbench.limits import TEXT_BYTES
from ddbench.store.layout import CODE
from ddbench.store.store import Store
from ddbench.toolkit.files import CorruptError, write_whole


def keep_code(store: Store, address: str, text: bytes) -> None:
    """Store the text of a file at ``DIGEST/NAME``. Replace a damaged one."""
    path = store.root / CODE / address
    if not (path.is_file() and path.read_bytes() == text):
        with store.writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text, store.root / "tmp")


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
