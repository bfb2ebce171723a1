"""The trained teacher: what it stores, what it says, and what its key depends on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import load_file

import ddbench
from ddbench import ClassInfo, ComponentError, Context, LabeledImages, Scorer, TrainingData
from ddbench.registry import catalogue
from ddbench.toolkit.kept_parts import Pace

SIZE, PER_CLASS = 32, 12


def patterns(seed: int) -> LabeledImages:
    """Noise with rows, columns or checks in it: a shape to learn, as colours alone vanish in an instance norm."""
    row, column = torch.arange(SIZE)[:, None].expand(SIZE, SIZE), torch.arange(SIZE).expand(SIZE, SIZE)
    shapes = torch.stack([row // 2 % 2, column // 2 % 2, (row // 2 + column // 2) % 2])
    labels = torch.arange(3 * PER_CLASS) % 3
    noise = torch.rand(len(labels), 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))
    images = (100 * noise + 100 * shapes[labels][:, None]).to(torch.uint8)
    return LabeledImages(images, labels, tuple(f"{seed}-{i}" for i in range(len(labels))))


DATA = TrainingData(
    name="patterns",
    classes=(ClassInfo("rows"), ClassInfo("columns"), ClassInfo("checks")),
    image_size=SIZE,
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    train=patterns(0),
)


def teacher(**params: Any) -> Any:
    return ddbench.create("scorer", "trained-teacher", **params)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    teacher().fit(DATA, folder, Context(seed=99))
    return folder


@pytest.fixture(scope="module")
def scorer(fitted: Path) -> Scorer:
    loaded = teacher()
    loaded.load(fitted, DATA, Context())
    return cast("Scorer", loaded)


def test_the_artifact_is_safetensors_and_json(fitted: Path) -> None:
    assert sorted(path.name for path in fitted.iterdir()) == [
        "means.safetensors",
        "teacher.json",
        "weights.safetensors",
    ]
    about = json.loads((fitted / "teacher.json").read_text())
    assert (about["student"], about["protocol"], about["seed"]) == ("convnet3", "teacher@1", 0)
    assert (about["num_classes"], about["input_size"], about["epochs"]) == (3, 32, 5)
    assert sum(w.numel() for w in load_file(fitted / "weights.safetensors").values()) == 320_010 - 7 * 2049


def test_the_class_means_are_those_of_the_real_images(scorer: Scorer) -> None:
    """But for rounding: the sum of 12 numbers of float32 is off by at most 12 half units in the last place, 7e-7."""
    embedding = scorer.score(DATA.train.images, Context())["embedding"].double()
    means = [embedding[DATA.train.labels == c].mean(0) for c in range(3)]
    torch.testing.assert_close(
        scorer.class_fields(DATA, Context())["mean"].double(), torch.stack(means), rtol=1e-6, atol=1e-6
    )


def test_class_logits_are_the_scores_of_float_images_and_have_gradients(scorer: Scorer) -> None:
    images = (DATA.train.images[:5].float() / 255).requires_grad_()
    logits = scorer.class_logits(images)
    torch.testing.assert_close(logits, scorer.score(DATA.train.images[:5], Context())["logits"], rtol=1e-4, atol=1e-4)
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), images)
    assert (gradient.flatten(1) != 0).any(1).all()


def test_class_logits_take_images_of_any_size(scorer: Scorer) -> None:
    """Doubled by repeating pixels, an image comes back nearly as it was."""
    images = DATA.train.images[:6].float() / 255
    double = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert scorer.class_logits(double).argmax(1).equal(scorer.class_logits(images).argmax(1))


def test_scores_are_the_networks_logits_and_embedding(fitted: Path, scorer: Scorer) -> None:
    fields = scorer.score(DATA.train.images, Context())
    model: Any = ddbench.create("student", "convnet3")
    model = model.build(3, 32).eval()
    model.load_state_dict(load_file(fitted / "weights.safetensors"))
    x = (DATA.train.images.float() / 255 - 0.5) / 0.25
    with torch.no_grad():
        torch.testing.assert_close(fields["embedding"], model.embed(x), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(fields["logits"], model(x), rtol=1e-4, atol=1e-4)
    assert all(values.dtype == torch.float32 for values in fields.values())
    assert fields["embedding"].shape == (36, 2048)


def test_it_has_learnt_its_classes(scorer: Scorer) -> None:
    unseen = patterns(1)
    predicted = scorer.score(unseen.images, Context())["logits"].argmax(dim=1)
    assert float((predicted == unseen.labels).float().mean()) > 0.9


def test_larger_images_are_resized_and_columns_are_the_classes(scorer: Scorer) -> None:
    larger = DATA.train.images[:2].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert scorer.score(larger, Context())["logits"].shape == (2, 3)
    columns = scorer.class_fields(DATA, Context())
    assert set(columns) == set(scorer.provides_per_class)
    assert columns["column"].tolist() == [0, 1, 2]


class KilledError(Exception):
    """The error that stops a training."""


def test_a_training_that_was_stopped_ends_with_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "due", True)
    seen: list[int] = []

    def watch(done: int, total: int) -> None:
        seen.append(done)
        if seen == [1, 2]:
            raise KilledError

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir()
    stopped.mkdir()
    quick = teacher(protocol="smoke@1")
    quick.fit(DATA, whole, Context())
    ctx = Context(checkpoint_file=tmp_path / "unfinished.safetensors", progress=watch)
    with pytest.raises(KilledError):
        quick.fit(DATA, stopped, ctx)
    assert not list(stopped.iterdir())
    quick.fit(DATA, stopped, ctx)
    assert seen[:6] == [1, 2, 3, 4, 5, 6]
    assert {p.name: p.read_bytes() for p in stopped.iterdir()} == {p.name: p.read_bytes() for p in whole.iterdir()}


def test_memory_that_runs_out(fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    loaded = teacher()
    loaded.load(fitted, DATA, Context())
    monkeypatch.setattr(loaded._model, "embed", no_memory)
    with pytest.raises(ComponentError) as caught:
        loaded.score(DATA.train.images, Context())
    assert str(caught.value) == (
        "out of memory for scoring 64 images at once by scorer 'trained-teacher'; "
        "run fewer workers, or use a device with more memory"
    )


def test_only_its_own_seed_parameter_matters(fitted: Path, tmp_path: Path) -> None:
    quick = {"student": "convnet3", "protocol": "smoke@1"}
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed, own in zip(folders, (0, 7, 0), (0, 0, 1), strict=True):
        folder.mkdir()
        teacher(**quick, seed=own).fit(DATA, folder, Context(seed=seed))
    a, b, c = (load_file(folder / "weights.safetensors")["head.weight"] for folder in folders)
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert not teacher().seeded


def test_loading_draws_nothing_from_the_global_generator(fitted: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    teacher().load(fitted, DATA, Context())
    assert torch.equal(torch.rand(2), expected)


def test_the_fingerprint_names_what_is_built_by_name() -> None:
    plain = teacher().fingerprint()
    assert plain["protocol"] == catalogue().protocol("teacher@1").model_dump(mode="json")
    assert plain["student"] == [1, {"norm": "instance"}]
    assert json.loads(json.dumps(plain)) == plain
    others = [teacher(norm="batch"), teacher(student="resnet18"), teacher(protocol="smoke@1")]
    assert all(other.fingerprint() != plain for other in others)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"student": "convnet9"}, "there is no student 'convnet9'"),
        ({"protocol": "teacher@9"}, "there is no protocol 'teacher@9'"),
        ({"variant": "small"}, "student 'convnet3': unknown parameter 'variant'"),
    ],
)
def test_an_unknown_name_is_told_before_anything_runs(params: dict[str, str], told: str) -> None:
    with pytest.raises(ComponentError, match=told):
        teacher(**params).fingerprint()


def test_a_variant_is_built_and_an_absent_one_leaves_keys_as_they_were() -> None:
    """RDED's teacher for CIFAR has the full width."""
    assert teacher().params.keyed() == {"student": "convnet3", "norm": None, "protocol": "teacher@1", "seed": 0}
    wide = teacher(student="resnet18", norm="batch", variant="small")
    assert wide.params.keyed()["variant"] == "small"
    with torch.device("meta"):
        assert sum(p.numel() for p in wide._build(10, 32).parameters()) == 11_173_962


def test_a_student_without_an_embedding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="cannot use student 'pixels': its network has no 'embed' and 'head'"):
        teacher(student="pixels").fit(DATA, tmp_path, Context())


def test_a_student_too_deep_for_the_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="use 'convnet3'"):
        teacher(student="convnet6").fit(DATA, tmp_path, Context())


def test_it_must_be_fitted_before_it_is_loaded() -> None:
    with pytest.raises(ComponentError, match="has not been fitted"):
        teacher().load(None, DATA, Context())
