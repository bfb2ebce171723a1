"""Students are trained so many times as fast as by the plain loop, on one thread of a CPU."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.benchmarks import students
from tests.benchmarks.students import STUDENTS

ROUNDS = 3


class Least(NamedTuple):
    """Ratios that must be reached: an epoch at IPC 10, and whole trainings that evaluate once."""

    epoch: float
    whole_ipc_1: float
    whole_ipc_10: float


LEAST = {
    "convnet3": Least(3, 10, 4),
    "convnet6": Least(3, 10, 4),
    "resnetap10": Least(1.8, 10, 3),
    "resnet18": Least(1.8, 8, 2.7),
}


def reached(figures: dict[str, Any]) -> Least:
    """Return the measured ratios of a student."""
    epoch = figures["ipc 10"]["epoch"]["ratio"]["fast"][0]
    return Least(epoch, *(figures[f"ipc {ipc}"]["whole"]["last"]["ratio"]["fast"][0] for ipc in (1, 10)))


@pytest.mark.parametrize("student", STUDENTS)
def test_a_training_against_the_plain_loop(benchmark: Any, student: str) -> None:
    import torch

    torch.set_num_threads(1)
    benchmark.pedantic(students.our_epoch(students.work(student, ipc=10), "fast", epochs=1), rounds=1)
    figures = students.measure(ROUNDS, [student])[student]
    benchmark.extra_info |= figures
    found = reached(figures)
    assert all(ratio >= least for ratio, least in zip(found, LEAST[student], strict=True)), found
