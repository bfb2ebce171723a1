"""The open-clip scorer: it says what open_clip's own model says of pictures and prompts, from files alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from PIL import Image
from rounding import assert_equal_but_for_rounding
from safetensors.torch import save_file
from torch import Tensor

import ddbench
from ddbench import ClassInfo, ComponentError, Context, LabeledImages, TrainingData

pytestmark = pytest.mark.usefixtures("offline")

SMALLEST = "ViT-S-32-alt"  # open_clip's smallest architecture; nobody has published weights of it
IMAGES = torch.randint(0, 256, (5, 3, 40, 40), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
DATA = TrainingData(
    name="three",
    classes=(ClassInfo("tench, Tinca tinca"), ClassInfo("garbage_truck"), ClassInfo("French horn, horn")),
    image_size=40,
    mean=(0.1, 0.2, 0.3),
    std=(0.9, 0.9, 0.9),
    train=LabeledImages(IMAGES, torch.tensor([0, 1, 2, 0, 1]), tuple("abcde")),
)
TAG = {  # of weights as OpenAI's: with another activation than the architecture's own, and another preprocessing
    "url": "https://example.org/tag.pt",
    "hf_hub": "someone/small-clip/",
    "quick_gelu": True,
    "mean": (0.2, 0.3, 0.4),
    "std": (0.6, 0.5, 0.4),
    "interpolation": "bilinear",
    "resize_mode": "squash",
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "weights.safetensors"
    torch.manual_seed(0)
    save_file(open_clip.create_model(SMALLEST, precision="fp16").state_dict(), path)
    return path


@pytest.fixture
def tag(monkeypatch: pytest.MonkeyPatch) -> str:
    """Register a tag of open_clip for the smallest architecture."""
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, SMALLEST, {"made_here": TAG})
    return "made_here"


def scorer(load: bool = True, **params: Any) -> Any:
    made = ddbench.create("scorer", "open-clip", **{"model": SMALLEST, "pretrained": None, "block": 4, **params})
    if load:
        made.load(None, DATA, Context())
    return made


def by_hand(prompts: list[str], *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Embeddings of the images and of prompts, as open_clip's documentation computes them."""
    model, preprocess = open_clip.create_model_from_pretrained(*args, **kwargs)
    model.eval()
    pictures = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in IMAGES]
    with torch.no_grad():
        image = model.encode_image(torch.stack([preprocess(picture) for picture in pictures]), normalize=True)
        text = model.encode_text(open_clip.get_tokenizer(args[0])(prompts), normalize=True)
    return image, text


PROMPTS = ["A photo of a tench", "A photo of a garbage truck", "A photo of a French horn"]


def test_embeddings_are_what_open_clip_says_by_hand(weights: Path) -> None:
    clip = scorer(weights=weights)
    image, text = by_hand(PROMPTS, SMALLEST, str(weights))
    fields, per_class = clip.score(IMAGES, Context()), clip.class_fields(DATA, Context())
    assert (set(fields), set(per_class)) == ({"image"}, {"text"})
    torch.testing.assert_close(fields["image"], image, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(per_class["text"], text, rtol=1e-4, atol=1e-6)
    assert (image[0] - image[1]).abs().max() > 1e-3  # they differ, so that agreement says something
    assert (text[0] - text[1]).abs().max() > 1e-3
    assert not clip.teaches


def test_memory_that_runs_out(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    clip = scorer(weights=weights)
    monkeypatch.setattr(clip._model, "encode_image", no_memory)
    monkeypatch.setattr(clip._model, "encode_text", no_memory)
    for ask, what in (
        (lambda: clip.score(IMAGES, Context()), "scoring 4 images at once by scorer 'open-clip'; lower"),
        (lambda: clip.class_fields(DATA, Context()), "3 prompts at once of scorer 'open-clip'; lower"),
    ):
        with pytest.raises(ComponentError, match=rf"^out of memory for {what} its parameter 'block' from \d to \d$"):
            ask()


@pytest.mark.filterwarnings("ignore:QuickGELU mismatch")  # as open_clip says of what must not happen here
def test_a_tag_brings_its_activation_and_its_preprocessing(
    weights: Path, tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "data" / "weights" / "someone" / "small-clip" / "open_clip_model.safetensors"
    kept.parent.mkdir(parents=True)
    kept.symlink_to(weights)
    fields = scorer(pretrained=tag).score(IMAGES, Context())
    beside = scorer(pretrained=tag, weights=weights).score(IMAGES, Context())
    monkeypatch.setitem(TAG, "file", str(weights))  # where open_clip itself is to take them from
    expected, _ = by_hand(PROMPTS, SMALLEST, tag, force_quick_gelu=True)
    plain, _ = by_hand(PROMPTS, SMALLEST, tag)
    torch.testing.assert_close(fields["image"], expected, rtol=1e-4, atol=1e-6)
    assert beside["image"].equal(fields["image"])
    assert (plain - expected).abs().max() > 1e-4


def test_weights_are_found_in_the_hubs_cache(
    weights: Path, tag: str, cache_weights: Callable[[Path, str, str], None]
) -> None:
    cache_weights(weights, "someone/small-clip", "open_clip_model.safetensors")
    assert scorer(pretrained=tag).score(IMAGES[:1], Context())["image"].shape == (1, 256)


def test_equal_images_have_equal_embeddings_at_any_place(weights: Path) -> None:
    """But for rounding; at its place in a block an image has the same bits in any company."""
    clip = scorer(weights=weights)
    together = clip.score(torch.cat([IMAGES, IMAGES.flip(0)]), Context())["image"]
    for here, there in zip(together[:5], together[5:].flip(0), strict=True):
        assert_equal_but_for_rounding(here, there)
    assert_equal_but_for_rounding(clip.score(IMAGES[2:3], Context())["image"], together[2:3])
    assert clip.score(IMAGES[:1], Context())["image"].equal(together[:1])


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, PROMPTS),
        ({"classname": "name"}, ["A photo of a tench, Tinca tinca", PROMPTS[1], "A photo of a French horn, horn"]),
        ({"template": "{classname}: a {classname}."}, ["tench: a tench.", "garbage truck: a garbage truck.", None]),
    ],
)
def test_prompts(params: dict[str, str], expected: list[str | None]) -> None:
    clip = scorer(load=False, pretrained="openai", **params)
    for c, prompt in zip(DATA.classes, expected, strict=True):
        assert prompt is None or clip.prompt(c) == prompt


def test_missing_weights_are_told_with_the_command_that_fetches_them(tmp_path: Path) -> None:
    repository = "timm/vit_base_patch32_clip_224.openai"
    folder = tmp_path / "data" / "weights" / repository
    defaults: Any = ddbench.create("scorer", "open-clip")
    with pytest.raises(ComponentError) as caught:
        defaults.load(None, DATA, Context())
    assert str(caught.value) == (
        f"scorer 'open-clip' finds no weights of ViT-B-32 (openai): neither {folder} nor the Hugging Face cache has "
        f"open_clip_model.safetensors or open_clip_pytorch_model.bin of {repository}; run `ddbench fetch SUITE`, "
        "or name a file in the parameter 'weights'"
    )


def test_what_is_fetched_is_what_loading_looks_for(
    on_the_hub: Callable[[str, str, Path], list[str]], weights: Path, tag: str
) -> None:
    asked = on_the_hub("someone/small-clip", "open_clip_model.safetensors", weights)
    made = scorer(load=False, pretrained=tag)
    for _ in range(2):
        made.fetch(lambda *_: None)
    assert asked == ["someone/small-clip", "open_clip_model.safetensors"]
    assert f"it is not known whether weights of {SMALLEST} ({tag}) are on this machine" in made.missing()
    made.load(None, DATA, Context())


def test_pickled_objects_damaged_files_and_anothers_weights_are_refused(
    weights: Path, tmp_path: Path, bomb: Any
) -> None:
    hostile, cut, other = tmp_path / "hostile.pt", tmp_path / "cut.safetensors", tmp_path / "other.safetensors"
    torch.save({"state_dict": bomb}, hostile)
    cut.write_bytes(weights.read_bytes()[:5000])
    save_file({"conv1.weight": torch.zeros(2)}, other)
    for path in (hostile, cut, other):
        with pytest.raises(ComponentError) as caught:
            scorer(weights=path)
        told = str(caught.value)
        assert told.startswith(f"{path}: cannot be loaded as weights of open_clip's {SMALLEST} (")
        assert "\n" not in told
        assert len(told) < 500 + len(str(path))
    assert not bomb.path.exists()


def test_a_file_is_known_by_its_content_and_a_tag_by_its_name(weights: Path, tmp_path: Path) -> None:
    named = scorer(load=False, pretrained="openai")
    assert named.fingerprint() is None  # though nothing of that name is on this machine
    assert named.params.keyed()["pretrained"] == "openai"
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(weights.read_bytes())
    same, copied = scorer(load=False, weights=weights), scorer(load=False, weights=copy)
    assert same.fingerprint() == copied.fingerprint()
    assert same.params.keyed() == copied.params.keyed()
    with copy.open("ab") as file:
        file.write(b"more")
    assert scorer(load=False, weights=copy).fingerprint() != same.fingerprint()
    with pytest.raises(ComponentError, match=r"gone\.pt: the file of weights does not exist"):
        scorer(load=False, weights=tmp_path / "gone.pt").fingerprint()


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (
            {"model": "ViT-B-33", "pretrained": "openai"},
            r"open_clip [\w.]+ has no model 'ViT-B-33'; did you mean 'ViT-B-",
        ),
        ({"model": "ViT-B-32", "pretrained": "openia"}, "no weights 'openia' of 'ViT-B-32'; did you mean 'openai'"),
        ({"pretrained": "openai"}, f"has no weights 'openai' of '{SMALLEST}'; known: none"),
        ({"model": "ViT-B-16-SigLIP", "pretrained": "webli"}, "with a tokenizer that is fetched from the network"),
        (
            {"model": "xlm-roberta-base-ViT-B-32", "pretrained": "x"},
            "with a tokenizer that is fetched from the network",
        ),
        ({}, "no weights are named"),
        ({"template": "a photo", "pretrained": "openai"}, "parameter 'template' is 'a photo'"),
        ({"model": "hf-hub:a/b", "pretrained": "openai"}, "parameter 'model' is 'hf-hub:a/b'"),
    ],
)
def test_a_mistake_is_told(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ComponentError, match=told):
        scorer(**params)
    with pytest.raises(ComponentError, match=told):
        scorer(load=False, **params).fetch(lambda *_: None)


def test_loading_draws_nothing_from_the_global_generator(weights: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    scorer(weights=weights)
    assert torch.equal(torch.rand(2), expected)
