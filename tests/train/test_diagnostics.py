"""Errors in a training are reported with their place, and unrelated errors are not changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ddbench import ComponentError
from ddbench.registry import catalogue
from ddbench.train.images import ResidentImages
from ddbench.train.trainer import train
from tests.contexts import context

DATA = ResidentImages(
    torch.zeros(6, 3, 32, 32, dtype=torch.uint8), torch.arange(6) % 3, mean=torch.zeros(3), std=torch.ones(3)
)


def attempt(build: Callable[[], nn.Module], numerics: str = "reference") -> None:
    train(build, DATA, catalogue().protocol("smoke@1"), 6, context(numerics))


class Failing(nn.Module):
    """Fails with an error in its third step."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.linear, self.error, self.steps = nn.Linear(3 * 32 * 32, 3), error, 0

    def forward(self, images: Tensor) -> Tensor:
        self.steps += self.training
        if self.steps == 3:
            raise self.error
        out: Tensor = self.linear(images.flatten(1))
        return out


def test_a_student_that_ignores_its_input_size_is_told_before_it_is_trained() -> None:
    with pytest.raises(
        ComponentError,
        match=r"fails on images of 32 px, the size it was built for: .*cannot be multiplied .*image_size",
    ):
        attempt(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 28 * 28, 3)))


@pytest.mark.parametrize(("images", "batch"), [(6, 5), (1, 64), (3, 1)])
def test_a_student_that_cannot_train_on_the_last_image_alone_is_told_before_it_is_trained(
    images: int, batch: int
) -> None:
    """A batch norm of a single pixel cannot: torch refuses it in training mode."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 3), nn.BatchNorm1d(3))
    rules = catalogue().protocol("smoke@1").model_copy(update={"batch_size": batch})
    data = replace(DATA, pixels=DATA.pixels[:images], labels=DATA.labels[:images])
    with pytest.raises(
        ComponentError, match=rf"last batch of {images} images .* more than 1 value .* of {batch}: change"
    ):
        train(lambda: network, data, rules, 6, context("reference"))
    train(lambda: nn.Sequential(network[0], network[1]), data, rules, 1, context("reference"))
    with_pairs = rules.model_copy(update={"batch_size": 2})
    train(lambda: network, DATA, with_pairs, 1, context("reference"))


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)), r"\(2, 2\)"),
        (nn.Conv2d(3, 3, 1), r"\(2, 3, 32, 32\)"),
        (nn.Sequential(nn.Flatten(0), nn.Linear(2 * 3 * 32 * 32, 3)), r"\(3,\)"),
    ],
)
def test_a_student_without_logits_for_every_class_is_told(network: nn.Module, shape: str) -> None:
    with pytest.raises(ComponentError, match=rf"logits of shape {shape} for 2 images and 3 classes; .*num_classes"):
        attempt(lambda: network)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried 8 TB"),
    ],
)
def test_where_memory_ran_out(error: Exception) -> None:
    expected = (
        "out of memory in epoch 3 of 6, on batches of 6 images of 32 px; protocol 'smoke@1' fixes both: run fewer"
    )
    with pytest.raises(ComponentError, match=expected):
        attempt(lambda: Failing(error))


def test_other_errors_are_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="something else"):
        attempt(lambda: Failing(RuntimeError("something else")))


def test_a_loss_that_is_no_number_is_told_with_its_epoch() -> None:
    class Exploding(Failing):
        def forward(self, images: Tensor) -> Tensor:
            self.steps += self.training
            out: Tensor = self.linear(images.flatten(1))
            return out * (float("inf") if self.steps == 2 else 1)

    with pytest.raises(
        ComponentError, match=r"the training loss is (nan|inf) in epoch 2 of 6 under protocol 'smoke@1'"
    ):
        attempt(lambda: Exploding(RuntimeError()))


def test_a_student_that_takes_one_order_of_memory_only_is_told_what_to_do() -> None:
    """`view` on what a convolution gives works as long as channels come first in memory."""

    class Viewing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4 * 32 * 32, 3)

        def forward(self, images: Tensor) -> Tensor:
            out: Tensor = self.linear(self.conv(images).view(len(images), -1))
            return out

    attempt(Viewing)
    with pytest.raises(ComponentError, match=r"not with 'numerics: fast': view size .*; use 'numerics: reference', or"):
        attempt(Viewing, "fast")


def test_looking_at_the_network_changes_nothing() -> None:
    """BatchNorm's statistics and a student's own draws are those of a training that was not looked at."""
    seen: list[float] = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.linear = nn.BatchNorm2d(3), nn.Linear(3 * 32 * 32, 3)

        def forward(self, images: Tensor) -> Tensor:
            if self.training and not seen:
                assert self.norm.num_batches_tracked == 0
                seen.append(float(self.norm.running_var.sum()))  # type: ignore[union-attr]
            out: Tensor = self.linear(self.norm(images).flatten(1))
            return out

    attempt(Watching)
    assert seen == [3.0]
