"""cifar10: a download goes on where it broke, and ends in the right data."""

from __future__ import annotations

import threading

import pytest
from ddbench_components.datasets.cifar10 import Cifar10
from handmade_cifar import ARCHIVE, Server
from silence import quiet
from stored_cifar10 import DONE, assert_right, stored

from ddbench import DataError
from ddbench.toolkit.home import data_home


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


def test_two_fetches_at_once_download_once(small: type[Cifar10], server: Server) -> None:
    threads = [threading.Thread(target=small().fetch, args=(quiet,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_right(small())
    assert len(server.asked) == 1
