"""Archives that would fill a disk or leave their folder are refused in one line, and nothing of them is kept."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ddbench_components.datasets._cifar.files import read_official
from ddbench_components.datasets._download import extraction
from ddbench_components.datasets._download.archives import Archive, get_extracted
from ddbench_components.datasets._download.extraction import extract
from ddbench_components.datasets.cifar10 import Cifar10
from photographs import tarball, zipped
from silence import quiet

from ddbench import DataError

Make = Callable[[], bytes]


def tar_of(*entries: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for entry in entries:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return packed.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, target
    return info


def declaring(size: int) -> bytes:
    """Return a tar of a file that is much shorter than its header says."""
    return entry("x/0.png", size=size).tobuf() + bytes(1024)


def long_name() -> bytes:
    """Return a tar with a name of 40 MB, which tarfile reads into memory."""
    name = entry("././@LongLink", tarfile.GNUTYPE_LONGNAME, 40_000_000)
    return tar_of(name, entry("x/0.png"))


def zip_link() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("x/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return packed.getvalue()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limits: 20 MB in all, and five files."""
    monkeypatch.setattr(extraction, "ARCHIVE_SMALL_BYTES", 20_000_000)
    monkeypatch.setattr(extraction, "ARCHIVE_MEMBERS", 5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: zipped("x", {"0.png": bytes(30_000_000)}), "would unpack to more than 19 MiB"),
        (lambda: zipped("x", {f"{i}.png": bytes(5_000_000) for i in range(5)}), "would unpack to more than 19 MiB"),
        (lambda: tarball("x", {"0.png": bytes(30_000_000)}), "would unpack to more than 19 MiB"),
        (lambda: tar_of(entry("x/0.png", size=30_000_000), mode="w:xz"), "would unpack to more than 19 MiB"),
        (lambda: tar_of(entry("x/0.png", size=30_000_000), mode="w:bz2"), "would unpack to more than 19 MiB"),
        (lambda: declaring(12 * 10**9), "would unpack to more than 19 MiB"),
        (long_name, "would unpack to more than 19 MiB"),
        (lambda: tarball("x", {f"{i}": b"" for i in range(6)}), "contains more than 5 files"),
        (lambda: zipped("x", {f"{i}": b"" for i in range(6)}), "contains more than 5 files"),
        (lambda: tarball("x", {"../../y": b""}), "contains a file that would be outside the folder: x/../../y"),
        (lambda: zipped("x", {"../../y": b""}), "contains a file that would be outside the folder: x/../../y"),
        (lambda: tar_of(entry("/tmp/y")), "contains a file that would be outside the folder: /tmp/y"),
        (
            lambda: tar_of(entry("x/l", tarfile.SYMTYPE, target="/etc")),
            "contains an entry that is neither a file nor a folder: x/l",
        ),
        (lambda: tar_of(entry("x/l", tarfile.LNKTYPE, target="x/0")), "contains an entry that is neither"),
        (lambda: tar_of(entry("x/dev", tarfile.CHRTYPE)), "contains an entry that is neither"),
        (lambda: tar_of(entry("x/fifo", tarfile.FIFOTYPE)), "contains an entry that is neither"),
        (zip_link, "contains an entry that is neither a file nor a folder: x/link"),
        (lambda: tar_of(entry("caf\udce9/../../y")), "would be outside the folder: caf\\xe9/../../y"),
    ],
)
def test_a_hostile_archive_is_refused(content: Make, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(content())
    archive = Archive("http://127.0.0.1:9/x.tgz", "x")
    with pytest.raises(DataError, match=r"x\.tgz could not be fetched; tried") as caught:
        get_extracted(archive, tmp_path, lambda folder: None, quiet)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert [path for path in tmp_path.rglob("*") if path.stat().st_size and path.is_file()] == [tmp_path / "x.tgz"]
    assert not (tmp_path.parent / "y").exists()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_good_archive_keeps_every_byte(mode: str, tmp_path: Path) -> None:
    packed = io.BytesIO()
    files = {"x/a/1": b"one" * 5000, "x/b/2": b"", "x/3": bytes(range(256)) * 9, f"x/{'long' * 50}": b"4"}
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        archive.addfile(entry("x", tarfile.DIRTYPE))
        for name, content in files.items():
            archive.addfile(entry(name, size=len(content)), io.BytesIO(content))
    (tmp_path / "x.tar").write_bytes(packed.getvalue())
    extract(tmp_path / "x.tar", tmp_path / "out", quiet)
    assert {
        str(p.relative_to(tmp_path / "out")): p.read_bytes() for p in tmp_path.rglob("out/**/*") if p.is_file()
    } == files


def test_an_archive_of_cifar_has_the_same_limits(tmp_path: Path) -> None:
    (tmp_path / "cifar.tar.gz").write_bytes(tarball("cifar-10-batches-bin", {"data_batch_1.bin": bytes(30_000_000)}))
    with pytest.raises(DataError, match="would unpack to more than 19 MiB"):
        read_official(tmp_path / "cifar.tar.gz", Cifar10.release)
