"""Errors while a store is written, as errors of ddbench."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from ddbench.errors import ComponentError, StoreError
from ddbench.record import RunRecord
from ddbench.store.manifest import Manifest
from ddbench.toolkit.files import CorruptError, parse_json, sealed

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
# A user may have limited the size of files (`ulimit -f`), which is EFBIG.
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EFBIG)


def refusal(error: OSError, root: Path, others: Collection[int] = ()) -> StoreError | None:
    """Return a StoreError for a full or unwritable disk, or for a folder that was removed; None for another error.

    Args:
        error: the error of the system.
        root: the store's folder.
        others: further values of ``errno`` that mean that the store cannot be written.
    """
    named = Path(error.filename).absolute() if isinstance(error.filename, str) else None
    inside = named is None or named.is_relative_to(root.absolute())
    if error.errno in (*_FULL, *_REFUSED) and not inside:
        return StoreError(f"{error.strerror}, and not in the store", where=str(error.filename))
    if error.errno in _FULL:
        hint = "free space with `ddbench gc`, or choose another folder with --store"
        return StoreError("no space left for the store", where=str(root), hint=hint)
    if error.errno in (*_REFUSED, *others):
        problem = f"the store cannot be written: {os.strerror(error.errno).lower()}"
        return StoreError(problem, where=str(root), hint="choose another folder with --store or DDBENCH_HOME")
    if error.errno == errno.ENOENT and inside and named is not None:
        parts = named.relative_to(root.absolute()).parts
        folder = root.joinpath(*parts[:2])  # of one run, or of one worker's temporary files
        if len(parts) > 2 and not folder.exists():
            return StoreError("the folder was removed during the run", where=str(folder), hint="run the suite again")
    return None


def storable(part: Manifest | RunRecord) -> bytes:
    """Return the file of a manifest or record. Raise ComponentError if it could not be read again.

    Otherwise a run would take its own output for damaged, and make it for ever.
    """
    try:
        data = sealed(part.to_json())
        type(part).parse(parse_json(data))
    except (ValueError, TypeError, RecursionError, CorruptError) as error:
        problem = error.message if isinstance(error, CorruptError) else str(error)
        raise ComponentError(
            f"the output cannot be stored: {problem}",
            hint="a component may return only finite JSON that is not nested deeply",
        ) from None
    return data
