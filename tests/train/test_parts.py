"""The parts of IDC's images, by hand and by torch's own crops, and what a training makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import torch
from torch.nn import functional as F

import ddbench
from ddbench import Context, DistilledSet, EvaluationSettings, Evaluator, Student
from ddbench.cost import Train
from ddbench.protocol.protocol import Protocol
from ddbench.testing import Specimen
from ddbench.testing.specimens import SpecimenStudent
from ddbench.train import cut
from tests.conftest import Cli
from tests.train.trainings import protocol


def test_parts_are_enlarged_by_hand() -> None:
    """Two pixels become four: at 1/4 of a step the outer ones keep their value, the inner ones mix 3 to 1."""
    image = torch.zeros(1, 3, 4, 4)
    image[0, :, :2, 2:] = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    top_right = cut(image, 2)[1]
    assert top_right.shape == (3, 4, 4)
    for channel in top_right:
        for row in channel:
            assert row.tolist() == [0.0, 0.25, 0.75, 1.0]
    assert cut(image, 2)[[0, 2, 3]].eq(0).all()


@pytest.mark.parametrize(("size", "parts"), [(8, 2), (7, 2), (9, 3), (8, 3), (32, 2)])
def test_parts_are_crops_that_torch_enlarges(size: int, parts: int) -> None:
    images = torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(0))
    side = -(-size // parts)
    grey = torch.full((3, 3, side * parts, side * parts), 0.5)
    grey[:, :, :size, :size] = images
    found = cut(images, parts)
    assert len(found) == parts**2 * 3
    for place in range(parts**2):
        top, left = side * (place // parts), side * (place % parts)
        crop = grey[:, :, top : top + side, left : left + side]
        expected = F.interpolate(crop, size=(size, size), mode="bilinear")
        torch.testing.assert_close(found[3 * place : 3 * place + 3], expected)


def test_the_parts_of_bytes_are_floats() -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert cut(images, 2).equal(cut(images.float() / 255, 2))


def rules(**changes: object) -> Protocol:
    return protocol(max_input_size=32, epochs_by_ipc={"beyond": 2}, **changes)


def test_a_training_on_parts_is_the_training_on_the_cut_set() -> None:
    data, how = Specimen(), Context(seed=0, evaluation=EvaluationSettings(numerics="reference"))
    train, evaluator = data.train(), cast("Evaluator", ddbench.create("evaluator", "student"))
    images, labels, ids = train.images[:6], train.labels[:6], train.ids[:6]

    def last(distilled: DistilledSet, used: Protocol) -> list[object]:
        found = evaluator.evaluate(distilled, data, SpecimenStudent(), used, None, how)
        return [found.last, found.details["train_loss"], found.details["steps"]]

    stored = DistilledSet(images, labels, ids, ipc=2)
    apart = DistilledSet(cut(images, 2), labels.repeat(4), tuple(f"{i}-{k}" for k in range(4) for i in ids), ipc=8)
    assert last(stored, rules(parts=2)) == last(apart, rules())
    assert last(stored, rules(parts=2))[2] == 2 * 6
    assert last(stored, rules()) != last(stored, rules(parts=2))


def test_parts_count_as_images_in_the_cost() -> None:
    evaluator, student = (ddbench.create(*name) for name in (("evaluator", "student"), ("student", "convnet3")))

    def flops(ipc: int, **changes: object) -> int:
        how = EvaluationSettings(numerics="reference")
        work = Train(Specimen(), ipc, cast("Student", student), rules(**changes), None, how, 18)
        cost = evaluator.cost(work)
        assert cost is not None
        assert cost.flops is not None
        return cost.flops

    assert flops(1, parts=2) == flops(4)
    assert flops(1, parts=3) == flops(9)


def test_without_parts_a_protocol_is_what_it_was() -> None:
    assert "parts" not in protocol().model_dump(mode="json")
    assert protocol().training_images(5) == 5


def test_cached_labels_of_parts_are_refused() -> None:
    cached = {"temperature": 2, "scaled": True, "labels": "cached"}
    with pytest.raises(ValueError, match="the parts of an image have no cached labels; leave out parts"):
        protocol(parts=2, distillation=cached)
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        protocol(parts=1)


def test_a_local_protocol_is_told_in_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine@1.yaml").write_text("summary: Mine.\nextends: psr-kd@1\nparts: 2\n")
    ended = cli("describe", "./mine@1.yaml")
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "error: mine@1.yaml:3:1: the field 'parts' is 2: the parts of an image have no cached"
    )
    assert ended.stderr.count("\n") == 1
