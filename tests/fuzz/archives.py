"""Fuzz the extraction of archives: ``python -m tests.fuzz.archives --minutes 20 --seed 0``."""

from __future__ import annotations

import io
import random
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from ddbench_components.datasets._download.extraction import extract

from ddbench.api.context import ignore
from tests.fuzz.mutation import main, mutated

_FILES: Final = {"x/train/a/0.JPEG": bytes(range(200)), "x/train/b/1.JPEG": b"", f"x/{'n' * 120}": b"2" * 900}
_WORDS: Final = [
    *(b"../", b"/etc/", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"\xff\xff\xff\xff", b"\0" * 4),
    *(b"././@LongLink\0", b"ustar\x0000", b"ustar  \0", b"77777777777\0", b"\x80\0\0\0\x7f", b"30 path=../../x\n"),
    *(b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"1", b"2", b"S", b"g", b"x", b"L", b"\xe9"),
]


def _packed() -> list[bytes]:
    """Return an archive of each form."""
    found = []
    for mode, form in (("w", tarfile.USTAR_FORMAT), ("w", tarfile.GNU_FORMAT), ("w", tarfile.PAX_FORMAT)):
        found.append(_tarred(mode, form))
    found += [_tarred(mode, tarfile.GNU_FORMAT) for mode in ("w:gz", "w:bz2", "w:xz")]
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in _FILES.items():
                archive.writestr(name, content)
        found.append(buffer.getvalue())
    return found


def _tarred(mode: str, form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, content in _FILES.items():
            info = tarfile.TarInfo(name if form != tarfile.USTAR_FORMAT else name[:90])
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


_ARCHIVES: Final = _packed()


def attempt(rng: random.Random) -> None:
    """Extract a mutated archive. No file may appear outside its folder."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "in").mkdir()
        (root / "in" / "a").write_bytes(mutated(rng.choice(_ARCHIVES), rng, _WORDS))
        try:
            extract(root / "in" / "a", root / "out" / "here", ignore)
        finally:
            outside = [path for path in root.rglob("*") if not path.is_relative_to(root / "out" / "here")]
            assert set(outside) <= {root / "in", root / "in" / "a", root / "out"}, outside


if __name__ == "__main__":
    main(attempt)
