"""Declared costs and missing files of scorers, against torch's count and the files on disk."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.scorers._pretrained_specs import OPEN_CLIP, OPEN_CLIP_WEIGHTS, TIMM, timm_weights
from packaging.version import Version
from safetensors.torch import save_file
from torch.utils.flop_counter import FlopCounterMode

import ddbench
from ddbench import Dataset, NetworkCost, Scorer, Student
from ddbench.api.work import Fit, Score
from ddbench.registry import catalogue


@pytest.fixture
def tiny() -> Dataset:
    return cast("Dataset", ddbench.create("dataset", "tiny-cifar"))


def scorer(name: str, **params: Any) -> Scorer:
    return cast("Scorer", ddbench.create("scorer", name, **params))


@pytest.mark.parametrize("name", sorted(TIMM))
def test_known_classifiers_take_what_torch_counts(name: str) -> None:
    timm = pytest.importorskip("timm")
    if name.startswith("convnext") and Version(version("timm")) < Version("1.0.21"):
        pytest.skip("timm builds a ConvNeXt without memory from 1.0.21 on")
    known, counter = TIMM[name], FlopCounterMode(display=False)
    with torch.device("meta"):
        model = timm.create_model(name).eval()
        with counter:
            logits = model(torch.empty(1, 3, known.input_size, known.input_size))
    assert counter.get_total_flops() == known.flops
    assert model.num_features == known.embedding
    assert logits.shape == (1, 1000)
    config = timm.get_pretrained_cfg(name)
    assert config.input_size == (3, known.input_size, known.input_size)
    assert timm_weights(name).repository == config.hf_hub_id


@pytest.mark.parametrize("name", sorted(OPEN_CLIP))
def test_known_clip_models_take_what_torch_counts(name: str) -> None:
    open_clip = pytest.importorskip("open_clip")
    known, counter = OPEN_CLIP[name], FlopCounterMode(display=False)
    # In training no layer is replaced by a fused one that torch does not count.
    with torch.device("meta"):
        model = open_clip.model.CLIP(**_config(open_clip, name)).train()
        with counter:
            embedding = model.encode_image(torch.empty(1, 3, known.input_size, known.input_size))
    assert counter.get_total_flops() == known.flops
    assert embedding.shape == (1, known.embedding)
    for (model_name, tag), weights in OPEN_CLIP_WEIGHTS.items():
        assert open_clip.get_pretrained_cfg(model_name, tag)["hf_hub"] == f"{weights.repository}/"


def _config(open_clip: Any, name: str) -> dict[str, Any]:
    return {key: value for key, value in open_clip.get_model_config(name).items() if key != "custom_text"}


@pytest.mark.parametrize(
    ("flops", "giga_multiply_adds"),
    [
        (TIMM["resnet18.tv_in1k"].flops, 1.814),
        (TIMM["resnet50.tv_in1k"].flops, 4.089),
        (TIMM["convnext_base.fb_in1k"].flops, 15.355),
        (OPEN_CLIP["ViT-B-32"].flops, 4.409),
    ],
)
def test_known_networks_take_what_is_published(flops: int, giga_multiply_adds: float) -> None:
    """As torchvision's model table has them, in multiply-adds: ResNet-18, ResNet-50, ConvNeXt-B and ViT-B/32.

    The image tower of CLIP is a ViT-B/32 with a projection to 512 in place of the 1000 classes.
    """
    assert flops / 2e9 == pytest.approx(giga_multiply_adds, abs=1e-3)


def test_the_vit_of_clip_takes_what_its_layers_take() -> None:
    """Twelve blocks of width 768 on 49 patches and a class token (arXiv:2010.11929, table 1)."""
    tokens, width = 7 * 7 + 1, 768
    block = (4 + 8) * tokens * width**2 + 2 * tokens**2 * width
    macs = 49 * 32**2 * 3 * width + 12 * block + width * 512
    assert OPEN_CLIP["ViT-B-32"].flops == 2 * macs


def test_operations_are_half_where_the_precision_is_mixed(tiny: Dataset) -> None:
    mixed = scorer("timm", model="resnet50.tv_in1k", precision="mixed").cost(Score(tiny))
    plain = scorer("timm", model="resnet50.tv_in1k").cost(Score(tiny))
    assert mixed is not None
    assert plain is not None
    assert (mixed.flops, mixed.half_flops) == (plain.flops, plain.flops)
    assert plain.half_flops == 0
    assert plain.disk_bytes == 4 * (1000 + 2048)


@pytest.mark.parametrize("params", [{"model": "resnet34.tv_in1k"}, {"model": "resnet50.tv_in1k", "input_size": 288}])
def test_other_models_and_sizes_are_not_known(tiny: Dataset, params: dict[str, Any]) -> None:
    assert scorer("timm", **params).cost(Score(tiny)) is None


def test_a_trained_teacher_takes_what_its_student_takes(tiny: Dataset) -> None:
    network = cast("Student", ddbench.create("student", "resnetap10")).network_cost(10, 32)
    assert isinstance(network, NetworkCost)
    teacher = scorer("trained-teacher", student="resnetap10", protocol="teacher@1")
    asked, fitted = teacher.cost(Score(tiny)), teacher.cost(Fit(tiny))
    assert asked is not None
    assert fitted is not None
    assert asked.flops == network.flops
    assert asked.disk_bytes == 4 * (10 + 256)
    epochs = catalogue().protocol("teacher@1").epochs(100, 10)
    assert fitted.flops == (3 * epochs + 1) * 1000 * network.flops
    assert fitted.disk_bytes == 4 * (network.parameters + 10 * 256)


@pytest.mark.parametrize(
    ("name", "params", "repository", "file"),
    [
        ("timm", {"model": "convnext_base.fb_in1k"}, "timm/convnext_base.fb_in1k", "model.safetensors"),
        ("open-clip", {}, "timm/vit_base_patch32_clip_224.openai", "open_clip_model.safetensors"),
    ],
)
def test_missing_weights_are_said_with_the_command_that_fetches_them(
    name: str, params: dict[str, Any], repository: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path))
    said = scorer(name, **params).missing()
    assert said is not None
    assert f"{file} or " in said
    assert f" of {repository}; run `ddbench fetch SUITE`, or" in said
    assert "\n" not in said
    path = tmp_path / "weights" / repository / file
    path.parent.mkdir(parents=True)
    path.touch()
    cut = scorer(name, **params).missing() or ""
    assert cut.endswith(f": {path} is cut off or damaged; {said.partition('; ')[2]}")
    save_file({"a": torch.zeros(3)}, path)
    assert scorer(name, **params).missing() is None


def test_nothing_is_said_of_weights_that_are_given(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.touch()
    for model in ("convnext_base.fb_in1k", "resnet34.a1_in1k", "resnet34"):
        assert scorer("timm", model=model, weights=path).missing() is None
    for tag in ("openai", "made_here", None):
        assert scorer("open-clip", pretrained=tag, weights=path).missing() is None
    assert scorer("trained-teacher").missing() is None


@pytest.mark.parametrize(
    ("name", "params", "called"),
    [
        ("timm", {"model": "resnet34.a1_in1k"}, "resnet34.a1_in1k"),
        ("timm", {"model": "resnet50.tv_in2k"}, "resnet50.tv_in2k"),
        ("open-clip", {"model": "ViT-B-33"}, "ViT-B-33 (openai)"),
        ("open-clip", {"pretrained": "openia"}, "ViT-B-32 (openia)"),
    ],
)
def test_of_weights_that_lie_who_knows_where_that_is_said(
    name: str, params: dict[str, Any], called: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path))
    assert scorer(name, **params).missing() == (
        f"scorer '{name}': it is not known whether weights of {called} are on this machine; `ddbench fetch SUITE` gets "
        "or checks them"
    )
