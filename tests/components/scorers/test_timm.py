"""The timm scorer: it says what timm's own model says of timm's own input, from files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image
from rounding import assert_equal_but_for_rounding
from safetensors.torch import load_file, save_file
from torch import Tensor

import ddbench
from ddbench import ClassInfo, ComponentError, Context, LabeledImages, TrainingData

pytestmark = pytest.mark.usefixtures("offline")

TAGGED = "test_efficientnet.r160_in1k"  # 160 px of 168: a crop that is neither all nor the default
REPOSITORY = "timm/test_efficientnet.r160_in1k"


def photographs(size: int, count: int = 5) -> Tensor:
    """Noise with some structure, uint8 ``[count, 3, size, size]``."""
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(size))
    images = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)
    return (images * 255).to(torch.uint8)


IMAGES = photographs(200)
DATA = TrainingData(
    name="three",
    classes=(ClassInfo("gondola", None, 576), ClassInfo("tench", None, 0), ClassInfo("toilet tissue", None, 999)),
    image_size=200,
    mean=(0.1, 0.2, 0.3),
    std=(0.9, 0.9, 0.9),
    train=LabeledImages(IMAGES, torch.tensor([0, 1, 2, 0, 1]), tuple("abcde")),
)
UNKNOWN = replace(DATA, classes=(*DATA.classes[:2], ClassInfo("wug"), ClassInfo("dax")))


def saved(folder: Path, model: str = "test_efficientnet", outputs: int = 1000) -> Path:
    """Random weights of a model of timm; its normalisations have statistics, as after training."""
    path = folder / f"{model}-{outputs}.safetensors"
    torch.manual_seed(1)
    network = timm.create_model(model, num_classes=outputs)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_mean"):
                value.normal_(0, 0.1)
            if name.endswith("running_var"):
                value.uniform_(0.5, 2)
        for value in network.parameters():  # else new classifiers of transformers, being near zero, say nothing
            value.add_(torch.randn_like(value), alpha=0.02)
    save_file(network.state_dict(), path)
    return path


def scorer(loaded_with: TrainingData | None = DATA, **params: Any) -> Any:
    made = ddbench.create("scorer", "timm", **{"model": TAGGED, "block": 4, **params})
    if loaded_with is not None:
        made.load(None, loaded_with, Context())
    return made


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights"))


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


def test_weights_are_found_by_name_in_the_data_folder_then_in_the_hubs_cache(
    weights: Path, tmp_path: Path, cache_weights: Callable[[Path, str, str], None]
) -> None:
    expected = scorer(weights=weights).score(IMAGES, Context())["logits"]
    cache_weights(weights, REPOSITORY, "model.safetensors")
    assert scorer().score(IMAGES, Context())["logits"].equal(expected)
    assert scorer(None).missing() is None

    kept = tmp_path / "data" / "weights" / REPOSITORY / "model.safetensors"
    kept.parent.mkdir(parents=True)
    torch.manual_seed(2)
    save_file(timm.create_model("test_efficientnet").state_dict(), kept)
    assert not scorer().score(IMAGES, Context())["logits"].equal(expected)


def test_missing_weights_are_told_with_the_command_that_fetches_them(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "weights" / REPOSITORY
    with pytest.raises(ComponentError) as caught:
        scorer()
    assert str(caught.value) == (
        f"scorer 'timm' finds no weights of {TAGGED}: neither {folder} nor the Hugging Face cache has "
        f"model.safetensors or pytorch_model.bin of {REPOSITORY}; run `ddbench fetch SUITE`, or name a file in "
        "the parameter 'weights'"
    )


def test_what_is_fetched_is_what_loading_looks_for(
    on_the_hub: Callable[[str, str, Path], list[str]], weights: Path, tmp_path: Path
) -> None:
    asked = on_the_hub(REPOSITORY, "model.safetensors", weights)
    made: Any = ddbench.create("scorer", "timm", model=TAGGED)
    assert "it is not known whether weights of" in made.missing()
    for _ in range(2):
        made.fetch(lambda *_: None)
    assert asked == [REPOSITORY, "model.safetensors"]
    assert made.missing() is None
    made.load(None, DATA, Context())
    kept = tmp_path / "data" / "weights" / REPOSITORY / "model.safetensors"
    kept.write_bytes(kept.read_bytes()[:-1])
    damaged = rf"finds no weights of {TAGGED}: {kept} is cut off or damaged; run `ddbench"
    with pytest.raises(ComponentError, match=damaged):
        made.load(None, DATA, Context())
    made.fetch(lambda *_: None)
    assert asked == 2 * [REPOSITORY, "model.safetensors"]
    made.load(None, DATA, Context())
    with pytest.raises(ComponentError, match=r"absent\.pth: the file of weights does not exist"):
        ddbench.create("scorer", "timm", model=TAGGED, weights=tmp_path / "absent.pth").fetch(lambda *_: None)


def test_torch_files_are_read_and_pickled_objects_are_not(weights: Path, tmp_path: Path, bomb: Any) -> None:
    nested, hostile = tmp_path / "nested.pth", tmp_path / "hostile.pth"
    torch.save({"model": load_file(weights), "epoch": 3}, nested)
    expected = scorer(weights=weights).score(IMAGES, Context())["logits"]
    assert scorer(weights=nested).score(IMAGES, Context())["logits"].equal(expected)
    torch.save({"model": load_file(weights), "args": bomb}, hostile)
    with pytest.raises(ComponentError, match=r"hostile\.pth: cannot be loaded as weights of timm's test_efficientnet"):
        scorer(weights=hostile)
    assert not bomb.path.exists()


def test_a_damaged_file_and_anothers_weights_are_told_in_one_line(weights: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(weights.read_bytes()[:5000])
    for path in (cut, saved(tmp_path, "test_vit")):
        with pytest.raises(ComponentError) as caught:
            scorer(weights=path)
        told = str(caught.value)
        assert told.startswith(f"{path}: cannot be loaded as weights of timm's {TAGGED} (")
        assert "\n" not in told
        assert len(told) < 500 + len(str(path))


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


def test_a_file_is_known_by_its_content_and_a_name_by_itself(weights: Path, tmp_path: Path) -> None:
    assert scorer(None).fingerprint() is None  # though nothing of that name is on this machine
    assert scorer(None).params.keyed()["model"] == TAGGED
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(weights.read_bytes())
    same, copied = scorer(None, weights=weights), scorer(None, weights=copy)
    assert same.fingerprint() == copied.fingerprint()
    assert same.params.keyed() == copied.params.keyed()
    assert same.fingerprint() != scorer(None, weights=saved(tmp_path, outputs=3)).fingerprint()


def test_a_path_that_leads_nowhere_fails_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"gone\.pth: the file of weights does not exist"):
        scorer(None, weights=tmp_path / "gone.pth").fingerprint()
    notes = tmp_path / "notes.txt"
    notes.write_text("")
    with pytest.raises(ComponentError, match=r"notes\.txt: is not a file of weights"):
        scorer(None, weights=notes).fingerprint()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("resnet50.tv_in2k", r"timm [\w.]+ has no model 'resnet50.tv_in2k'; did you mean 'resnet50.tv2?_in1k'\?"),
        ("zzz.qqq", r"has no model 'zzz.qqq'; `timm.list_pretrained\(\)` gives all names"),
        ("vit_huge_patch14_gap_224.in1k_ijepa", "are not on the Hugging Face Hub; download http"),
        ("resnet50", "model 'resnet50' names no weights"),
        ("hf-hub:timm/resnet50.tv_in1k", "parameter 'model' is 'hf-hub:timm/resnet50.tv_in1k'"),
    ],
)
def test_a_name_that_cannot_be_is_told(model: str, told: str) -> None:
    with pytest.raises(ComponentError, match=told):
        scorer(model=model)
    with pytest.raises(ComponentError, match=told):
        scorer(None, model=model).fetch(lambda *_: None)


def test_loading_draws_nothing_from_the_global_generator(weights: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    scorer(weights=weights)
    assert torch.equal(torch.rand(2), expected)
