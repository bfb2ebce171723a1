"""CPU seconds, on one thread, in which students are trained and measured: the plain loop against ddbench's trainer.

Both do the same work: 100 or 10 real images of ten classes under `minimax-hard@1`, and the same validation images.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import pytest

import ddbench
from ddbench import Context, Dataset, LabeledImages, Student
from ddbench.registry import catalogue

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.data import Dataset as Loaded

    from ddbench.train.images import ResidentImages

PROTOCOL = "minimax-hard@1"
STUDENTS = [("convnet3", 32), ("convnet6", 64), ("resnetap10", 32), ("resnet18", 32)]
NUMERICS = ("reference", "fast")
# The validation images of ImageWoof; those that are measured stand for them.
VALIDATION_IMAGES = 3929
# An epoch of one image a class is short: several are measured as one.
EPOCHS = {1: 5, 10: 1}

# Each call does some work and says in how many CPU seconds; what it prepares before does not count.
Side: TypeAlias = Callable[[], float]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


class Work(NamedTuple):
    """Training and validation images at the size that a student sees."""

    student: str
    size: int
    ipc: int
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


def work(student: str, size: int, ipc: int) -> Work:
    """The first ``ipc`` of the hundred training images of each class; validation images enough for a measurement."""
    whole, validation = images("train", size), images("validation", size)
    chosen = [100 * label + i for label in range(10) for i in range(ipc)]
    training = LabeledImages(
        images=whole.images[chosen], labels=whole.labels[chosen], ids=tuple(whole.ids[i] for i in chosen)
    )
    return Work(student, size, ipc, training, validation)


def least(rounds: int, **sides: Side) -> dict[str, float]:
    """The least seconds of each side, in alternating rounds that go forth and back, after one call to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for round_ in range(rounds + 1):
        for name in list(sides)[:: 1 if round_ % 2 else -1]:
            seconds[name].append(sides[name]())
    return {name: min(values[1:]) for name, values in seconds.items()}


def plain_epoch(what: Work) -> Side:
    """Epochs of a training that is under way."""
    from tests.benchmarks import plain_loop

    model = what.build()
    optimizer = plain_loop.make_optimizer(model)
    batches = plain_loop.train_loader(pictures(what, what.training, plain_loop.train_transform))

    def measure() -> float:
        start = time.process_time()
        for _ in range(EPOCHS[what.ipc]):
            plain_loop.train_epoch(model, batches, optimizer)
        return (time.process_time() - start) / EPOCHS[what.ipc]

    return measure


def our_epoch(what: Work, numerics: str) -> Side:
    """Epochs after the first of a training: what building and getting under way costs is no epoch's."""
    from ddbench.train.trainer import train

    data, protocol, ctx = resident(what, what.training), catalogue().protocol(PROTOCOL), Context(numerics=numerics)

    def measure() -> float:
        ends: list[float] = []
        train(what.build, data, protocol, 1 + EPOCHS[what.ipc], ctx, lambda *_: ends.append(time.process_time()))
        return (ends[-1] - ends[0]) / EPOCHS[what.ipc]

    return measure


def plain_validation(what: Work) -> Side:
    from tests.benchmarks import plain_loop

    batches = plain_loop.validation_loader(pictures(what, what.validation, plain_loop.validation_transform))
    return partial(seconds_of, partial(plain_loop.validate, what.build(), batches))


def our_validation(what: Work, numerics: str) -> Side:
    from ddbench.train.evaluate import predict

    return partial(
        seconds_of, partial(predict, what.build(), resident(what, what.validation), Context(numerics=numerics))
    )


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


def epoch_seconds(what: Work) -> dict[str, float]:
    return least(3, plain=plain_epoch(what), **{n: our_epoch(what, n) for n in NUMERICS})


def validation_seconds(what: Work) -> dict[str, float]:
    """Of as many images as ImageWoof has, at the rate of those that are measured."""
    measured = least(2, plain=plain_validation(what), **{n: our_validation(what, n) for n in NUMERICS})
    return {name: value * VALIDATION_IMAGES / len(what.validation.labels) for name, value in measured.items()}


def keep(benchmark: Any, name: str, seconds: dict[str, float]) -> None:
    """Record seconds, and how many times as long the plain loop takes."""
    benchmark.extra_info |= {f"{name}, {side}, s": round(value, 4) for side, value in seconds.items()}
    for numerics in NUMERICS:
        benchmark.extra_info[f"{name}, plain / {numerics}"] = round(seconds["plain"] / seconds[numerics], 2)


@pytest.mark.parametrize(("student", "size"), STUDENTS)
def test_epoch_against_the_plain_loop(benchmark: Any, student: str, size: int) -> None:
    what = work(student, size, ipc=10)
    seconds = epoch_seconds(what)
    keep(benchmark, "epoch", seconds)
    benchmark.pedantic(our_epoch(what, "fast"), rounds=1)
    assert min(seconds.values()) > 0


@pytest.mark.parametrize(("student", "size"), STUDENTS)
def test_whole_training_against_the_plain_loop(benchmark: Any, student: str, size: int) -> None:
    """Composed: seconds = epochs of the protocol * seconds of an epoch + evaluations * seconds of an evaluation.

    The plain loop evaluates as often as the protocol says; ddbench does that too, or once, after the last epoch.
    """
    protocol = catalogue().protocol(PROTOCOL)
    validation = validation_seconds(work(student, size, ipc=10))
    keep(benchmark, "validation", validation)
    for ipc in EPOCHS:
        epoch, epochs = epoch_seconds(work(student, size, ipc)), protocol.epochs(ipc, 10)
        keep(benchmark, f"IPC {ipc}, epoch", epoch)
        plain = epochs * epoch["plain"] + protocol.evaluations * validation["plain"]
        for numerics in NUMERICS:
            for evaluations in (protocol.evaluations, 1):
                ours = epochs * epoch[numerics] + evaluations * validation[numerics]
                name = f"IPC {ipc}, whole, plain / {numerics} that evaluates {evaluations} x"
                benchmark.extra_info[name] = round(plain / ours, 2)
    benchmark.pedantic(our_validation(work(student, size, ipc=10), "fast"), rounds=1)
    assert min(validation.values()) > 0
