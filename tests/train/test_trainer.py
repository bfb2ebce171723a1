"""The trainer against a loop written by hand, and what it promises: seeds decide everything, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddbench import ComponentError, Context
from ddbench.protocol.protocol import Protocol
from ddbench.train.evaluate import class_accuracies, predict
from ddbench.train.images import ResidentImages
from ddbench.train.trainer import train
from tests.contexts import context
from tests.train.trainings import Watching, convnet, everything, linear, protocol, random_images, still


def weights(
    build: Callable[[], nn.Module], seed: int, *, how: Protocol | None = None, numerics: str = "reference"
) -> Tensor:
    trained = train(build, random_images(10), how or everything(), 3, context(numerics, seed=seed))
    return torch.cat([p.detach().flatten() for p in trained.model.parameters()])


def test_training_is_sgd_with_momentum_decay_and_steps_written_by_hand() -> None:
    """All images in one batch, nothing augmented: every weight follows the textbook's recurrence."""
    data, epochs = random_images(6), 6
    losses: list[float] = []
    slow = protocol(batch_size=6, optimizer={"lr": 0.002, "momentum": 0.9, "weight_decay": 0.05})
    trained = train(linear, data, slow, epochs, Context(seed=3))

    start = train(linear, data, protocol(batch_size=6, optimizer=still()), 1, Context(seed=3)).model
    weight, bias = (p.detach().double().clone().requires_grad_() for p in start.parameters())
    x = ((data.pixels.double() / 255 - 0.5) / 0.25).flatten(1)
    speed = [torch.zeros_like(weight), torch.zeros_like(bias)]
    for lr in (2e-3, 2e-3, 2e-3, 2e-3, 4e-4, 8e-5):  # Six epochs: less after the fourth and after the fifth.
        loss = F.cross_entropy(x @ weight.T + bias, data.labels)
        losses.append(float(loss.detach()))
        for i, (p, grad) in enumerate(zip((weight, bias), torch.autograd.grad(loss, (weight, bias)), strict=True)):
            speed[i] = 0.9 * speed[i] + grad + 0.05 * p.detach()
            p.data -= lr * speed[i]
    found = [p.detach().double() for p in trained.model.parameters()]
    torch.testing.assert_close(found, [weight.detach(), bias.detach()], rtol=1e-4, atol=1e-6)
    assert trained.loss == pytest.approx(losses[-1], rel=1e-4)
    assert (trained.epochs, trained.steps) == (6, 6)


def test_a_restart_loses_the_momentum() -> None:
    """Ten epochs, a tenth of the rate after the fifth: as two optimisers of torch's, the second without a past."""
    data, epochs = random_images(6), 10
    settings = {"lr": 0.002, "momentum": 0.9, "weight_decay": 0.05}

    def trained(**schedule: Any) -> list[Tensor]:
        how = protocol(batch_size=6, optimizer=settings, schedule={"milestones": ["1/2"], "gamma": 0.1, **schedule})
        return list(train(linear, data, how, epochs, Context(seed=3)).model.parameters())

    start = train(linear, data, protocol(batch_size=6, optimizer=still()), 1, Context(seed=3)).model
    x = (data.pixels / 255 - 0.5) / 0.25
    for lr in (2e-3, 2e-4):
        optimizer = torch.optim.SGD(start.parameters(), lr, momentum=0.9, weight_decay=0.05)
        for _ in range(5):
            optimizer.zero_grad()
            F.cross_entropy(start(x), data.labels).backward()
            optimizer.step()
    torch.testing.assert_close(trained(restart=True), list(start.parameters()), rtol=1e-4, atol=1e-6)
    kept, lost = (torch.cat([p.detach().flatten() for p in found]) for found in (trained(), trained(restart=True)))
    assert float((kept - lost).abs().max()) > 1e-4


def test_the_rate_of_every_epoch_is_the_protocols() -> None:
    """Momentum-free steps on a loss whose gradient is always 2: a weight falls by twice the rate."""

    class Falling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            # Class 1 is right and as good as never said: cross-entropy is the difference of the two.
            return torch.stack([1e3 + self.weight, -self.weight], dim=1).expand(len(x), 2)

    data = ResidentImages.put(
        torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        torch.tensor([1]),
        size=8,
        mean=(0,) * 3,
        std=(1,) * 3,
        device="cpu",
    )
    for schedule in ({"name": "cosine", "stretch": 2}, {"milestones": ["1/3", "2/3"], "gamma": 0.5}):
        plain = {"lr": 0.125, "momentum": 0.0, "weight_decay": 0.0}
        how = protocol(optimizer=plain, schedule=schedule)
        weights = [0.0]
        train(
            Falling, data, how, 9, Context(), lambda _, model, seen=weights: seen.append(float(model.weight.detach()))
        )
        steps = [(a - b) / 2 for a, b in pairwise(weights)]
        assert steps == pytest.approx([how.learning_rate(epoch, 9) for epoch in range(1, 10)], rel=1e-6)
        assert steps[0] == pytest.approx(0.125)
        assert steps[-1] < 0.08


def test_every_epoch_visits_each_image_once_in_a_new_order_and_keeps_the_partial_batch() -> None:
    data = random_images(10)
    trained = train(Watching, data, protocol(), 3, Context(seed=1))
    batches = cast("Watching", trained.model).batches
    assert [len(batch) for batch in batches] == [4, 4, 2] * 3
    assert trained.steps == 9
    originals = ((data.pixels.float() / 255 - 0.5) / 0.25).flatten(1)
    orders = []
    for epoch in range(3):
        seen = torch.cat(batches[3 * epoch : 3 * epoch + 3]).flatten(1)
        orders.append(torch.cdist(seen, originals).argmin(dim=1).tolist())
        assert sorted(orders[-1]) == list(range(10))
    assert len({tuple(order) for order in orders}) == 3


def test_an_epoch_depends_on_its_number_and_not_on_how_many_there_are() -> None:
    short, long = (train(Watching, random_images(10), everything(), epochs, Context(seed=1)) for epochs in (2, 4))
    short_batches, long_batches = (cast("Watching", t.model).batches for t in (short, long))
    assert all(torch.equal(a, b) for a, b in zip(short_batches, long_batches[: len(short_batches)], strict=True))


@pytest.mark.parametrize("numerics", ["reference", "fast"])
@pytest.mark.parametrize("build", [linear, convnet])
def test_the_seed_decides_every_bit(build: Callable[[], nn.Module], numerics: str) -> None:
    once = weights(build, 0, numerics=numerics)
    torch.rand(17)
    assert torch.equal(weights(build, 0, numerics=numerics), once)
    assert not torch.equal(weights(build, 1, numerics=numerics), once)


def test_the_seed_decides_initial_weights_and_order_each() -> None:
    unmoved = protocol(optimizer=still())
    assert not torch.equal(weights(linear, 0, how=unmoved), weights(linear, 1, how=unmoved))
    batches = [
        cast("Watching", train(Watching, random_images(10), protocol(), 1, Context(seed=seed)).model).batches
        for seed in (0, 1)
    ]
    assert not torch.equal(batches[0][0], batches[1][0])


def test_dropout_too_is_decided_by_the_seed() -> None:
    def dropping() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(3 * 8 * 8, 3))

    once = weights(dropping, 0)
    torch.rand(3)
    assert torch.equal(weights(dropping, 0), once)


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    weights(convnet, 0)
    assert torch.equal(torch.rand(3), expected)


def test_fast_is_near_the_reference_and_not_it() -> None:
    reference, fast = weights(convnet, 0), weights(convnet, 0, numerics="fast")
    assert fast.dtype == torch.float32
    assert not torch.equal(reference, fast)
    assert float((reference - fast).norm() / reference.norm()) < 0.1


def test_a_loss_that_is_no_number_names_its_epoch() -> None:
    class Breaking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.calls = linear(), 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            logits: Tensor = self.linear(x) * (float("nan") if self.calls > 4 else 1)
            return logits

    with pytest.raises(ComponentError, match=r"loss is nan in epoch 2 of 3 under protocol 'plain@1'"):
        train(Breaking, random_images(10), protocol(), 3, Context())


def test_onlookers_are_called_after_every_epoch_and_may_evaluate() -> None:
    seen: list[tuple[int, bool]] = []

    def look(epoch: int, model: nn.Module) -> None:
        seen.append((epoch, model.training))
        predict(model, random_images(4), Context())

    done: list[tuple[int, int]] = []
    ctx = Context(progress=lambda step, total: done.append((step, total)))
    watched = train(linear, random_images(10), everything(), 3, ctx, look)
    assert seen == [(1, True), (2, True), (3, True)]
    assert done == [(1, 3), (2, 3), (3, 3)]
    unwatched = train(linear, random_images(10), everything(), 3, Context())
    assert all(torch.equal(a, b) for a, b in zip(watched.model.parameters(), unwatched.model.parameters(), strict=True))


def test_predictions_are_the_largest_logits_in_evaluation_mode() -> None:
    data = random_images(70)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(3 * 8 * 8, 3))
    expected = model.eval()((data.pixels.float() / 255 - 0.5) / 0.25).argmax(dim=1)
    assert torch.equal(predict(model.train(), data, Context()), expected)


def test_class_accuracies_worked_by_hand() -> None:
    predicted = torch.tensor([0, 1, 1, 2, 0, 3])
    labels = torch.tensor([0, 0, 1, 2, 2, 2])
    assert class_accuracies(predicted, labels, 4) == [50.0, 100.0, pytest.approx(100 / 3), None]
