"""Each published recipe, written out from its source and computed by hand."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest

import ddbench
from ddbench import Student
from ddbench.protocol.protocol import Protocol
from ddbench.registry import catalogue

COLORS = {"brightness": 1.0, "saturation": 2.0, "contrast": 0.5}
STRONG = {
    "crop": {"scale": [0.5, 1.0], "ratio": ["3/4", "4/3"]},
    "flip": 0.5,
    "color_jitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4},
    "lighting": 0.1,
    "cutmix": {"probability": 1.0, "alpha": 1.0},
}


def protocol(name: str) -> Protocol:
    return catalogue().protocol(name)


def plain(name: str) -> dict[str, Any]:
    return protocol(name).model_dump(mode="json")


# Classes, IPC, and what follows: batch size, epochs, how often and first and last when it is measured.
@pytest.mark.parametrize(
    ("name", "classes", "ipc", "batch", "epochs", "evaluations", "first", "last"),
    [
        ("psr-kd@1", 10, 1, 64, 3000, 100, 30, 3000),
        ("psr-kd@1", 10, 20, 64, 1500, 100, 15, 1500),
        ("psr-kd@1", 100, 10, 64, 1300, 100, 13, 1300),
        ("psr-kd@1", 1000, 10, 128, 2000, 100, 20, 2000),
        ("hokkaido-hard@1", 10, 10, 64, 2000, 100, 20, 2000),
        ("hokkaido-hard@1", 10, 50, 64, 1500, 100, 15, 1500),
        ("igd-hard@1", 10, 100, 64, 1000, 100, 10, 1000),
        ("igd-hard@1", 1000, 50, 64, 1500, 100, 15, 1500),
        ("rded-kd@1", 10, 1, 10, 300, 6, 250, 300),
        ("rded-kd@1", 10, 10, 50, 300, 6, 250, 300),
        ("rded-kd@1", 10, 20, 100, 300, 6, 250, 300),
        ("rded-kd@1", 10, 50, 100, 300, 6, 250, 300),
        ("rded-kd@1", 100, 1, 20, 300, 6, 250, 300),
        ("rded-kd@1", 100, 10, 100, 300, 6, 250, 300),
        ("rded-kd@1", 1000, 50, 200, 300, 6, 250, 300),
        ("rded-kd@1", 200, 1, 100, 300, 6, 250, 300),
        ("rded-kd@1", 200, 50, 100, 300, 6, 250, 300),
        ("dc-cifar@1", 10, 1, 256, 1001, 1, 1001, 1001),
        ("dc-cifar@1", 100, 50, 256, 1001, 1, 1001, 1001),
        ("dc-plain-cifar@1", 10, 1, 256, 301, 1, 301, 301),
        ("dc-plain-cifar@1", 10, 50, 256, 301, 1, 301, 301),
        ("idc-cifar@1", 10, 10, 64, 1000, 4, 250, 1000),
        ("idc-cifar@2", 10, 10, 64, 1000, 4, 250, 1000),
        ("minimax-cifar@1", 10, 1, 64, 3000, 100, 30, 3000),
        ("minimax-cifar@1", 10, 10, 64, 2000, 100, 20, 2000),
        ("minimax-cifar@1", 100, 10, 64, 1300, 100, 13, 1300),
        ("ims3-hard@1", 10, 10, 64, 2000, 100, 20, 2000),
        ("kd-cifar@1", 10, 10, 64, 2000, 100, 20, 2000),
        ("rded-kd@2", 10, 10, 50, 300, 6, 250, 300),
        ("rded-kd-cifar@1", 10, 1, 10, 300, 6, 250, 300),
        ("rded-kd-cifar@1", 100, 10, 100, 300, 6, 250, 300),
        ("rded-kd-cifar@1", 200, 50, 100, 300, 6, 250, 300),
        ("full-cifar@1", 10, 5000, 256, 50, 10, 5, 50),
    ],
)
def test_how_long_and_how_often(
    name: str, classes: int, ipc: int, batch: int, epochs: int, evaluations: int, first: int, last: int
) -> None:
    rules = protocol(name).for_classes(classes, ipc)
    assert rules.batch_size == batch
    assert rules.epochs(ipc, classes) == epochs
    measured = rules.evaluation_epochs(epochs)
    assert (len(measured), measured[0], measured[-1]) == (evaluations, first, last)


# Protocol, epochs, and the learning rate in some epochs: before, at and after each change.
@pytest.mark.parametrize(
    ("name", "epochs", "rates"),
    [
        ("minimax-hard@1", 2000, {1: 0.01, 1333: 0.01, 1334: 0.002, 1666: 0.002, 1667: 0.0004, 2000: 0.0004}),
        ("psr-kd@1", 1500, {1: 0.01, 1000: 0.01, 1001: 0.002, 1250: 0.002, 1251: 0.0004}),
        ("hokkaido-hard@1", 3000, {2000: 0.01, 2001: 0.002, 2500: 0.002, 2501: 0.0004}),
        ("ims3-hard@1", 2000, {1: 0.1, 1333: 0.1, 1334: 0.02, 1667: 0.004}),
        ("full-cifar@1", 50, {1: 0.05, 26: 0.025, 50: 0.05 * (1 - math.cos(math.pi / 50)) / 2}),
        ("igd-hard@1", 2000, {1: 1e-3, 1333: 1e-3, 1334: 2e-4, 1667: 4e-5, 2000: 4e-5}),
        ("dc-cifar@1", 1001, {1: 0.01, 502: 0.01, 503: 0.001, 1001: 0.001}),
        ("dc-plain-cifar@1", 301, {1: 0.01, 152: 0.01, 153: 0.001, 301: 0.001}),
        ("idc-cifar@1", 1000, {666: 0.01, 667: 0.002, 833: 0.002, 834: 0.0004}),
        ("minimax-cifar@1", 2000, {1: 0.01, 1333: 0.01, 1334: 0.002, 1666: 0.002, 1667: 0.0004, 2000: 0.0004}),
        # The first half of a cosine wave: at its half the angle is a quarter of pi, at its end as good as half of it.
        (
            "rded-kd@1",
            300,
            {
                1: 1e-3,
                151: 1e-3 * (2 + math.sqrt(2)) / 4,
                101: 1e-3 * (2 + math.sqrt(3)) / 4,
                300: 1e-3 * (1 + math.sin(math.pi / 600)) / 2,
            },
        ),
    ],
)
def test_the_learning_rate(name: str, epochs: int, rates: dict[int, float]) -> None:
    found = {epoch: protocol(name).learning_rate(epoch, epochs) for epoch in rates}
    assert found == pytest.approx(rates, rel=1e-12)


@pytest.mark.parametrize(("soft", "hard"), [("psr-kd@1", "minimax-hard@1"), ("dc-kd-cifar@1", "dc-cifar@1")])
def test_soft_labels_are_all_that_differs(soft: str, hard: str) -> None:
    """Equation 11 of Pool-Select-Refine: τ² · KL of cached labels at τ = 1.5."""
    own, other = plain(soft), plain(hard)
    assert own.pop("distillation") == {"labels": "cached", "temperature": 1.5, "scaled": True}
    assert {**own, "id": ""} == {**other, "id": ""}


def test_only_dc_begins_anew() -> None:
    names = [name for name, known in catalogue().protocols().items() if known.restarts(1001)]
    assert names == ["dc-cifar@1", "dc-kd-cifar@1", "dc-plain-cifar@1"]
    assert protocol("dc-cifar@1").restarts(1001) == {502}
    assert protocol("dc-plain-cifar@1").restarts(301) == {152}


@pytest.mark.parametrize(("name", "nominal"), [("dc-cifar@1", 1000), ("dc-plain-cifar@1", 300)])
def test_dcs_loop_counts_from_zero_to_its_nominal_epochs_and_restarts_after_half_of_them_and_one(
    name: str, nominal: int
) -> None:
    """The loop of its evaluation, written out: which pass is the last, and after which the optimiser is made anew."""
    passes, anew = 0, []
    for counted in range(nominal + 1):
        passes += 1
        if counted == nominal // 2 + 1:
            anew.append(passes)
    assert protocol(name).epochs(10, 10) == passes
    assert sorted(protocol(name).restarts(passes)) == anew


def test_rded_is_measured_every_tenth_epoch_of_the_last_fifth() -> None:
    assert protocol("rded-kd@1").evaluation_epochs(300) == (250, 260, 270, 280, 290, 300)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("psr-kd@1", {32: 32, 224: 224, 256: 224}),
        ("hokkaido-hard@1", {64: 64, 256: 256, 512: 256}),
        ("igd-hard@1", {224: 224, 256: 224}),
        ("rded-kd@1", {32: 32, 64: 64, 224: 224, 256: 224}),
        ("dc-cifar@1", {32: 32, 64: 64, 256: 64}),
        ("dc-plain-cifar@1", {32: 32, 64: 32}),
        ("idc-cifar@1", {32: 32, 256: 32}),
        ("minimax-cifar@1", {32: 32, 256: 32}),
        ("kd-cifar@1", {32: 32, 64: 64, 256: 64}),
        ("rded-kd-cifar@1", {32: 32, 64: 64, 256: 64}),
    ],
)
def test_input_sizes(name: str, sizes: dict[int, int]) -> None:
    for student in (None, "resnet18", "convnet3"):
        assert {size: protocol(name).input_size(size, student) for size in sizes} == sizes


def test_rdeds_deep_convnets_see_128_px_and_its_validation_images_are_cut_from_larger_ones() -> None:
    rded = protocol("rded-kd@1")
    for student in ("convnet5", "convnet6"):
        assert [rded.input_size(size, student) for size in (64, 128, 256)] == [64, 128, 128]
    # Whole sevenths of the size times eight.
    assert [rded.validation_side(size) for size in (224, 128, 64, 32, 5)] == [256, 144, 72, 32, 5]
    assert [protocol("psr-kd@1").validation_side(size) for size in (224, 64, 31)] == [224, 64, 31]


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("psr-kd@1", {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}),
        ("hokkaido-hard@1", {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}),
        ("dc-cifar@1", {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}),
        ("dc-plain-cifar@1", {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}),
        ("idc-cifar@1", {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}),
        ("minimax-cifar@1", {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}),
        ("igd-hard@1", {"name": "adamw", "lr": 1e-3, "betas": [0.9, 0.999], "weight_decay": 0.01, "decay": "all"}),
        ("rded-kd@1", {"name": "adamw", "lr": 1e-3, "betas": [0.9, 0.999], "weight_decay": 0.01, "decay": "weights"}),
    ],
)
def test_optimisers(name: str, optimizer: dict[str, Any]) -> None:
    assert plain(name)["optimizer"] == optimizer


@pytest.mark.parametrize(
    ("name", "augmentation"),
    [
        ("psr-kd@1", STRONG),
        ("hokkaido-hard@1", STRONG),
        ("igd-hard@1", STRONG),
        ("dc-plain-cifar@1", {}),
        ("minimax-cifar@1", {"cutmix": {"probability": 0.5, "alpha": 1.0}}),
        ("ims3-hard@1", {"rand_augment": {"operations": 1, "magnitude": 6}, **STRONG}),
        ("rded-kd-cifar@1", {"flip": 0.5, "cutmix": {"probability": 1.0, "alpha": 1.0}}),
        ("full-cifar@1", {"siamese": {"always": {"flip": 0.5, "crop": 0.125}}}),
        ("rded-kd@1", {"patch_shuffle": 2, **{part: STRONG[part] for part in ("crop", "flip", "cutmix")}}),
        (
            "dc-cifar@1",
            {
                "siamese": {
                    "one_of": {
                        "flip": 0.5,
                        "color": COLORS,
                        "crop": 0.125,
                        "cutout": 0.5,
                        "scale": 1.2,
                        "rotate": 15.0,
                    }
                }
            },
        ),
        (
            "idc-cifar@1",
            {
                "siamese": {
                    "always": {"flip": 0.5, "color": COLORS},
                    "one_of": {"crop": 0.125, "scale": 1.2, "rotate": 15.0},
                },
                "cutmix": {"probability": 0.5, "alpha": 1.0},
            },
        ),
    ],
)
def test_augmentations(name: str, augmentation: dict[str, Any]) -> None:
    assert plain(name)["augmentation"] == augmentation


def test_labels() -> None:
    assert {name: protocol(name).labels for name in ("minimax-hard@1", "psr-kd@1", "rded-kd@1")} == {
        "minimax-hard@1": "hard",
        "psr-kd@1": "cached",
        "rded-kd@1": "dynamic",
    }
    assert plain("psr-kd@1")["distillation"] == {"labels": "cached", "temperature": 1.5, "scaled": True}
    assert plain("rded-kd@1")["distillation"] == {
        "labels": "dynamic",
        "temperature": 20.0,
        "scaled": False,
        "teacher": "kd",
    }


def changed(name: str, than: str = "minimax-hard@1") -> set[str]:
    """Return the fields in which two protocols differ."""
    one, other = plain(name), plain(than)
    return {field for field in {*one, *other} if one.get(field) != other.get(field)} - {"id"}


def test_what_is_called_the_rest_is_that_of_minimax() -> None:
    assert changed("psr-kd@1") == {"distillation"}
    assert changed("hokkaido-hard@1") == {"max_input_size"}
    assert changed("igd-hard@1") == {"optimizer", "many_classes"}
    assert changed("minimax-cifar@1") == {"max_input_size", "augmentation"}
    assert changed("ims3-hard@1") == {"optimizer", "augmentation"}
    assert changed("kd-cifar@1", "minimax-cifar@1") == {"max_input_size", "distillation"}
    assert plain("kd-cifar@1")["distillation"] == plain("psr-kd@1")["distillation"]


def test_rdeds_second_pass_is_the_only_change_of_its_second_version() -> None:
    distillation = plain("rded-kd@1")["distillation"]
    assert changed("rded-kd@2", "rded-kd@1") == {"distillation"}
    assert plain("rded-kd@2")["distillation"] == {**distillation, "second_pass": True}
    assert changed("rded-kd-cifar@1", "rded-kd@2") == {
        *("max_input_size", "input_size_of", "batch_size_by_ipc", "augmentation")
    }


def test_students_of_published_protocols_can_be_built() -> None:
    """Each has the parameters that are named, and takes images of the size that the protocol gives it."""
    named = 0
    for known in catalogue().protocols().values():
        for made in known.students:
            student = cast("Student", ddbench.create("student", made.use, **made.params))
            student.check_size(made.input_size)
            assert known.input_size(made.input_size, made.use) == made.input_size
            named += 1
    assert named == 31


def test_the_second_protocol_of_idc_is_the_first_with_parts() -> None:
    first, second = plain("idc-cifar@1"), plain("idc-cifar@2")
    assert second == {**first, "id": "idc-cifar@2", "parts": 2}
