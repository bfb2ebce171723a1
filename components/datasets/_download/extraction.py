"""Files of a tar or zip archive, within limits on their number, size and ratio."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from ddbench import DataError, Progress
from ddbench.limits import ARCHIVE_BYTES, ARCHIVE_MEMBERS, ARCHIVE_RATIO, ARCHIVE_SMALL_BYTES

from ..._paths import printable

_REPORT_EVERY: Final = 100
_COMPRESSED: Final[dict[bytes, Callable[[IO[bytes]], Any]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": lzma.open,
}


class Member(NamedTuple):
    """A file in an archive.

    Attributes:
        name: its path in the archive.
        size: its bytes.
        content: its content; valid until the next member is read.
    """

    name: str
    size: int
    content: IO[bytes]


def extract(path: Path, folder: Path, progress: Progress) -> None:
    """Extract an archive below ``folder``; ``progress`` receives bytes of the archive.

    Raises:
        DataError: the archive is unreadable, exceeds a limit, or has a file that would be outside ``folder``.
    """
    size, root = path.stat().st_size, folder.resolve()
    with path.open("rb") as raw, intact("extracted"):
        for number, member in enumerate(members(raw)):
            target = (root / member.name).resolve()
            if not target.is_relative_to(root):
                raise DataError(f"contains a file that would be outside the folder: {printable(member.name)}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(member.content, file)
            if number % _REPORT_EVERY == 0:
                progress(f"extract {path.name}", min(raw.tell(), size), size)
    progress(f"extract {path.name}", size, size)


@contextmanager
def intact(what: str) -> Iterator[None]:
    """Re-raise the many errors of damaged archives as a DataError of one line."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # damage shows as many kinds, such as IndexError for an empty name
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
        raise DataError(f"cannot be {what}: {reason}") from None


def members(raw: IO[bytes]) -> Iterator[Member]:
    """Yield the files of an archive, in its order. Each is checked before it is read.

    Raises:
        DataError: the archive has too many files or too many bytes, or an entry is neither a file nor a folder.
    """
    raw.seek(0, 2)
    allowed = min(ARCHIVE_BYTES, max(ARCHIVE_SMALL_BYTES, ARCHIVE_RATIO * raw.tell()))
    total = 0
    for number, member in enumerate(_zipped(raw) if zipfile.is_zipfile(raw) else _tarred(raw, allowed)):
        total += member.size
        if total > allowed:
            raise _too_large(allowed)
        if number >= ARCHIVE_MEMBERS:
            raise DataError(f"contains more than {ARCHIVE_MEMBERS:,} files")
        yield member


def _too_large(allowed: int) -> DataError:
    return DataError(f"would unpack to more than {allowed / 2**20:,.0f} MiB")


def _zipped(raw: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _odd(info.filename)
            if not info.is_dir():
                with archive.open(info) as content:
                    yield Member(info.filename, info.file_size, content)


def _tarred(raw: IO[bytes], allowed: int) -> Iterator[Member]:
    raw.seek(0)
    form = _COMPRESSED.get(raw.read(2))
    raw.seek(0)
    unpacked: Any = form(raw) if form else raw
    # The names of members are unpacked into memory, so the whole stream has the limit.
    with tarfile.open(fileobj=_Bounded(unpacked, allowed), mode="r:") as archive:  # type: ignore[call-overload]
        for entry in archive:
            if entry.isdir():
                continue
            file = archive.extractfile(entry) if entry.isfile() else None
            if file is None:
                raise _odd(entry.name)
            yield Member(entry.name, entry.size, file)
            archive.members.clear()  # tarfile keeps every member otherwise


def _odd(name: str) -> DataError:
    return DataError(f"contains an entry that is neither a file nor a folder: {printable(name)}")


class _Bounded:
    """A stream that refuses to be read beyond a limit."""

    def __init__(self, stream: IO[bytes], allowed: int) -> None:
        self._stream, self._allowed = stream, allowed
        self.tell = stream.tell

    def read(self, size: int) -> bytes:
        """Return the next bytes. Raise DataError beyond the limit."""
        if self._stream.tell() + size > self._allowed:
            raise _too_large(self._allowed)
        return self._stream.read(size)

    def seek(self, offset: int) -> int:
        """Go to a place. Raise DataError beyond the limit."""
        if offset > self._allowed:
            raise _too_large(self._allowed)
        return self._stream.seek(offset)
