"""A training that was stopped and taken up again ends, bit for bit, as one that was not."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import ddbench
from ddbench import Context, DistilledSet, Evaluation, Evaluator, Student, component
from ddbench.protocol.protocol import Protocol
from ddbench.registry import catalogue
from ddbench.testing.specimens import Specimen
from ddbench.toolkit.checkpoint import Checkpoint
from ddbench.toolkit.kept_parts import KeptParts
from ddbench.train.evaluate import predict
from ddbench.train.images import ResidentImages
from ddbench.train.trainer import Trained, train
from tests.contexts import context

EPOCHS = 6


class KilledError(Exception):
    pass


def data() -> ResidentImages:
    split = Specimen().train()
    return ResidentImages.put(
        split.images[:12], split.labels[:12], size=32, mean=(0.5,) * 3, std=(0.25,) * 3, device="cpu"
    )


def protocol(name: str) -> Protocol:
    """Return a published recipe: SGD with mixing, AdamW with a cosine, a new optimiser halfway."""
    values = catalogue().protocol(name).model_dump(mode="json")
    values["batch_size"] = 8
    values.pop("distillation", None)
    if name == "dc-cifar@1":
        values["schedule"]["milestones"] = ["1/2"]
    return Protocol.model_validate(values)


def network(dropout: float = 0.0, classes: int = 3) -> nn.Module:
    """With BatchNorm's buffers, and with a layer that draws for itself."""
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(4 * 30 * 30, classes))


def trained(
    how: Protocol,
    file: Path | None,
    stop_in: int | None = None,
    dropout: float = 0.0,
    numerics: str = "reference",
    student: str | None = None,
) -> Trained:
    """Train for six epochs, or die in one of them; whatever is written is written after every epoch."""

    def after_epoch(epoch: int, model: nn.Module) -> None:
        if epoch == stop_in:
            raise KilledError

    checkpoint = Checkpoint(file, seconds=0) if file else None
    build = (lambda: cast("Student", ddbench.create("student", student)).build(3, 32)) if student else None
    ctx = context(numerics, seed=3)
    return train(
        build or (lambda: network(dropout)), data(), how, EPOCHS, ctx, after_epoch=after_epoch, checkpoint=checkpoint
    )


def assert_same(one: Trained, other: Trained) -> None:
    assert one.loss == other.loss
    weights = other.model.state_dict()
    assert all(value.equal(weights[name]) for name, value in one.model.state_dict().items())


@pytest.mark.parametrize("name", ["minimax-hard@1", "rded-kd@1", "dc-cifar@1"])
@pytest.mark.parametrize("stop_in", [2, 4, 6])
def test_a_stopped_training_ends_as_one_that_was_not(tmp_path: Path, name: str, stop_in: int) -> None:
    file = tmp_path / "kept.safetensors"
    with pytest.raises(KilledError):
        trained(protocol(name), file, stop_in)
    assert file.is_file()
    assert_same(trained(protocol(name), file), trained(protocol(name), None))


@pytest.mark.parametrize("name", ["minimax-hard@1", "rded-kd@1"])
def test_a_fast_one_too(tmp_path: Path, name: str) -> None:
    """There weights lie in memory in another order than in the file, and momenta must lie as they do."""
    file = tmp_path / "kept.safetensors"
    how = {"numerics": "fast", "student": "convnet3"}
    with pytest.raises(KilledError):
        trained(protocol(name), file, 3, **how)
    assert file.is_file()
    assert_same(trained(protocol(name), file, **how), trained(protocol(name), None, **how))


class Mortal(nn.Module):
    """A network that counts the batches it is trained on, and dies in one of them."""

    def __init__(self, inner: nn.Module, dies_at: int | None) -> None:
        super().__init__()
        self.inner, self.batches, self.dies_at = inner, 0, dies_at

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.batches += 1
            if self.batches == self.dies_at:
                raise KilledError
        return cast("Tensor", self.inner(images))


def batches_of_lives(how: Protocol, file: Path, deaths: list[int]) -> list[int]:
    """Train 12 images, and die in these batches of each life. Return the number of batches of each life."""
    lives: list[Mortal] = []

    def life(dies_at: int | None, kept: Path | None) -> Trained:
        def build() -> nn.Module:
            lives.append(Mortal(network(dropout=0.5), dies_at))
            return lives[-1]

        checkpoint = Checkpoint(kept, seconds=0)
        return train(build, data(), how, EPOCHS, context(seed=3), checkpoint=checkpoint)

    for dies_at in deaths:
        with pytest.raises(KilledError):
            life(dies_at, file)
    resumed = life(None, file)
    batches = [own.batches for own in lives]
    assert_same(resumed, life(None, None))
    return batches


@pytest.mark.parametrize("name", ["minimax-hard@1", "rded-kd@1", "dc-cifar@1"])
@pytest.mark.parametrize("deaths", [[1], [2], [3], [8], [11], [18], [2, 2, 2], [5, 1, 7]])
def test_a_training_that_dies_within_an_epoch_resumes_at_its_batch(
    tmp_path: Path, name: str, deaths: list[int]
) -> None:
    """Of 18 batches, only those in which it died are begun again. A student draws for itself in each."""
    how = protocol(name).model_copy(update={"batch_size": 5})
    batches = batches_of_lives(how, tmp_path / "kept.safetensors", deaths)
    assert batches[:-1] == deaths
    assert sum(batches) == 3 * EPOCHS + len(deaths)


def test_tied_weights_are_kept(tmp_path: Path) -> None:
    """The library safetensors refuses tensors that share memory."""
    file, model = tmp_path / "kept.safetensors", nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    Checkpoint(file, seconds=0).offer(3, 0.5, model, optimizer)
    before = model[0].weight.detach().clone()
    nn.init.zeros_(model[0].weight)
    assert Checkpoint(file, seconds=0).restore(model, optimizer) == (3, 0.5)
    assert model[0].weight.equal(before)


def test_what_a_student_draws_itself_does_not_depend_on_where_it_was_stopped(tmp_path: Path) -> None:
    file, how = tmp_path / "kept.safetensors", protocol("minimax-hard@1")
    with pytest.raises(KilledError):
        trained(how, file, stop_in=5, dropout=0.5)
    assert_same(trained(how, file, dropout=0.5), trained(how, None, dropout=0.5))


def test_it_can_be_stopped_again_and_again(tmp_path: Path) -> None:
    file, how = tmp_path / "kept.safetensors", protocol("rded-kd@1")
    for stop_in in (2, 3, 5):
        with pytest.raises(KilledError):
            trained(how, file, stop_in)
    assert_same(trained(how, file), trained(how, None))


def test_one_that_was_stopped_after_its_end_trains_no_more(tmp_path: Path) -> None:
    file, how = tmp_path / "kept.safetensors", protocol("dc-cifar@1")
    first = trained(how, file)
    again = train(network, data(), how, EPOCHS, Context(seed=3), _never, checkpoint=Checkpoint(file, seconds=0))
    assert_same(first, again)


def _never(epoch: int, model: nn.Module) -> None:
    raise AssertionError("there was nothing left to train")


@pytest.mark.parametrize("damage", ["truncated", "empty", "of another network", "of more classes", "foreign"])
def test_a_file_of_no_use_is_a_new_start(tmp_path: Path, damage: str) -> None:
    file, how = tmp_path / "kept.safetensors", protocol("minimax-hard@1")
    with pytest.raises(KilledError):
        trained(how, file, stop_in=4)
    if damage in ("of another network", "of more classes"):
        model = nn.Linear(2, 2) if damage == "of another network" else network(classes=5)
        Checkpoint(file, seconds=0).offer(4, 0.5, model, torch.optim.SGD(model.parameters(), 0.1))
    else:
        whole = file.read_bytes()
        file.write_bytes({"truncated": whole[: len(whole) // 2], "empty": b"", "foreign": b"x" * 5000}[damage])
    assert_same(trained(how, file), trained(how, None))


def test_writing_waits(tmp_path: Path) -> None:
    file, model = tmp_path / "kept.safetensors", network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    patient = Checkpoint(file, seconds=3600)
    patient.offer(1, 0.5, model, optimizer)
    assert not file.exists()
    assert math.isnan(patient.restore(model, optimizer)[1])


def test_nothing_but_tensors_and_json_is_written(tmp_path: Path) -> None:
    file = tmp_path / "kept.safetensors"
    trained(protocol("rded-kd@1"), file)
    names = set(load_file(file))
    assert {name.partition(".")[0] for name in names} == {"model", "optimizer"}
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


# the evaluator


@component("student", "interrupted", version=1)
class Interrupted(Student):
    """Dies when it is measured for the third time; once it is only looked at."""

    measured = 0

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        torch_model = nn.Sequential(nn.Flatten(), nn.Linear(channels * image_size**2, num_classes))

        def before(module: nn.Module, inputs: Any) -> None:
            if not module.training:
                Interrupted.measured += 1
                if Interrupted.measured == 1 + 3:
                    raise KilledError

        torch_model.register_forward_pre_hook(before)
        return torch_model


def evaluation(folder: Path | None) -> Evaluation:
    split = Specimen().train()
    evaluator = cast("Evaluator", ddbench.create("evaluator", "student", checkpoint_seconds=0))
    how = catalogue().protocol("smoke@1").model_copy(update={"evaluations": 6})
    unfinished = folder / "kept.safetensors" if folder else None
    ctx = context(evaluate="papers", seed=1, checkpoint_file=unfinished)
    few = DistilledSet(split.images[:6], split.labels[:6], split.ids[:6], ipc=2)
    return evaluator.evaluate(few, Specimen(), Interrupted(), how, None, ctx)


@pytest.mark.parametrize("dies_in", [1, 2, 5, 11])
def test_a_measurement_goes_on_after_its_last_batch(tmp_path: Path, dies_in: int) -> None:
    """Two measurements of 6 batches."""

    class Counted(nn.Linear):
        batches = 0

        def forward(self, features: Tensor) -> Tensor:
            Counted.batches += 1
            if Counted.batches == dies_in:
                raise KilledError
            return super().forward(features)

    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), Counted(3 * 32**2, 7))
    pixels = torch.randint(256, (180, 3, 32, 32), dtype=torch.uint8)
    many = replace(data(), pixels=pixels, labels=torch.zeros(180, dtype=torch.int64))
    ctx = Context(checkpoint_file=tmp_path / "kept.safetensors")

    def measure() -> list[Tensor]:
        kept = KeptParts(ctx, 0)
        return [predict(model, many, ctx, kept, f"epoch-{epoch}") for epoch in (1, 2)]

    with pytest.raises(KilledError):
        measure()
    one, other = measure()
    assert Counted.batches == 12 + 1
    assert one.equal(predict(model, many, ctx))
    assert other.equal(one)


def test_an_evaluation_goes_on_with_what_it_has_seen(tmp_path: Path) -> None:
    Interrupted.measured = 0
    with pytest.raises(KilledError):
        evaluation(tmp_path)
    resumed = evaluation(tmp_path)
    Interrupted.measured = 100
    whole = evaluation(None)
    assert (resumed.curve, resumed.last, resumed.best) == (whole.curve, whole.last, whole.best)
    assert [epoch for epoch, _ in resumed.curve] == [1, 2, 3, 4, 5, 6]
    assert resumed.details["class_accuracies"] == whole.details["class_accuracies"]
    assert resumed.details["train_loss"] == whole.details["train_loss"]
    assert (resumed.details["resumed_after"], whole.details["resumed_after"]) == ([2], [])
