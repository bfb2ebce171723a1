"""The timm scorer's classes: their columns among its outputs, and classes that it does not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from timm_teachers import DATA, IMAGES, photographs, saved, scorer

from ddbench import ClassInfo, ComponentError, Context

pytestmark = pytest.mark.usefixtures("offline")
UNKNOWN = replace(DATA, classes=(*DATA.classes[:2], ClassInfo("wug"), ClassInfo("dax")))


def test_columns_are_places_in_imagenet_or_in_the_data_set(weights: Path, tmp_path: Path) -> None:
    of_imagenet = scorer(weights=weights)
    assert of_imagenet.class_fields(DATA, Context())["column"].tolist() == [576, 0, 999]
    assert of_imagenet.score(IMAGES[:1], Context())["logits"].shape == (1, 1000)
    own = scorer(weights=saved(tmp_path, outputs=3), classes="dataset")
    assert own.class_fields(DATA, Context())["column"].tolist() == [0, 1, 2]
    assert own.teaches
    assert set(own.class_fields(DATA, Context())) == set(own.provides_per_class)


def test_class_logits_are_the_scored_logits_in_the_order_of_the_classes(weights: Path) -> None:
    teacher = scorer(weights=weights)
    images = photographs(168)  # the size that the model's input is cropped from: neither filter is needed
    logits = teacher.score(images, Context())["logits"]
    torch.testing.assert_close(teacher.class_logits(images / 255), logits[:, [576, 0, 999]], rtol=1e-4, atol=1e-5)


def test_a_teacher_with_other_classes_is_told(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="a teacher with other classes: it has 1000 outputs, not 3"):
        scorer(weights=weights, classes="dataset")
    few = saved(tmp_path, outputs=10)
    with pytest.raises(ComponentError, match="a teacher with other classes: it has 10 outputs, not 1000"):
        scorer(weights=few)


def test_classes_outside_imagenet_are_told_by_name(weights: Path) -> None:
    with pytest.raises(ComponentError, match=r"class 'wug' has no index in ImageNet-1k.*`classes: dataset`"):
        scorer(None, weights=weights).check_classes(UNKNOWN.classes)
    with pytest.raises(ComponentError, match="class 'wug'"):
        scorer(UNKNOWN, weights=weights)
    scorer(None, weights=weights, classes="dataset").check_classes(UNKNOWN.classes)
    scorer(None).check_classes(DATA.classes)
