"""The generator ``pool-file``: order, content, and everything that may be wrong with a file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import ddbench
from ddbench import ClassInfo, Context, DataError, Dataset, Generator, LabeledImages, TrainingData

CLASSES = tuple(ClassInfo(name) for name in ("cat", "dog", "frog"))
LABELS = (2, 0, 1, 0, 2, 2)


class Pets(Dataset):
    """Only its classes are asked for."""

    classes: ClassVar[tuple[ClassInfo, ...]] = CLASSES  # type: ignore[misc]

    def train(self) -> LabeledImages:
        raise AssertionError("no image is to be read here")

    def validation(self) -> LabeledImages:
        raise AssertionError("no image is to be read here")


def images(count: int = len(LABELS), *shape: int) -> Tensor:
    size = (count, *(shape or (3, 4, 4)))
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def tensors(**others: Any) -> dict[str, Tensor]:
    """Return the tensors of a pool, with some replaced, or removed if None."""
    whole = {"images": images(), "labels": torch.tensor(LABELS), **others}
    return {name: tensor for name, tensor in whole.items() if tensor is not None}


def write(path: Path, ids: Any = None, **others: Any) -> Path:
    save_file(tensors(**others), path, None if ids is None else {"ids": ids})
    return path


def pool(path: Path) -> Generator:
    return cast("Generator", ddbench.create("generator", "pool-file", path=path))


def loaded(path: Path) -> Generator:
    nothing = LabeledImages(torch.zeros(0, 3, 4, 4, dtype=torch.uint8), torch.zeros(0, dtype=torch.long), ())
    generator = pool(path)
    generator.load(None, TrainingData("pets", CLASSES, 4, (0.5,) * 3, (0.5,) * 3, nothing), Context())
    return generator


def test_the_images_of_a_class_in_the_files_order(tmp_path: Path) -> None:
    path = write(tmp_path / "pool.safetensors")
    generator, whole = loaded(path), images()
    for c, positions in enumerate(([1, 3], [2], [0, 4, 5])):
        samples = generator.sample_block(c, 0, Context())
        assert samples.images.equal(whole[positions])
        assert samples.ids == tuple(f"00000{i}" for i in positions)
        assert samples.latents is None
    assert generator.available(Pets()) == (2, 1, 3)
    assert generator.finite
    assert not generator.seeded


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_latents_stay_with_their_images(tmp_path: Path, dtype: torch.dtype) -> None:
    latents = torch.randn(len(LABELS), 4, 2, 2, generator=torch.Generator().manual_seed(1)).to(dtype)
    samples = loaded(write(tmp_path / "pool.safetensors", latents=latents)).sample_block(2, 0, Context())
    assert samples.latents is not None
    assert samples.latents.dtype == dtype
    assert samples.latents.equal(latents[[0, 4, 5]])


def test_ids_are_those_of_the_metadata(tmp_path: Path) -> None:
    path = write(tmp_path / "pool.safetensors", ids=json.dumps(list("fedcba")))
    assert loaded(path).sample_block(0, 0, Context()).ids == ("e", "c")


def test_other_tensors_do_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "pool.safetensors", prompts=torch.zeros(2))
    assert len(loaded(path).sample_block(0, 0, Context())) == 2


def test_a_pool_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "pool.safetensors")
    before = pool(path).fingerprint()
    assert pool(write(tmp_path / "copy.safetensors")).fingerprint() == before
    assert pool(path).params.keyed() == {}
    monkeypatch.chdir(tmp_path)
    assert pool(Path("pool.safetensors")).fingerprint() == before
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pool(Path("~/pool.safetensors")).fingerprint() == before
    changed = images()
    changed[3, 0, 0, 0] ^= 1
    write(path, images=changed)
    assert pool(path).fingerprint() != before
    assert pool(write(path, ids=json.dumps(list("fedcba")))).fingerprint() != before


def test_a_plan_needs_no_torch(tmp_path: Path) -> None:
    """The number of available samples comes from the header and the labels alone."""
    path = write(tmp_path / "pool.safetensors")
    program = (
        "import sys, ddbench; from pathlib import Path; from types import SimpleNamespace as N;"
        "pets = N(classes=[ddbench.ClassInfo(n) for n in 'abc'], ambiguous_order=False);"
        f"pool = ddbench.create('generator', 'pool-file', path=Path({str(path)!r}));"
        "print(pool.available(pets), len(pool.fingerprint()), 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "(2, 1, 3) 64 False"


def label(*labels: int) -> Tensor:
    return torch.tensor(labels)


MISTAKES: dict[str, dict[str, Any]] = {
    "holds no tensor 'images'; images are uint8 or float [N, 3, S, S]": {"images": None},
    "holds no tensor 'labels'; labels are int64 [N]": {"labels": None},
    "has 'images' of I64 [6, 3, 4, 4]; images are uint8": {"images": images().long()},
    "has float images of unknown normalisation; add `pixels: {mean": {"images": images().float()},
    "has 'images' of U8 [6, 4, 4, 3]; images are uint8": {"images": images(6, 4, 4, 3)},
    "has 'images' of U8 [6, 3, 4, 5]; images are uint8": {"images": images(6, 3, 4, 5)},
    "has 'images' of U8 [6, 48]; images are uint8": {"images": images(6, 48)},
    "has 'labels' of I32 [6]; labels are int64 [N]": {"labels": torch.tensor(LABELS, dtype=torch.int32)},
    "has 'labels' of I64 [6, 1]; labels are int64 [N]": {"labels": torch.tensor(LABELS)[:, None]},
    "has 'labels' of I64 []; labels are int64 [N]": {"labels": torch.tensor(1)},
    "has 'latents' of U8 [6, 3, 4, 4]; latents are float [N, …]": {"latents": images()},
    "has 'latents' of F32 []; latents are float [N, …]": {"latents": torch.tensor(1.0)},
    "holds 5 images, 6 labels; there is one of each": {"images": images(5)},
    "holds 6 images, 6 labels, 7 latents; there is one": {"latents": torch.zeros(7, 2)},
    "gives image 4 the label 3; the classes are 0 … 2": {"labels": label(2, 0, 1, 0, 3, 9)},
    "gives image 0 the label -1; the classes are 0 … 2": {"labels": label(-1, 0, 1, 0, 2, 2)},
    "holds no image of class 1, 'dog'; every class": {"labels": label(2, 0, 2, 0, 2, 2)},
    "holds no image of class 0, 'cat'; every class": {"images": images(0), "labels": torch.zeros(0, dtype=torch.long)},
    "has metadata 'ids' that are not a JSON list of 6 different strings; correct": {"ids": json.dumps(list("fedcb"))},
    "has metadata 'ids' that are not a JSON list": {"ids": json.dumps(list("fedcbb"))},
    "has metadata 'ids' that are not": {"ids": "a, b"},
    "has metadata 'ids' that are": {"ids": json.dumps([1, 2, 3, 4, 5, 6])},
    "has metadata 'ids' that": {"ids": json.dumps({"a": 1})},
    "has metadata 'ids'": {"ids": "[" * 100_000},
}


@pytest.mark.parametrize("ask", [loaded, lambda path: pool(path).available(Pets())], ids=["load", "available"])
@pytest.mark.parametrize("message", MISTAKES)
def test_an_unfit_file_is_told(tmp_path: Path, message: str, ask: Callable[[Path], Any]) -> None:
    path = write(tmp_path / "pool.safetensors", **MISTAKES[message])
    assert_told(path, message, ask)


def assert_told(path: Path, message: str, ask: Callable[[Path], Any]) -> None:
    with pytest.raises(DataError) as error:
        ask(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


ASKED: Sequence[Callable[[Path], Any]] = (
    lambda path: pool(path).fingerprint(),
    lambda path: pool(path).available(Pets()),
    loaded,
)


@pytest.mark.parametrize("ask", ASKED, ids=["fingerprint", "available", "load"])
def test_a_missing_or_foreign_file_is_told(tmp_path: Path, ask: Callable[[Path], Any]) -> None:
    assert_told(tmp_path / "nowhere.safetensors", "there is no such file", ask)
    assert_told(tmp_path, "there is no such file", ask)
    path = write(tmp_path / "pool.safetensors")
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:20], whole[1:], b"", b"not a pool, and long enough to be one"):
        path.write_bytes(content)
        assert_told(path, "cannot be read as safetensors (", ask)
