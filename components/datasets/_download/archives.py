"""Archives of image files: download, check and extract. The extracted folder appears only when complete."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ddbench import DataError, Progress

from .download import download
from .extraction import extract
from .mirrors import first_good

Source = tuple[str, Callable[[], None]]


@dataclass(frozen=True)
class Archive:
    """A tar or zip archive that holds one folder.

    Attributes:
        url: its address.
        folder: the folder in it.
        md5: the published MD5; None if no reliable one exists.
    """

    url: str
    folder: str
    md5: str | None = None

    @property
    def name(self) -> str:
        """Return its file name."""
        return self.url.rpartition("/")[2]


def get_extracted(archive: Archive, home: Path, check: Callable[[Path], None], progress: Progress) -> None:
    """Extract an archive into ``home``. Use the archive in ``home`` if there is one; otherwise download it.

    Args:
        archive: the archive.
        home: the data folder.
        check: a function that raises DataError if the extracted folder is wrong.
        progress: a callback for the progress of the download and extraction.

    Raises:
        DataError: no source works, or the folder exists with wrong content.
    """
    incoming = home / f"{archive.folder}.incoming"
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        with (incoming / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (home / archive.folder).exists():
                _check_present(home / archive.folder, check)
            else:
                hint = f"put {archive.name} into {home} and fetch again"
                first_good(archive.name, _sources(archive, home, incoming, check, progress), hint)
        shutil.rmtree(incoming, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"cannot be written: {error.strerror or error}",
            where=str(error.filename or incoming),
            hint="free disk space, or set DDBENCH_DATA to another folder",
        ) from None


def _check_present(folder: Path, check: Callable[[Path], None]) -> None:
    """Check an existing folder, made by the user or another process. It is never replaced."""
    try:
        check(folder)
    except DataError as error:
        raise DataError(error.message, hint=f"remove {folder} and fetch again") from None


def _sources(
    archive: Archive, home: Path, incoming: Path, check: Callable[[Path], None], progress: Progress
) -> Iterator[Source]:
    placed, downloaded = home / archive.name, incoming / archive.name

    def use(path: Path) -> None:
        _check_digest(path, archive)
        scratch = incoming / "extracted"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            extract(path, scratch, progress)
            check(scratch / archive.folder)
            (scratch / archive.folder).replace(home / archive.folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def get() -> None:
        download(archive.url, downloaded, progress)
        try:
            use(downloaded)
        except DataError:
            downloaded.unlink()  # otherwise the next call would use it again
            raise

    if placed.exists():
        yield str(placed), lambda: use(placed)
    yield archive.url, get


def _check_digest(path: Path, archive: Archive) -> None:
    if archive.md5 is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != archive.md5:
        raise DataError(f"has MD5 {found}, not {archive.md5}: it is cut short, damaged, or another release")
