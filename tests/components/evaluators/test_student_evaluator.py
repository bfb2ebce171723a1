"""The evaluator: when it measures, what it reports, and that the protocol decides both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
import torch
from torch import Tensor, nn

import ddbench
from ddbench import (
    ComponentError,
    DistilledSet,
    Evaluation,
    EvaluationSettings,
    Evaluator,
    Scorer,
    SoftLabels,
    Student,
    component,
)
from ddbench.cost import Train
from ddbench.protocol.protocol import Protocol
from ddbench.registry import catalogue
from ddbench.testing import Specimen
from ddbench.testing.specimens import SpecimenTeacher
from ddbench.train.images import resize
from tests.contexts import context

DATA = Specimen()


@component("student", "tint", version=1)
class Tint(Student):
    """A linear layer on an image's mean colour; it remembers the sizes it was built for."""

    sizes: ClassVar[list[int]] = []

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        self.sizes.append(image_size)
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


def distilled(ipc: int, size: int = 32) -> DistilledSet:
    train = DATA.train()
    images: Tensor = train.images[: 3 * ipc]
    images = images.repeat_interleave(size // 32, dim=2).repeat_interleave(size // 32, dim=3)
    return DistilledSet(images, train.labels[: 3 * ipc], train.ids[: 3 * ipc], ipc=ipc)


def protocol(**changes: Any) -> Protocol:
    smoke = catalogue().protocol("smoke@1").model_dump(mode="json")
    epochs = {"epochs_by_ipc": {"up_to": {"2": 40}, "beyond": 7}, "evaluations": 4}
    fast = {"optimizer": {"lr": 0.5, "momentum": 0.9, "weight_decay": 0.0}}
    return Protocol.model_validate({**smoke, **epochs, **fast, **changes})


def evaluate(
    data: DistilledSet,
    how: Protocol,
    seed: int = 0,
    student: Student | None = None,
    teacher: Scorer | None = None,
    measured: str = "papers",
) -> Evaluation:
    evaluator = cast("Evaluator", ddbench.create("evaluator", "student"))
    return evaluator.evaluate(data, DATA, student or Tint(), how, teacher, context(seed=seed, evaluate=measured))


def test_accuracy_is_measured_on_the_validation_images_when_the_protocol_says() -> None:
    result = evaluate(distilled(2), protocol())
    assert [epoch for epoch, _ in result.curve] == [10, 20, 30, 40]
    assert result.evaluations == 4
    assert result.last == result.curve[-1][1]
    assert result.best == max(accuracy for _, accuracy in result.curve)
    # Tints are easily told apart by their means, and 18 images make steps of 1/18.
    assert result.last > 80
    assert (result.last * 18 / 100) == pytest.approx(round(result.last * 18 / 100))


@pytest.mark.parametrize("student", ["resnet18", "convnet3"])
def test_measuring_once_changes_nothing_but_how_often(student: str) -> None:
    """Also for BatchNorm, whose statistics measuring must not touch."""
    norm = {"norm": "batch"} if student == "resnet18" else {}
    one, often = (
        evaluate(
            distilled(2),
            protocol(epochs_by_ipc={"beyond": 4}, optimizer={"lr": 0.01, "momentum": 0.9, "weight_decay": 0.0}),
            student=cast("Student", ddbench.create("student", student, **norm)),
            measured=measured,
        )
        for measured in ("last", "papers")
    )
    assert one.curve == often.curve[-1:]
    assert (one.best, one.evaluations, often.evaluations) == (None, 1, 4)
    assert one.details["train_loss"] == often.details["train_loss"]
    assert one.details["class_accuracies"] == often.details["class_accuracies"]


def test_predictions_are_those_that_the_last_accuracy_counts() -> None:
    made = evaluate(distilled(2), protocol())
    labels = DATA.validation().labels.tolist()
    assert made.predictions is not None
    right = [own == label for own, label in zip(made.predictions, labels, strict=True)]
    assert made.last == 100 * sum(right) / len(labels)


def test_a_training_that_stopped_after_its_last_epoch_predicts_again(tmp_path: Path) -> None:
    evaluator = cast("Evaluator", ddbench.create("evaluator", "student", checkpoint_seconds=0.0))
    ctx = context(evaluate="papers", checkpoint_file=tmp_path / "kept.safetensors")
    whole, again = (evaluator.evaluate(distilled(2), DATA, Tint(), protocol(), None, ctx) for _ in range(2))
    assert again.details["resumed_after"] == [40]
    assert (again.predictions, again.curve) == (whole.predictions, whole.curve)


def test_details_say_what_was_trained() -> None:
    details = evaluate(distilled(2), protocol()).details
    assert (details["epochs"], details["steps"], details["batch_size"]) == (40, 40, 10)
    assert (details["labels"], details["input_size"], details["parameters"]) == ("hard", 32, 12)
    assert len(details["class_accuracies"]) == 3
    assert 0 < details["train_loss"] < 3
    assert set(details["seconds"]) == {"train", "measure"}
    assert min(details["seconds"].values()) > 0


def test_class_accuracies_average_to_the_last_accuracy() -> None:
    result = evaluate(distilled(1), protocol(optimizer={"lr": 0.01, "momentum": 0.0, "weight_decay": 0.0}))
    assert sum(result.details["class_accuracies"]) / 3 == pytest.approx(result.last)


def test_epochs_follow_the_images_per_class() -> None:
    assert evaluate(distilled(2), protocol()).details["epochs"] == 40
    result = evaluate(distilled(3), protocol())
    assert result.details["epochs"] == 7
    assert [epoch for epoch, _ in result.curve] == list(range(1, 8))


def test_many_classes_change_the_batch() -> None:
    rule = {"above": 2, "lr": 0.1, "weight_decay": 1e-4, "least_batch_size": 64}
    assert evaluate(distilled(4), protocol(many_classes=rule)).details["batch_size"] == 64


def test_few_images_per_class_have_batches_of_their_own() -> None:
    sizes = protocol(batch_size_by_ipc={"up_to": {"1": 2, "2": 5}, "doubled_for": [3]})
    found = [evaluate(distilled(ipc), sizes).details for ipc in (1, 2, 3)]
    assert [(d["batch_size"], d["steps"]) for d in found] == [(4, 40), (10, 40), (20, 7)]


def test_a_student_may_have_an_input_size_of_its_own() -> None:
    assert evaluate(distilled(2), protocol(input_size_of={"tint": 8})).details["input_size"] == 8
    assert evaluate(distilled(2), protocol(input_size_of={"hue": 8})).details["input_size"] == 32


def test_validation_images_are_cut_out_of_larger_ones_where_the_protocol_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int | None]] = []

    def note(pixels: Tensor, size: int, side: int | None = None) -> Tensor:
        asked.append((size, side))
        return resize(pixels, size, side)

    monkeypatch.setattr("ddbench.train.images.resize", note)
    # Three whole sevenths of 21 px are 24 px of eighths.
    evaluate(distilled(1), protocol(max_input_size=21, validation_resize="8/7"))
    assert asked == [(21, None), (21, 24)]


def test_evaluations_can_be_kept_for_the_end() -> None:
    late = evaluate(distilled(2), protocol(evaluations=2, evaluations_after="4/5"))
    assert [epoch for epoch, _ in late.curve] == [36, 40]


def soft(logits: Tensor) -> DistilledSet:
    return replace(distilled(2), soft=SoftLabels(logits, 1.5))


def test_a_student_learns_what_the_cached_labels_say_not_the_classes() -> None:
    how = protocol(distillation={"labels": "cached", "temperature": 1.5, "scaled": True})
    right = 6 * torch.eye(3)[distilled(2).labels]
    truthful = evaluate(soft(right), how)
    assert truthful.details["labels"] == "cached"
    assert truthful.last > 80
    # A teacher that takes every class for the next one.
    assert evaluate(soft(right.roll(1, dims=1)), how).last < 20
    # The same labels are of no use to a protocol with hard ones.
    assert evaluate(soft(right.roll(1, dims=1)), protocol()).curve == evaluate(distilled(2), protocol()).curve


def test_a_student_learns_what_its_teacher_says_of_each_batch() -> None:
    @component("scorer", "misled", version=1)
    class Misled(SpecimenTeacher):
        """It takes every class for the next one."""

        def class_logits(self, images: Tensor) -> Tensor:
            return super().class_logits(images).roll(1, dims=1)

    what = {"labels": "dynamic", "temperature": 1, "scaled": False, "teacher": "kd"}
    # Ten times the mean colour tells tints apart by no more than a few tenths, so that it takes longer to learn.
    how = protocol(distillation=what, epochs_by_ipc={"beyond": 150})
    honest = evaluate(distilled(2), how, teacher=SpecimenTeacher())
    assert honest.details["labels"] == "dynamic"
    assert honest.last > 80
    assert evaluate(distilled(2), how, teacher=Misled()).last < 20


def test_what_a_protocol_learns_from_must_be_there() -> None:
    cached = protocol(distillation={"labels": "cached", "temperature": 1.5, "scaled": True})
    with pytest.raises(ComponentError, match="cached soft labels"):
        evaluate(distilled(2), cached, teacher=SpecimenTeacher())
    what = {"labels": "dynamic", "temperature": 1.5, "scaled": True, "teacher": "kd"}
    with pytest.raises(ComponentError, match="bind a teaching scorer to the role 'kd'"):
        evaluate(soft(torch.zeros(6, 3)), protocol(distillation=what))


def test_input_size_is_capped_and_distilled_images_come_to_it() -> None:
    Tint.sizes.clear()
    assert evaluate(distilled(2), protocol(max_input_size=16)).details["input_size"] == 16
    assert evaluate(distilled(2, size=64), protocol(max_input_size=224)).details["input_size"] == 32
    assert Tint.sizes == [16, 32]


def test_one_seed_gives_one_result_and_another_another() -> None:
    def numbers(seed: int) -> tuple[Any, ...]:
        student = cast("Student", ddbench.create("student", "convnet3"))
        result = evaluate(distilled(1), protocol(epochs_by_ipc={"beyond": 2}), seed, student)
        return result.curve, result.details["train_loss"]

    assert numbers(0) == numbers(0)
    assert numbers(0) != numbers(1)


def test_the_trainers_source_is_part_of_the_evaluators() -> None:
    assert "ddbench.train" in catalogue().get("evaluator", "student").hashed_modules


def test_predicting_one_class_scores_that_classs_share() -> None:
    @component("student", "stubborn", version=1)
    class Stubborn(Student):
        """It always says green."""

        def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
            model = nn.Sequential(nn.Flatten(), nn.Linear(channels * image_size**2, num_classes))
            with torch.no_grad():
                cast("nn.Linear", model[1]).bias.copy_(torch.tensor([0.0, 1e6, 0.0]))
            return model

    result = evaluate(distilled(1), protocol(), student=Stubborn())
    assert result.last == pytest.approx(100 / 3)
    assert result.details["class_accuracies"] == [0.0, 100.0, 0.0]


def test_best_is_the_highest_and_last_the_last() -> None:
    @component("student", "forgetful", version=1)
    class Forgetful(Student):
        """It sees tints until it has been trained for 20 steps, then green everywhere."""

        def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
            return _Forgetful()

    result = evaluate(distilled(1), protocol(), student=Forgetful())
    assert result.curve == ((10, 100.0), (20, 100.0), (30, pytest.approx(100 / 3)), (40, pytest.approx(100 / 3)))
    assert (result.best, result.last) == (100.0, pytest.approx(100 / 3))


class _Forgetful(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.steps, self.scale = 0, nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        self.steps += self.training
        means = x.mean(dim=(2, 3)) if self.steps <= 20 else torch.tensor([[0.0, 1.0, 0.0]]).expand(len(x), 3)
        return means + 0 * self.scale


@pytest.mark.parametrize(("ipc", "epochs"), [(2, 40), (3, 7)])
def test_the_ipc_is_that_of_the_set_and_no_quotient(ipc: int, epochs: int) -> None:
    """Four images per class are in it; what the set says of itself counts."""
    judged = evaluate(replace(distilled(4), ipc=ipc), protocol(), measured="last")
    assert judged.details["epochs"] == epochs


def test_a_second_pass_costs_one_forward_pass_of_each_image_and_epoch() -> None:
    student = cast("Student", ddbench.create("student", "convnet3", norm="batch"))
    teacher = cast("Scorer", ddbench.create("scorer", "trained-teacher"))
    settings, network = EvaluationSettings(numerics="reference"), student.network_cost(3, 32)
    assert network is not None
    costs = []
    for name in ("rded-kd@1", "rded-kd@2"):
        work = Train(DATA, 2, student, catalogue().protocol(name), teacher, settings, 18)
        cost = cast("Evaluator", ddbench.create("evaluator", "student")).cost(work)
        assert cost is not None
        costs.append(cast("int", cost.flops))
    assert costs[1] - costs[0] == 6 * 300 * network.flops
