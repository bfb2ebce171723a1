"""The timm scorer: it says what timm's own model says of timm's own input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image
from rounding import assert_equal_but_for_rounding
from timm_teachers import IMAGES, photographs, saved, scorer
from torch import Tensor

from ddbench import ComponentError, Context

pytestmark = pytest.mark.usefixtures("offline")


@pytest.mark.parametrize("model", ["test_efficientnet", "test_vit", "test_byobnet", "resnet10t"])
def test_fields_are_what_timm_says_by_hand(model: str, tmp_path: Path) -> None:
    path = saved(tmp_path, model, outputs=3)
    fields = scorer(model=model, weights=path, classes="dataset").score(IMAGES, Context())
    network = timm.create_model(model, num_classes=3, checkpoint_path=str(path)).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network), is_training=False)
    x = torch.stack([transform(Image.fromarray(image.permute(1, 2, 0).numpy())) for image in IMAGES])
    with torch.no_grad():
        logits = network(x)
        network.reset_classifier(0)
        embedding = network(x)
    torch.testing.assert_close(fields["logits"], logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(fields["embedding"], embedding, rtol=1e-4, atol=1e-5)
    assert logits.std(dim=0).min() > 1e-4  # images differ, so that agreement says something


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Set a number of threads; the order of sums in products of small matrices can depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_scores_do_not_depend_on_company(weights: Path, threads: int) -> None:
    """At its place in a block an image has the same bits, whatever stands beside it, and alone."""
    teacher = scorer(weights=weights)
    first, second = ([0, 1, 2, 3, 4], [0, 4, 2, 1, 4, 3])
    one, other = (teacher.score(IMAGES[order], Context()) for order in (first, second))
    alone = teacher.score(IMAGES[:1], Context())
    for name in teacher.provides:
        assert one[name][[0, 2, 4]].equal(other[name][[0, 2, 4]])
        assert one[name][:1].equal(alone[name])


def test_equal_images_have_equal_scores_at_any_place(weights: Path, threads: int) -> None:
    """But for rounding: some processors sum the rows of a product in different orders."""
    teacher = scorer(weights=weights)
    crowd = torch.cat([IMAGES, IMAGES.flip(0), IMAGES[:1]])
    together, order = teacher.score(crowd, Context()), [0, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0]
    for row, i in enumerate(order):
        alone = teacher.score(IMAGES[i : i + 1], Context())
        for name in teacher.provides:
            assert_equal_but_for_rounding(together[name][row], alone[name][0])


def test_memory_that_runs_out(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    teacher = scorer(weights=weights)
    with monkeypatch.context() as patch:
        patch.setattr(timm, "create_model", no_memory)
        with pytest.raises(ComponentError, match=r"^out of memory for the weights of timm's test_efficientnet"):
            scorer(weights=weights)
    monkeypatch.setattr(teacher._model, "forward_features", no_memory)
    with pytest.raises(ComponentError) as caught:
        teacher.score(IMAGES, Context())
    said = "out of memory for scoring 4 images at once by scorer 'timm'; lower its parameter 'block' from 4 to 2"
    assert str(caught.value) == said


@pytest.mark.parametrize("size", [32, 200, 400])
@pytest.mark.parametrize("model", ["test_efficientnet", "resnet10t", "test_resnet"])  # bicubic and bilinear filters
def test_floats_and_bytes_are_resized_alike(model: str, size: int, tmp_path: Path) -> None:
    teacher = scorer(model=model, weights=saved(tmp_path, model, 3), classes="dataset")
    seen: list[Tensor] = []
    first = next(layer for layer in teacher._model.modules() if isinstance(layer, torch.nn.Conv2d))
    first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = photographs(size)
    teacher.class_logits(images / 255)
    teacher.score_block(images, Context())
    grey_levels = (seen[0] - seen[1]).abs() * torch.tensor(teacher._input["std"])[:, None, None] * 255
    assert grey_levels.max() < 3  # Pillow rounds and clips after each of its two passes


def test_gradients_reach_the_images_and_no_weight(weights: Path) -> None:
    teacher = scorer(weights=weights)
    images = (photographs(168) / 255).requires_grad_()
    teacher.class_logits(images)[:, 0].sum().backward()
    assert images.grad is not None
    border = 4  # 160 of 168 pixels are seen
    reached = images.grad[..., border:-border, border:-border].ne(0).any(dim=1)
    assert reached.any(dim=1).all()
    assert reached.any(dim=2).all()
    assert images.grad[..., :border, :].eq(0).all()
    assert all(p.grad is None and not p.requires_grad for p in teacher._model.parameters())
    assert not teacher._model.training


def test_mean_std_size_and_crop_can_be_otherwise(weights: Path) -> None:
    usual = scorer(weights=weights)
    other = scorer(weights=weights, mean=[0.1, 0.2, 0.3], std=[0.5, 0.6, 0.7], input_size=64, crop_pct=1.0)
    image = photographs(64, count=1)
    x = (image / 255 - torch.tensor([0.1, 0.2, 0.3])[:, None, None]) / torch.tensor([0.5, 0.6, 0.7])[:, None, None]
    with torch.no_grad():
        expected = usual._model(x)
    torch.testing.assert_close(other.score(image, Context())["logits"], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(other.class_logits(image / 255), expected[:, [576, 0, 999]], rtol=1e-4, atol=1e-5)


def test_a_transformer_takes_another_input_size(tmp_path: Path) -> None:
    path = saved(tmp_path, "test_vit", 3)
    teacher = scorer(model="test_vit", weights=path, classes="dataset", input_size=96)
    assert teacher.score(IMAGES, Context())["logits"].shape == (5, 3)
