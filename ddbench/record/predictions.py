"""The file of top-1 predictions that belongs to a record: one number for each validation image."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Final

from ddbench.limits import PREDICTIONS_BYTES
from ddbench.record.run_record import FileReference, RunRecord
from ddbench.toolkit.files import CorruptError, unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX: Final = ".npy"


def pack_predictions(predictions: Sequence[int], classes: int) -> bytes:
    """Return predictions as a NumPy file of unsigned integers, with one byte each for up to 256 classes."""
    import numpy as np

    file = io.BytesIO()
    np.save(file, np.asarray(predictions, dtype=np.min_scalar_type(classes - 1)), allow_pickle=False)
    return file.getvalue()


def unpack_predictions(data: bytes) -> NDArray[np.unsignedinteger]:
    """Return the predictions ``[N]`` of a NumPy file. Raise ValueError for anything else, also for pickled data."""
    from numpy.lib import format as numpy_format

    try:
        found: NDArray[np.unsignedinteger] = numpy_format.read_array(io.BytesIO(data), allow_pickle=False)
    except MemoryError:
        raise ValueError("the header names more values than there are") from None
    if found.ndim != 1 or found.dtype.kind != "u":
        raise ValueError("not a list of unsigned integers")
    return found


def reference(name: str, data: bytes) -> FileReference:
    """Return the reference of a record to a file."""
    return FileReference(file=name, sha256=hashlib.sha256(data).hexdigest())


def read_predictions(path: Path, record: RunRecord) -> bytes:
    """Return the bytes of the predictions of a record that has some.

    Raises:
        CorruptError: the file is missing, or its bytes are not those that the record names.
        StoreError: the file cannot be read.
    """
    assert record.predictions is not None
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode) or found.st_size > PREDICTIONS_BYTES:
            raise CorruptError("something else is in place of the predictions", where=str(path))
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise CorruptError("the predictions are missing", where=str(path)) from None
    except OSError as error:
        raise unreadable(path, error) from None
    if hashlib.sha256(data).hexdigest() != record.predictions.sha256:
        raise CorruptError("the predictions are damaged", where=str(path))
    return data
