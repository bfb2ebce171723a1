"""Weights of ``dit-xl2``: where they are found, and what is said of missing or damaged ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from dit_xl2_scene import (
    assert_same,
    autoencoder,
    complaint,
    generator,
    latents_of,
    load,
    sampled,
    training_data,
    transformer,
)

from ddbench import Context

pytestmark = pytest.mark.usefixtures("home")


def test_planning_needs_no_weights() -> None:
    name = "facebook/DiT-XL-2-256"
    planned = generator()
    parts = {"transformer": f"{name}/transformer", "vae": f"{name}/vae", "scheduler": f"{name}/scheduler"}
    assert planned.fingerprint() == parts
    assert generator(vae="stabilityai/sd-vae-ft-mse").fingerprint() == {**parts, "vae": "stabilityai/sd-vae-ft-mse"}
    assert planned.block == 3
    assert planned.prior is None
    keyed = planned.params.keyed()
    assert "model" not in keyed
    assert (keyed["scheduler"], keyed["guidance"], keyed["guided_channels"]) == ("ddpm", 4.0, 3)


def test_a_folder_is_known_by_its_content(hub: Path, copied: Path) -> None:
    before = generator(model=str(hub)).fingerprint()
    assert generator(model=str(copied)).fingerprint() == before
    path = copied / "transformer" / "diffusion_pytorch_model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # same names, same sizes: as one fine-tuned model and another
    path.write_bytes(content)
    after = generator(model=str(copied)).fingerprint()
    assert after["transformer"] != before["transformer"]
    assert (after["vae"], after["scheduler"]) == (before["vae"], before["scheduler"])
    (copied / "README.md").write_text("not read")
    assert generator(model=str(copied)).fingerprint() == after


def test_a_fine_tuned_transformer_takes_the_place_of_the_pipelines(hub: Path, copied: Path, tmp_path: Path) -> None:
    tuned = tmp_path / "tuned"
    transformer(seed=9).save_pretrained(tuned)
    shutil.copytree(tuned, copied / "transformer", dirs_exist_ok=True)
    as_part, whole = load(hub, transformer=str(tuned)), load(copied)
    assert as_part.fingerprint() == whole.fingerprint() != load(hub).fingerprint()
    assert_same(as_part.sample_block(0, 0, Context()), whole.sample_block(0, 0, Context()))
    assert not sampled(as_part).equal(sampled(load(hub)))
    shutil.rmtree(copied / "transformer")
    assert_same(
        load(copied, transformer=str(tuned)).sample_block(0, 0, Context()), as_part.sample_block(0, 0, Context())
    )


def test_another_vae_takes_the_place_of_the_pipelines(hub: Path, tmp_path: Path) -> None:
    autoencoder(seed=9).save_pretrained(tmp_path / "vae")
    other, own = load(hub, vae=str(tmp_path / "vae")), load(hub)
    a, b = other.sample_block(0, 0, Context()), own.sample_block(0, 0, Context())
    assert latents_of(a).equal(latents_of(b))
    assert not a.images.equal(b.images)
    assert other.fingerprint() != own.fingerprint()


def cached(folder: Path, root: Path, name: str) -> None:
    """Put a folder where the Hugging Face cache has the repository ``name``."""
    repository = root / f"models--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    shutil.copytree(folder, repository / "snapshots" / "abc")


def test_a_name_is_looked_for_in_the_data_folder_and_in_the_cache(hub: Path, home: Path, tmp_path: Path) -> None:
    expected = load(hub).sample_block(0, 0, Context())
    cached(hub, tmp_path / "cache", "facebook/DiT-XL-2-256")
    by_name = generator()
    by_name.load(None, training_data(), Context())
    assert_same(by_name.sample_block(0, 0, Context()), expected)
    shutil.rmtree(tmp_path / "cache")
    shutil.copytree(hub, home / "weights" / "facebook" / "DiT-XL-2-256")
    by_name = generator()
    by_name.load(None, training_data(), Context())
    assert_same(by_name.sample_block(0, 0, Context()), expected)


def test_weights_saved_by_torch_and_an_older_configuration(hub: Path, copied: Path) -> None:
    """The repository's transformer is a state dict saved by torch, configured for diffusers' former class."""
    folder = copied / "transformer"
    (folder / "diffusion_pytorch_model.safetensors").unlink()
    transformer().save_pretrained(folder, safe_serialization=False)
    assert (folder / "diffusion_pytorch_model.bin").is_file()
    config = json.loads((folder / "config.json").read_text())
    config |= {"_class_name": "Transformer2DModel", "cross_attention_dim": None, "num_vector_embeds": None}
    (folder / "config.json").write_text(json.dumps(config))
    assert_same(load(copied).sample_block(0, 0, Context()), load(hub).sample_block(0, 0, Context()))


def shard(folder: Path) -> None:
    (folder / "diffusion_pytorch_model.safetensors").unlink()
    transformer().save_pretrained(folder, max_shard_size="20KB")


def test_sharded_weights(hub: Path, copied: Path) -> None:
    shard(copied / "transformer")
    assert len(list((copied / "transformer").glob("*.safetensors"))) > 1
    assert_same(load(copied).sample_block(0, 0, Context()), load(hub).sample_block(0, 0, Context()))


def test_missing_weights(home: Path) -> None:
    said = complaint(lambda: generator().load(None, training_data(), Context()))
    folder = home / "weights" / "facebook" / "DiT-XL-2-256"
    assert said == (
        f"generator 'dit-xl2' finds no transformer of facebook/DiT-XL-2-256: {folder}/transformer has no config.json "
        f"and the Hugging Face cache has no facebook/DiT-XL-2-256; run `ddbench fetch SUITE`, or name a folder in "
        "the parameter 'model'"
    )


def test_all_that_is_lacking_is_said(hub: Path, home: Path, tmp_path: Path) -> None:
    """The transformer is whole, the VAE another's and not here, the scheduler's file cut off in the cache alone."""
    name, cache = "facebook/DiT-XL-2-256", tmp_path / "cache"
    cached(hub, cache, name)
    (cut,) = cache.rglob("scheduler_config.json")
    cut.write_text("{")
    assert generator(vae="some/vae").missing() == (
        f"no vae of some/vae: {home}/weights/some/vae has no config.json and the Hugging Face cache has no some/vae; "
        "run `ddbench fetch SUITE`, or name a folder in the parameter 'vae'; "
        f"no scheduler of {name}: {home}/weights/{name}/scheduler has no scheduler_config.json and {cut} is cut off or "
        "damaged; run `ddbench fetch SUITE`, or name a folder in the parameter 'model'"
    )
    for path in cache.rglob("config.json"):
        path.unlink()
    both = generator().missing() or ""
    assert [both.count(f"no {kind} of {name}") for kind in ("transformer", "vae", "scheduler")] == [1, 1, 1]
    assert both.count("ddbench fetch") == 1


def test_a_half_downloaded_name(hub: Path, home: Path, tmp_path: Path) -> None:
    place = home / "weights" / "facebook" / "DiT-XL-2-256"
    shutil.copytree(hub, place)
    (place / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    cached(place, tmp_path / "cache", "facebook/DiT-XL-2-256")
    said = complaint(lambda: generator().load(None, training_data(), Context()))
    assert f"no vae of facebook/DiT-XL-2-256: {place}/vae has no diffusion_pytorch_model.safetensors and " in said
    assert "snapshots/abc/vae has no diffusion_pytorch_model.safetensors; run `ddbench fetch SUITE`, or" in said


@pytest.mark.parametrize("lost", ["a shard", "the index"])
def test_a_missing_shard(lost: str, copied: Path) -> None:
    folder = copied / "transformer"
    shard(folder)
    index = folder / "diffusion_pytorch_model.safetensors.index.json"
    path = sorted(folder.glob("*.safetensors"))[-1] if lost == "a shard" else index
    path.unlink()
    name = path.name if lost == "a shard" else "diffusion_pytorch_model.safetensors"
    for do in (generator(model=str(copied)).fingerprint, lambda: load(copied)):
        assert f"finds no transformer: {folder} has no {name}; give the parameter 'model' a folder" in complaint(do)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"weight_map": {}}'])
def test_a_damaged_index(content: str, copied: Path) -> None:
    shard(copied / "transformer")
    index = copied / "transformer" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(content)
    made = generator(model=str(copied))
    expected = f"no transformer: {index} is cut off or damaged; give the parameter 'model' a folder"
    assert (made.missing() or "").startswith(expected)
    assert expected in complaint(made.fingerprint)


@pytest.mark.parametrize("part", ["transformer", "vae"])
@pytest.mark.parametrize("damage", ["cut short", "another's", "lacks one", "has one more", "no configuration"])
def test_damaged_weights_are_named(part: str, damage: str, copied: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = copied / part
    path = folder / "diffusion_pytorch_model.safetensors"
    content, tensors = path.read_bytes(), {name: tensor.clone() for name, tensor in load_file(path).items()}
    one = min(tensors)
    path.unlink()
    if damage == "cut short":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "no configuration":
        path.write_bytes(content)
        (folder / "config.json").write_text("{")
    else:
        changed = {
            "another's": {name: tensor.flatten()[:1].clone() for name, tensor in tensors.items()},
            "lacks one": {name: tensor for name, tensor in tensors.items() if name != one},
            "has one more": {**tensors, "blocks.0.gamma": torch.ones(1)},
        }[damage]
        save_file(changed, path)
    said = complaint(lambda: load(copied))
    assert str(folder) in said
    if damage == "cut short":
        assert f"{path} is cut off or damaged" in said
    if damage == "lacks one":
        assert f"has no weights '{one}'" in said
    if damage == "has one more":
        assert "has unknown weights 'blocks.0.gamma'" in said
