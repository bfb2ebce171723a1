"""Speed of training and measuring students: ddbench's trainer and the plain loop, on one CPU thread.

Both do the same work: 100 or 10 real images of ten classes under `minimax-hard@1`, and the same validation images.
Rounds alternate, so that what disturbs one side disturbs the other; a ratio is taken within a round.

    python -m tests.benchmarks.students --write     measure, and keep the figures in `students.json`
    python -m tests.benchmarks.students             the kept figures, as the table of the README
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from tabulate import tabulate

import ddbench
from ddbench import Dataset, LabeledImages, Student
from ddbench.registry import catalogue
from tests.contexts import context

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.data import Dataset as Loaded

    from ddbench.train.images import ResidentImages

FILE = Path(__file__).with_name("students.json")
PROTOCOL = "minimax-hard@1"
STUDENTS = {"convnet3": 32, "convnet6": 64, "resnetap10": 32, "resnet18": 32}
NUMERICS = ("reference", "fast")
# The validation images of ImageWoof; those that are measured stand for them.
VALIDATION_IMAGES = 3929
# An epoch of one image a class is short: several are measured as one.
EPOCHS = {1: 5, 10: 1}

# Each call does some work and says in how many CPU seconds; what it prepares before does not count.
Side: TypeAlias = Callable[[], float]
# For each side the seconds of every round.
Seconds: TypeAlias = dict[str, list[float]]


class Work(NamedTuple):
    """Training and validation images at the size that a student sees."""

    student: str
    size: int
    training: LabeledImages
    validation: LabeledImages

    def build(self) -> nn.Module:
        return cast("Student", ddbench.create("student", self.student)).build(10, self.size)


@cache
def images(split: str, size: int) -> LabeledImages:
    """tiny-cifar, enlarged where a student needs larger images."""
    from ddbench.train.images import resize

    data = getattr(dataset(), split)()
    return LabeledImages(images=resize(data.images, size), labels=data.labels, ids=data.ids)


def dataset() -> Dataset:
    return cast("Dataset", ddbench.create("dataset", "tiny-cifar"))


def work(student: str, ipc: int) -> Work:
    """Return the first ``ipc`` of the hundred training images of each class, and enough validation images."""
    size = STUDENTS[student]
    whole, validation = images("train", size), images("validation", size)
    chosen = [100 * label + i for label in range(10) for i in range(ipc)]
    training = LabeledImages(
        images=whole.images[chosen], labels=whole.labels[chosen], ids=tuple(whole.ids[i] for i in chosen)
    )
    return Work(student, size, training, validation)


def alternate(rounds: int, **sides: Side) -> Seconds:
    """Return the seconds of each side in rounds of alternating order, after one warm-up call."""
    seconds: Seconds = {name: [] for name in sides}
    for round_ in range(rounds + 1):
        for name in list(sides)[:: 1 if round_ % 2 else -1]:
            seconds[name].append(sides[name]())
    return {name: values[1:] for name, values in seconds.items()}


def plain_epoch(what: Work, epochs: int) -> Side:
    """Epochs of a training that is under way."""
    from tests.benchmarks import plain_loop

    model = what.build()
    optimizer = plain_loop.make_optimizer(model)
    batches = plain_loop.train_loader(pictures(what, what.training, plain_loop.train_transform))

    def measure() -> float:
        start = time.process_time()
        for _ in range(epochs):
            plain_loop.train_epoch(model, batches, optimizer)
        return (time.process_time() - start) / epochs

    return measure


def our_epoch(what: Work, numerics: str, epochs: int) -> Side:
    """Epochs after the first of a training: what building and getting under way costs is no epoch's."""
    from ddbench.train.trainer import train

    data, protocol, ctx = resident(what, what.training), catalogue().protocol(PROTOCOL), context(numerics)

    def measure() -> float:
        ends: list[float] = []
        train(what.build, data, protocol, 1 + epochs, ctx, lambda *_: ends.append(time.process_time()))
        return (ends[-1] - ends[0]) / epochs

    return measure


def plain_validation(what: Work) -> Side:
    from tests.benchmarks import plain_loop

    batches = plain_loop.validation_loader(pictures(what, what.validation, plain_loop.validation_transform))
    return partial(seconds_of, partial(plain_loop.validate, what.build(), batches))


def our_validation(what: Work, numerics: str) -> Side:
    from ddbench.train.diagnostics import prepared
    from ddbench.train.evaluate import predict
    from ddbench.train.numerics import Numerics

    ctx, data = context(numerics), resident(what, what.validation)
    return partial(seconds_of, partial(predict, prepared(what.build(), data, Numerics.of(ctx)), data, ctx))


def seconds_of(do: Callable[[], Any]) -> float:
    start = time.process_time()
    do()
    return time.process_time() - start


def pictures(what: Work, which: LabeledImages, transform: Callable[..., Any]) -> Loaded[tuple[Tensor, int]]:
    from torchvision.transforms.functional import to_pil_image

    from tests.benchmarks.plain_loop import Pictures

    decoded = [to_pil_image(image) for image in which.images]
    return Pictures(decoded, which.labels.tolist(), transform(what.size, dataset().mean, dataset().std))


def resident(what: Work, which: LabeledImages) -> ResidentImages:
    from ddbench.train.images import ResidentImages

    return ResidentImages.put(
        which.images, which.labels, size=what.size, mean=dataset().mean, std=dataset().std, device="cpu"
    )


def epoch_seconds(student: str, ipc: int, rounds: int) -> Seconds:
    what, epochs = work(student, ipc), EPOCHS[ipc]
    return alternate(rounds, plain=plain_epoch(what, epochs), **{n: our_epoch(what, n, epochs) for n in NUMERICS})


def validation_seconds(student: str, rounds: int) -> Seconds:
    """Of as many images as ImageWoof has, at the rate of those that are measured."""
    what = work(student, ipc=10)
    measured = alternate(rounds, plain=plain_validation(what), **{n: our_validation(what, n) for n in NUMERICS})
    scale = VALIDATION_IMAGES / len(what.validation.labels)
    return {name: [scale * value for value in values] for name, values in measured.items()}


def whole(epoch: Seconds, validation: Seconds, ipc: int) -> dict[str, Seconds]:
    """Whole trainings, composed: epochs of the protocol × an epoch + evaluations × an evaluation.

    The plain loop evaluates a hundred times; ddbench does that too at the cadence ``papers``, and once at ``last``.
    """
    protocol = catalogue().protocol(PROTOCOL)
    epochs = protocol.epochs(ipc, 10)

    def composed(side: str, evaluations: int) -> list[float]:
        return [epochs * e + evaluations * v for e, v in zip(epoch[side], validation[side], strict=True)]

    plain = composed("plain", protocol.evaluations)
    cadences = {"last": 1, "papers": protocol.evaluations}
    return {name: {"plain": plain, **{n: composed(n, times) for n in NUMERICS}} for name, times in cadences.items()}


def told(seconds: Seconds) -> dict[str, Any]:
    """Median seconds of each side; how many times as long the plain loop takes: median, least and most of rounds."""
    ratios = {n: [p / o for p, o in zip(seconds["plain"], seconds[n], strict=True)] for n in NUMERICS}
    return {
        "seconds": {name: round(statistics.median(values), 4) for name, values in seconds.items()},
        "ratio": {
            name: [round(f(values), 2) for f in (statistics.median, min, max)] for name, values in ratios.items()
        },
    }


def measure(rounds: int, students: Iterable[str] = STUDENTS) -> dict[str, Any]:
    """Everything there is to measure, as JSON."""
    figures: dict[str, Any] = {}
    for student in students:
        validation = validation_seconds(student, rounds)
        figures[student] = {"pixels": STUDENTS[student], "validation": told(validation)}
        for ipc in EPOCHS:
            epoch = epoch_seconds(student, ipc, rounds)
            wholes = {name: told(seconds) for name, seconds in whole(epoch, validation, ipc).items()}
            figures[student][f"ipc {ipc}"] = {"epoch": told(epoch), "whole": wholes}
        print(student, file=sys.stderr)
    return figures


def write(rounds: int) -> None:
    """Measure on one thread, in the environment that workers have."""
    from ddbench.run.executors.worker_process import WORKER_ENVIRONMENT
    from ddbench.toolkit.environment import environment
    from ddbench.train.numerics import Numerics

    if any(os.environ.get(name) != value for name, value in WORKER_ENVIRONMENT.items()):
        module = [sys.executable, "-m", "tests.benchmarks.students", "--write"]
        os.execve(sys.executable, module, {**os.environ, **WORKER_ENVIRONMENT})
    about = {
        "protocol": PROTOCOL,
        "rounds": rounds,
        "validation_images": VALIDATION_IMAGES,
        "fast": str(Numerics.of(context("fast"))),
        "environment": environment("cpu", 1),
    }
    FILE.write_text(json.dumps({**about, "students": measure(rounds)}, indent=1) + "\n")


def table(kept: dict[str, Any]) -> str:
    """Return the README's table of speeds relative to the plain loop."""

    def cell(figure: dict[str, Any]) -> str:
        median, least, most = figure["ratio"]["fast"]
        return f"{median:.1f} ({least:.1f}–{most:.1f})"

    rows = []
    for student, figures in kept["students"].items():
        for ipc in EPOCHS:
            part = figures[f"ipc {ipc}"]
            parts = [part["epoch"], part["whole"]["last"], part["whole"]["papers"]]
            rows.append([f"{student}, {figures['pixels']} px", ipc, *map(cell, parts)])
    headers = ["student", "IPC", "an epoch", "a whole training, `evaluate: last`", "`evaluate: papers`"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write(rounds=7)
    print(table(json.loads(FILE.read_text())))
