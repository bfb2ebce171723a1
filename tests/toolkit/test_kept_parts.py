"""Parts of unfinished work: what was written is read, anything else is thrown away, and writing stops no work."""

from __future__ import annotations

import errno
import logging
import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import ddbench
from ddbench import Context
from ddbench.toolkit import kept_parts
from ddbench.toolkit.checkpoint import CHECKPOINT_SECONDS
from ddbench.toolkit.kept_parts import KeptPart, KeptParts, Pace, kept_files, read_part, write_part

WEIGHTS = torch.arange(12.0).reshape(3, 4)
NOTES = {"curve": [[1, 2.5]], "loss": 0.1}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "work-here.safetensors"


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"tied": WEIGHTS, "same": WEIGHTS, "view": WEIGHTS[1:]},
        {"transposed": WEIGHTS.T, "channels last": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)},
        {"scalar": torch.tensor(7), "empty": torch.zeros(0, 3), "flags": torch.tensor([True, False])},
        {"half": WEIGHTS.half(), "bfloat16": WEIGHTS.bfloat16(), "bytes": torch.get_rng_state()},
        {"nan": torch.tensor([math.nan, math.inf, -0.0])},
    ],
)
def test_what_was_written_is_read(file: Path, tensors: dict[str, Tensor]) -> None:
    write_part(file, KeptPart(tensors, NOTES))
    part = read_part(file)
    assert part is not None
    assert part.notes == NOTES
    assert set(part.tensors) == set(tensors)
    for name, value in part.tensors.items():
        assert (value.dtype, value.shape) == (tensors[name].dtype, tensors[name].shape)
        flat = tensors[name].contiguous().reshape(-1)
        assert value.reshape(-1).view(torch.uint8).equal(flat.view(torch.uint8))


@given(at=st.integers(0), bit=st.integers(0, 7), cut=st.booleans())
def test_damage_is_never_trusted(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int, cut: bool) -> None:
    """Bytes that say nothing, such as spaces in the header, may change; the content may not."""
    file = tmp_path_factory.mktemp("damage") / "work-here.safetensors"
    write_part(file, KeptPart({"weights": WEIGHTS, "ids": torch.arange(5)}, NOTES))
    data = bytearray(file.read_bytes())
    at %= len(data)
    if cut:
        del data[at:]
    else:
        data[at] ^= 1 << bit
    file.write_bytes(data)
    part = read_part(file)
    if part is None:
        assert not file.exists()
    else:
        assert part.notes == NOTES
        assert part.tensors["weights"].equal(WEIGHTS)
        assert part.tensors["ids"].equal(torch.arange(5))


def test_a_part_of_other_work_is_thrown_away(file: Path) -> None:
    write_part(file, KeptPart({"weights": WEIGHTS}, NOTES))
    other = file.with_name("work-elsewhere.safetensors")
    file.rename(other)
    assert read_part(other) is None
    assert not other.exists()


def test_a_folder_in_place_of_a_part_is_thrown_away(file: Path) -> None:
    file.mkdir()
    assert read_part(file) is None
    assert not file.exists()


def test_what_a_killed_writer_left_is_removed(file: Path) -> None:
    write_part(file, KeptPart({"weights": WEIGHTS}))
    half, other = file.with_name(f".{file.name}.0123"), file.with_name(".other.safetensors.0123")
    half.write_bytes(b"half")
    other.write_bytes(b"half")
    assert read_part(file) is not None
    assert (half.exists(), other.exists()) == (False, True)


# pace


class Clock:
    """A clock that only moves when it is told, and during each write."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, write_s: float = 0.0) -> None:
        self.now = 1000.0
        self.written: list[float] = []
        monkeypatch.setattr(kept_parts.time, "monotonic", lambda: self.now)

        def write(path: Path, part: KeptPart) -> None:
            self.written.append(self.now)
            self.now += write_s

        monkeypatch.setattr(kept_parts, "write_part", write)

    def work(self, pace: Pace, seconds: int) -> None:
        """Work, and offer to write after each second of it."""
        for _ in range(seconds):
            self.now += 1
            if pace.due:
                pace.write(Path("work"), KeptPart({}))


def test_work_of_less_than_the_interval_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.work(Pace(15, clock.now, logging.getLogger()), 14)
    assert clock.written == []


def test_quick_writes_come_at_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.work(Pace(15, clock.now, logging.getLogger()), 60)
    assert clock.written == [1015, 1030, 1045, 1060]


def test_the_interval_begins_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with the training: reading its data may take most of the time between two kills."""
    clock = Clock(monkeypatch)
    clock.work(Pace(15, clock.now - 12, logging.getLogger()), 5)
    assert clock.written == [1003]


@pytest.mark.parametrize("write_s", [0.1, 0.5, 2.0])
def test_writing_takes_at_most_two_percent_of_the_time(monkeypatch: pytest.MonkeyPatch, write_s: float) -> None:
    clock = Clock(monkeypatch, write_s)
    clock.work(Pace(15, clock.now, logging.getLogger()), 10_000)
    assert len(clock.written) > 2
    busy = write_s * (len(clock.written) - 1)
    assert busy <= 0.02 * (clock.written[-1] - clock.written[0])


def test_resumed_work_writes_three_times_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(15, clock.now, logging.getLogger())
    pace.hasten()
    clock.work(pace, 19)
    assert clock.written == [1005, 1010, 1015]


def test_every_training_has_the_same_interval() -> None:
    made: list[Any] = [ddbench.create("evaluator", "student"), ddbench.create("generator", "ddpm")]
    assert [component.params.checkpoint_seconds for component in made] == [CHECKPOINT_SECONDS] * 2 == [15.0] * 2


# a full disk


def test_a_full_disk_stops_nothing_and_is_told_once(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(kept_parts, "write_whole", full)
    monkeypatch.setattr(Pace, "due", True)
    kept, counter = KeptParts(Context(checkpoint_file=file)), Counter()
    assert counter.total(kept, 4) == 6
    assert counter.made == [0, 1, 2, 3]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    told = "unfinished work is not kept (No space left on device): a stopped run repeats it"
    assert record.getMessage() == told


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "due", True)
    (tmp_path / "file").touch()
    kept = KeptParts(Context(checkpoint_file=tmp_path / "file" / "work-here.safetensors"))
    assert Counter().total(kept, 4) == 6


# parts


class KilledError(Exception):
    """The machine went away."""


class Counter:
    """Makes numbers, and counts which it has made."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.made: list[int] = []
        self.dies_at = dies_at

    def make(self, number: int) -> KeptPart:
        if number == self.dies_at:
            raise KilledError
        self.made.append(number)
        return KeptPart({"value": torch.tensor(number)}, [f"number {number}"])

    def total(self, kept: KeptParts, count: int) -> int:
        parts = [kept.get(f"n-{number}", lambda number=number: self.make(number)) for number in range(count)]
        assert [part.notes for part in parts] == [[f"number {number}"] for number in range(count)]
        return sum(int(part.tensors["value"]) for part in parts)


@pytest.mark.parametrize("dies_at", [0, 1, 5, 9])
def test_what_was_kept_is_not_made_again(file: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int) -> None:
    monkeypatch.setattr(Pace, "due", True)
    ctx = Context(checkpoint_file=file)
    with pytest.raises(KilledError):
        Counter(dies_at).total(KeptParts(ctx), 10)
    again = Counter()
    assert again.total(KeptParts(ctx), 10) == 45
    assert again.made == list(range(dies_at, 10))


def test_parts_are_gathered_between_writes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of seven parts, those up to the last write are kept, in two files."""
    ctx, calls = Context(checkpoint_file=file), iter([False, False, True, False, True, False, False])
    monkeypatch.setattr(Pace, "due", property(lambda self: next(calls)))
    Counter().total(KeptParts(ctx), 7)
    assert [path.name for path in kept_files(file)] == ["work-here.n-2.safetensors", "work-here.n-4.safetensors"]
    again = Counter()
    monkeypatch.setattr(Pace, "due", False)
    assert again.total(KeptParts(ctx), 7) == 21
    assert again.made == [5, 6]


def test_a_damaged_part_is_made_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "due", True)
    ctx = Context(checkpoint_file=file)
    Counter().total(KeptParts(ctx), 4)
    damaged = file.with_name("work-here.n-2.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    file.with_name("work-here.n-1.safetensors").rename(file.with_name("work-here.n-9.safetensors"))
    again = Counter()
    assert again.total(KeptParts(ctx), 4) == 6
    assert again.made == [1, 2]


def test_the_parts_of_other_work_are_not_seen(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "due", True)
    Counter().total(KeptParts(Context(checkpoint_file=file)), 4)
    again = Counter()
    again.total(KeptParts(Context(checkpoint_file=file.with_name("work-there.safetensors"))), 4)
    assert again.made == [0, 1, 2, 3]


def test_without_a_file_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "due", True)
    monkeypatch.chdir(tmp_path)
    assert Counter().total(KeptParts(Context()), 4) == 6
    assert list(tmp_path.iterdir()) == []
