"""Training on soft labels: what the student comes to say, what the teacher is shown, and that the seed decides it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from ddbench import ComponentError, Context
from ddbench.protocol.protocol import Protocol
from ddbench.registry import catalogue
from ddbench.train.images import ResidentImages
from ddbench.train.trainer import mixed_loss, train
from tests.contexts import context
from tests.train.trainings import CUTMIX, Watching, convnet, everything, linear, protocol, random_images, still


def soft_images(count: int, seed: int = 0) -> ResidentImages:
    plain = random_images(count)
    soft = 3 * torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return replace(plain, soft=soft)


def cached(**changes: Any) -> Protocol:
    return protocol(distillation={"labels": "cached", "temperature": 1.5, "scaled": True}, **changes)


def dynamic(**changes: Any) -> Protocol:
    what = {"labels": "dynamic", "temperature": 20, "scaled": False, "teacher": "kd"}
    return protocol(distillation=what, **changes)


def test_a_student_of_cached_labels_comes_to_say_what_they_say() -> None:
    data = soft_images(6)
    slow = {"optimizer": {"lr": 0.005, "momentum": 0.9, "weight_decay": 0.0}}
    trained = train(linear, data, cached(schedule={"milestones": [], "gamma": 1}, **slow), 400, Context())
    said = trained.model((data.pixels / 255 - 0.5) / 0.25)
    assert data.soft is not None
    torch.testing.assert_close((said / 1.5).softmax(1), (data.soft / 1.5).softmax(1), rtol=0, atol=0.02)
    assert trained.loss < 1e-3


def test_cached_labels_stay_with_their_images_when_these_are_shuffled_and_mixed() -> None:
    """The loss of one batch by hand, from what the model was shown: an image counts by its share of the pixels."""
    data, how = soft_images(10), cached(batch_size=10, optimizer=still(), augmentation={"cutmix": CUTMIX})
    trained = train(Watching, data, how, 1, Context(seed=2))
    model = cast("Watching", trained.model)
    (batch,) = model.batches
    originals = (data.pixels / 255 - 0.5) / 0.25
    assert data.soft is not None
    same = torch.isclose(batch[:, None], originals[None], rtol=0, atol=1e-5).all(dim=2).flatten(2).float().mean(dim=2)
    shares = same / same.sum(dim=1, keepdim=True)
    said = (model.linear(batch).double() / 1.5).log_softmax(1)
    target = (data.soft.double() / 1.5).softmax(1)
    divergences = (target[None] * (target.log()[None] - said[:, None])).sum(2)
    expected = 1.5**2 * (shares * divergences).sum() / 10
    assert 0.05 < float(shares.max(dim=1).values.min()) < 0.95
    assert trained.loss == pytest.approx(float(expected.detach()), rel=1e-4)


def test_a_teacher_sees_exactly_what_the_student_sees_in_pixels() -> None:
    shown: list[Tensor] = []

    def teacher(x: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        shown.append(x.clone())
        return torch.zeros(len(x), 3)

    augmentation = catalogue().protocol("rded-kd@1").augmentation.model_dump(mode="json")
    how = dynamic(augmentation=augmentation)
    trained = train(Watching, random_images(10), how, 3, Context(seed=1), teacher=teacher)
    batches = cast("Watching", trained.model).batches
    assert [len(batch) for batch in shown] == [len(batch) for batch in batches] == [4, 4, 2] * 3
    for pixels, batch in zip(shown, batches, strict=True):
        torch.testing.assert_close(pixels, batch * 0.25 + 0.5)
        assert -1e-6 < float(pixels.min()) < float(pixels.max()) < 1 + 1e-6


def test_a_student_of_dynamic_labels_comes_to_say_what_its_teacher_says() -> None:
    weight = torch.randn(3, 3 * 8 * 8, generator=torch.Generator().manual_seed(0))

    def teacher(x: Tensor) -> Tensor:
        return (x - 0.5).flatten(1) @ weight.T

    how = dynamic(
        optimizer={"name": "adamw", "lr": 0.01, "betas": [0.9, 0.999], "weight_decay": 0.0, "decay": "weights"},
        schedule={"name": "cosine", "stretch": 1},
        augmentation={"flip": 0.5, "cutmix": CUTMIX},
    )
    trained = train(linear, random_images(30), how, 150, Context(), teacher=teacher)
    fresh = torch.rand(50, 3, 8, 8, generator=torch.Generator().manual_seed(9))
    ours, theirs = trained.model((fresh - 0.5) / 0.25), teacher(fresh)
    agree = (ours.argmax(1) == theirs.argmax(1)).float().mean()
    assert float(agree) > 0.8


def test_soft_labels_leave_order_augmentation_and_weights_as_they_are() -> None:
    what = everything().augmentation.model_dump(mode="json")
    hard = train(Watching, soft_images(10), protocol(augmentation=what), 2, Context(seed=1))
    soft = train(Watching, soft_images(10), cached(augmentation=what), 2, Context(seed=1))
    batches = [cast("Watching", t.model).batches for t in (hard, soft)]
    assert all(torch.equal(a, b) for a, b in zip(*batches, strict=True))


@pytest.mark.parametrize("name", ["psr-kd@1", "rded-kd@1", "igd-hard@1", "dc-cifar@1", "idc-cifar@1"])
def test_every_published_training_is_decided_by_its_seed(name: str) -> None:
    how = catalogue().protocol(name)

    def parameters(seed: int) -> Tensor:
        torch.rand(seed + 3)
        trained = train(convnet, soft_images(10), how, 3, Context(seed=seed), teacher=lambda x: x.mean(dim=(2, 3)))
        return torch.cat([p.detach().flatten() for p in trained.model.parameters()])

    once = parameters(0)
    assert once.isfinite().all()
    assert torch.equal(parameters(0), once)
    assert not torch.equal(parameters(1), once)


def test_missing_labels_are_said_before_anything_is_trained() -> None:
    def never() -> nn.Module:
        raise AssertionError("built")

    with pytest.raises(ComponentError, match="cached soft labels"):
        train(never, random_images(4), cached(), 1, Context())
    with pytest.raises(ComponentError, match="role 'kd'"):
        train(never, soft_images(4), dynamic(), 1, Context())


@pytest.mark.parametrize("numerics", ["reference", "fast"])
def test_a_second_pass_moves_the_running_means_twice_and_nothing_else(
    numerics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop written out: RDED's code passes each mixed batch through the student twice before it takes a step."""
    monkeypatch.setattr("ddbench.train.numerics._has_fast_bfloat16", lambda device: False)
    data, ctx = soft_images(10), context(numerics, seed=4)
    how = {"labels": "cached", "temperature": 1.5, "scaled": True}
    augmentation = {"flip": 0.5, "cutmix": CUTMIX}

    def trained(**also: Any) -> nn.Module:
        rules = protocol(distillation={**how, **also}, augmentation=augmentation)
        return train(batch_normed, data, rules, 2, ctx).model

    once, twice, shown = trained(), trained(second_pass=True), list[Tensor]()
    assert all(torch.equal(a, b) for a, b in zip(once.parameters(), twice.parameters(), strict=True))
    monkeypatch.setattr(
        "ddbench.train.trainer.mixed_loss",
        lambda model, batch, *rest: shown.append(batch.images.clone()) or mixed_loss(model, batch, *rest),
    )
    trained()
    mean = torch.zeros(3)
    for batch in shown:
        for _ in range(2):
            mean = 0.9 * mean + 0.1 * batch.mean(dim=(0, 2, 3))
    torch.testing.assert_close(twice.get_buffer("0.running_mean"), mean)
    assert not torch.allclose(once.get_buffer("0.running_mean"), mean, rtol=0.1)


def batch_normed() -> nn.Module:
    return nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 8 * 8, 3))


def test_a_second_pass_is_absent_from_the_json_of_older_protocols() -> None:
    assert "second_pass" not in dynamic().model_dump(mode="json")["distillation"]
