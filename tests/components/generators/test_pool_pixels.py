"""Float images and soft labels of ``pool-file``: their scale, their columns, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from pool_folders import training
from safetensors.torch import save_file
from torch import Tensor

import ddbench
from ddbench import ClassInfo, Context, DataError, Generator, Samples, TrainingData
from ddbench.toolkit import tensor_digest

PETS = training([ClassInfo(name) for name in ("cat", "dog", "frog")])
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.5]
PIXELS = {"mean": MEAN, "std": STD}
NONE = {"mean": [0, 0, 0], "std": [1, 1, 1]}
LABELS = torch.tensor([2, 0, 1, 0])


def unit(seed: int = 0) -> Tensor:
    """Return pixels a little beyond [0, 1]."""
    return torch.rand(4, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 1.5 - 0.25


def normalised(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return (pixels - mean) / std


def write(path: Path, tensors: dict[str, Tensor], **metadata: Any) -> Path:
    save_file({"labels": LABELS, **tensors}, path, {name: json.dumps(value) for name, value in metadata.items()})
    return path


def pool(path: Path, data: TrainingData = PETS, **params: Any) -> Generator:
    generator = cast("Generator", ddbench.create("generator", "pool-file", path=path, **params))
    generator.load(None, data, Context())
    return generator


def samples(path: Path, data: TrainingData = PETS, **params: Any) -> list[Samples]:
    generator = pool(path, data, **params)
    return [generator.sample_block(c, 0, Context()) for c in range(3)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("in_file", [True, False])
def test_float_images_lose_their_normalisation(tmp_path: Path, dtype: torch.dtype, in_file: bool) -> None:
    images = normalised(unit()).to(dtype)
    path = write(tmp_path / "p.safetensors", {"images": images}, **(PIXELS if in_file else {}))
    found = samples(path, **({} if in_file else {"pixels": PIXELS}))
    whole = torch.cat([found[0].images, found[1].images, found[2].images])
    assert whole.dtype == torch.float32
    torch.testing.assert_close(whole, unit()[[1, 3, 2, 0]], atol={4: 1e-6, 2: 2e-2}[dtype.itemsize], rtol=0)


def test_images_without_a_normalisation_stay_as_they_are(tmp_path: Path) -> None:
    images = unit() * (unit() > 0.5)
    images[2, 0, 0, 0] = -0.0
    found = samples(write(tmp_path / "p.safetensors", {"images": images}, **NONE))[1].images
    assert tensor_digest(found) == tensor_digest(images[[2]]), "to the sign of zeros"


def test_the_normalisation_decides_the_key(tmp_path: Path) -> None:
    path = write(tmp_path / "p.safetensors", {"images": normalised(unit())})
    marks = {json.dumps(pool(path, pixels=pixels).fingerprint()) for pixels in (PIXELS, {**PIXELS, "std": [1, 1, 1]})}
    assert len(marks) == 2
    assert pool(path, pixels=PIXELS).params.keyed() == {}


IMAGES = "images"
WRONG: dict[str, tuple[Callable[[], dict[str, Tensor]], dict[str, Any], dict[str, Any]]] = {
    "has float images of unknown normalisation; add `pixels: {mean": (lambda: {IMAGES: unit()}, {}, {}),
    "has pixels from 12.5 to 12.5, not in [0, 1]; divide bytes by 255; correct mean and std": (
        lambda: {IMAGES: torch.tensor([-0.25, 12.5])[:, None, None, None].expand(-1, 3, 4, 4).repeat(2, 1, 1, 1)},
        NONE,
        {},
    ),
    "has NaN or infinite values in 'images'; correct": (lambda: {IMAGES: unit() / 0}, NONE, {}),
    "has images within [0, 1], which are not normalised by a mean; use mean 0": (
        lambda: {IMAGES: unit().clamp(0, 1)},
        PIXELS,
        {},
    ),
    "has another mean or std than the parameter 'pixels'": (lambda: {IMAGES: unit()}, NONE, {"pixels": PIXELS}),
    "has images of bytes, which are not normalised; remove `pixels`": (
        lambda: {IMAGES: (unit().clamp(0, 1) * 255).byte()},
        {},
        {"pixels": PIXELS},
    ),
    "has metadata 'mean' and 'std' that are not three numbers each": (
        lambda: {IMAGES: unit()},
        {"mean": [0, 0], "std": [1, 1, 1]},
        {},
    ),
    "has metadata 'mean' and 'std' that are": (lambda: {IMAGES: unit()}, {"mean": [0, 0, 0]}, {}),
    "has metadata 'mean' and 'std' that": (lambda: {IMAGES: unit()}, {**NONE, "std": [1, 0, 1]}, {}),
    "has 'soft_logits' of F32 [4, 5]; soft labels are float [N, C] with one column for each class of the file": (
        lambda: {IMAGES: unit(), "soft_logits": torch.zeros(4, 5)},
        NONE,
        {},
    ),
    "has 'soft_logits' of I64 [4, 3]": (
        lambda: {IMAGES: unit(), "soft_logits": torch.zeros(4, 3, dtype=torch.long)},
        NONE,
        {},
    ),
    "has 'soft_logits' of F32 [3]": (lambda: {IMAGES: unit(), "soft_logits": torch.zeros(3)}, NONE, {}),
    "holds 4 images, 4 labels, 3 soft_logits": (
        lambda: {IMAGES: unit(), "soft_logits": torch.zeros(3, 3)},
        NONE,
        {},
    ),
    "holds both 'soft_logits' and 'soft_probabilities'": (
        lambda: {IMAGES: unit(), "soft_logits": torch.zeros(4, 3), "soft_probabilities": torch.ones(4, 3) / 3},
        NONE,
        {},
    ),
    "has no metadata 'tau' that is a positive number": (
        lambda: {IMAGES: unit(), "soft_probabilities": torch.ones(4, 3) / 3},
        NONE,
        {},
    ),
    "has 'soft_probabilities' that are negative or do not sum to 1": (
        lambda: {IMAGES: unit(), "soft_probabilities": torch.ones(4, 3)},
        {**NONE, "tau": 1},
        {},
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_an_unfit_file_is_told(tmp_path: Path, message: str) -> None:
    tensors, metadata, params = WRONG[message]
    path = write(tmp_path / "p.safetensors", tensors(), **metadata)
    with pytest.raises(DataError) as error:
        samples(path, **params)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_columns_of_soft_labels_are_matched_by_name(tmp_path: Path) -> None:
    """The file numbers frog, cow, cat, dog; label and column of each class say so."""
    logits = torch.arange(16.0).reshape(4, 4)
    tensors = {"images": unit(), "labels": torch.tensor([0, 2, 3, 1]), "soft_logits": logits}
    path = write(tmp_path / "p.safetensors", tensors, **NONE, classes=["frog", "cow", "cat", "dog"], teacher="Ada")
    for data in (PETS, replace(PETS, ambiguous_order=True)):
        cat, dog, frog = samples(path, data)
        assert [s.soft_logits.tolist() for s in (cat, dog, frog) if s.soft_logits is not None] == [
            [[6, 7, 4]],
            [[10, 11, 8]],
            [[2, 3, 0]],
        ]
        assert cat.notes == ("soft labels of Ada",)
    assert pool(path).has_soft_labels


def test_columns_in_doubt_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.safetensors", {"images": unit(), "soft_logits": torch.zeros(4, 3)}, **NONE)
    assert samples(path)[0].notes == ("soft labels of an unnamed teacher",)
    with pytest.raises(DataError, match="names no classes for its labels"):
        samples(path, replace(PETS, ambiguous_order=True))


def test_probabilities_become_logits_at_their_temperature(tmp_path: Path) -> None:
    """The softmax of logits / τ gives the probabilities back, and other temperatures those of the true logits."""
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(1)) * 3
    tensors = {"images": unit(), "soft_probabilities": (logits / 4).softmax(1)}
    found = samples(write(tmp_path / "p.safetensors", tensors, **NONE, tau=4))
    whole = torch.cat([s.soft_logits for s in found if s.soft_logits is not None])
    for tau in (1.5, 4.0):
        torch.testing.assert_close((whole / tau).softmax(1), (logits[[1, 3, 2, 0]] / tau).softmax(1))


def test_a_probability_of_zero_stays_zero(tmp_path: Path) -> None:
    tensors = {"images": unit(), "soft_probabilities": torch.eye(3)[[2, 0, 1, 0]]}
    cat = samples(write(tmp_path / "p.safetensors", tensors, **NONE, tau=1))[0].soft_logits
    assert cat is not None
    assert cat.isfinite().all()
    torch.testing.assert_close(cat.softmax(1), torch.eye(3)[[0, 0]])


def test_a_prior_needs_latents_or_leave_to_encode(tmp_path: Path) -> None:
    data = cast("Any", PETS)
    plain = write(tmp_path / "plain.safetensors", {"images": unit()}, **NONE)
    latent = write(tmp_path / "latent.safetensors", {"images": unit(), "latents": torch.zeros(4, 1)}, **NONE)
    with pytest.raises(DataError, match="has no latents for the prior of 'dit'; add `encode: true`"):
        pool(plain, prior="dit").check(data)
    for generator, encode in ((pool(plain, prior="dit", encode=True), True), (pool(latent, prior="dit"), False)):
        generator.check(data)
        assert generator.borrowed_prior == ddbench.BorrowedPrior("dit", encode)
        assert generator.fingerprint() == pool(generator.params.path).fingerprint()  # type: ignore[attr-defined]
    assert pool(latent).borrowed_prior is None
