"""Latents of real images: made once, in pieces that fit into memory, and shared."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._dit.real_latents import RealLatents
from fine_tuning_scene import QUICK, complaint, encoded_at_most, fitted, generator
from small_pipelines import real_images
from torch import Tensor

import ddbench
from ddbench import Context
from ddbench.toolkit.kept_parts import Pace


def test_images_are_encoded_in_halves_where_memory_runs_out(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, tried = encoded_at_most(pipeline, monkeypatch, 10)
    assert tried == [10, 10, 4]
    for most, expected in ((4, [10, 5, 2, *[2] * 11]), (1, [10, 5, 2, 1, *[1] * 23])):
        latents, tried = encoded_at_most(pipeline, monkeypatch, most)
        assert tried == expected
        for name in ("mean", "deviation"):
            torch.testing.assert_close(getattr(latents, name), getattr(whole, name), rtol=2e-3, atol=1e-5)
        assert latents.labels.equal(whole.labels)


@pytest.mark.parametrize("name", ["minimax", "mode-guidance"])
def test_no_memory_for_one_image(name: str, pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(LatentDitPrior, "posterior", no_memory)
    params = {"modes": 2, "classes": "dataset"} if name == "mode-guidance" else QUICK
    made: Any = ddbench.create("generator", name, **{**params, "model": str(pipeline)})
    one = "an image of 16 px" + (" and its mirror image" if name == "minimax" else "")
    assert complaint(lambda: made.fit(real_images(), tmp_path, Context())) == (
        f"out of memory for encoding {one}; run fewer workers, or use a device with more memory"
    )


def test_images_are_encoded_alike_with_their_mirror_images_and_without(pipeline: Path) -> None:
    prior = generator("minimax", pipeline).open(real_images(), "float32", Context())
    both, one = (RealLatents.of(real_images(), prior, mirrored=mirrored) for mirrored in (True, False))
    assert one.mean.shape == (1, 24, 4, 8, 8)
    torch.testing.assert_close(one.mean[0], both.mean[0], rtol=2e-3, atol=1e-5)


def test_images_are_encoded_once_for_all_fits(pipeline: Path, tmp_path: Path, encoded: list[int]) -> None:
    """With their mirror images for fine-tuning, without for modes; whatever each makes of them."""
    alone = fitted("minimax", pipeline, tmp_path / "alone")
    encoded.clear()
    ctx = Context(cache=tmp_path / "cache")
    first = fitted("minimax", pipeline, tmp_path / "first", ctx)
    assert sum(encoded) == 2 * 24
    fitted("inversion-matching", pipeline, tmp_path / "second", ctx, learning_rate=1e-4)
    again = fitted("minimax", pipeline, tmp_path / "again", ctx)
    assert sum(encoded) == 2 * 24
    assert all(torch.equal(value, alone[name]) for one in (first, again) for name, value in one.items())
    modes = {"model": str(pipeline), "classes": "dataset", "modes": 2}
    for strength in (0.1, 0.2):
        folder = tmp_path / f"modes {strength}"
        folder.mkdir()
        guided: Any = ddbench.create("generator", "mode-guidance", **modes, strength=strength)
        guided.fit(real_images(), folder, ctx)
    assert sum(encoded) == 3 * 24


def test_two_fits_at_once_wait_for_each_other(pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One encodes, and the other reads what it has left."""
    prior, ctx = generator("minimax", pipeline).open(real_images(), "float32", Context()), Context(cache=tmp_path)
    encoded, plain = list[int](), LatentDitPrior.posterior

    def slowly(self: LatentDitPrior, images: Tensor) -> tuple[Tensor, Tensor]:
        encoded.append(len(images))
        time.sleep(0.05)
        return plain(self, images)

    monkeypatch.setattr(LatentDitPrior, "posterior", slowly)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: RealLatents.shared(real_images(), prior, ctx), range(2))
    assert sum(encoded) == 2 * 24
    assert one.mean.equal(other.mean)


class KilledError(Exception):
    """The machine went away."""


@pytest.mark.parametrize("cached", [False, True])
def test_an_encoding_that_was_stopped_goes_on_after_its_last_batch(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoded: list[int], cached: bool
) -> None:
    monkeypatch.setattr(Pace, "due", True)
    prior = generator("minimax", pipeline).open(real_images(), "float32", Context())
    whole = RealLatents.of(real_images(), prior)

    def kill(done: int, total: int) -> None:
        if done == 20:
            raise KilledError

    ctx = Context(checkpoint_file=tmp_path / "unfinished.safetensors", cache=tmp_path / "cache" if cached else None)
    with pytest.raises(KilledError):
        RealLatents.shared(real_images(), prior, replace(ctx, progress=kill))
    encoded.clear()
    resumed = RealLatents.shared(real_images(), prior, ctx)
    assert encoded == [2 * 4], "four images and their mirror images are left"
    assert resumed.mean.equal(whole.mean)
    assert resumed.deviation.equal(whole.deviation)


def test_shared_latents_are_of_the_size_that_the_transformer_takes(pipeline: Path, tmp_path: Path) -> None:
    prior, ctx = generator("minimax", pipeline).open(real_images(), "float32", Context()), Context(cache=tmp_path)
    RealLatents.shared(real_images(), prior, ctx)
    prior.network.register_to_config(sample_size=16)
    said = complaint(lambda: RealLatents.shared(real_images(), prior, ctx))
    assert said.startswith("images of 16 px have latents of 8 px, and the transformer takes latents of 16 px; ")


def test_other_images_and_other_vaes_have_other_latents(pipeline: Path, tmp_path: Path, encoded: list[int]) -> None:
    prior, ctx = generator("minimax", pipeline).open(real_images(), "float32", Context()), Context(cache=tmp_path)
    images = real_images()
    turned = replace(images, train=replace(images.train, images=images.train.images.flip(-1)))
    first = RealLatents.shared(images, prior, ctx)
    assert not RealLatents.shared(turned, prior, ctx).mean.equal(first.mean)
    with torch.no_grad():
        cast("Any", prior.vae).quant_conv.bias += 1
    assert not RealLatents.shared(images, prior, ctx).mean.equal(first.mean)
    assert sum(encoded) == 3 * 2 * 24


@pytest.mark.parametrize("damage", ["cut short", "a bit"])
def test_latents_that_are_damaged_are_made_again(
    damage: str, pipeline: Path, tmp_path: Path, encoded: list[int]
) -> None:
    prior, ctx = generator("minimax", pipeline).open(real_images(), "float32", Context()), Context(cache=tmp_path)
    first = RealLatents.shared(real_images(), prior, ctx)
    (path,) = tmp_path.glob("*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-100] if damage == "cut short" else content[:-1] + bytes([content[-1] ^ 1]))
    again = RealLatents.shared(real_images(), prior, ctx)
    assert sum(encoded) == 2 * 2 * 24
    assert again.mean.equal(first.mean)
    assert again.deviation.equal(first.deviation)
    assert path.read_bytes() == content
