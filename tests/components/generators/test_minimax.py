"""The terms of Minimax diffusion by hand, and checkpoints that its released code has saved."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._finetune.adapter import ADAPTER
from ddbench_components.generators._finetune.minimax_terms import MinimaxTerms
from ddbench_components.generators._finetune.noised_batch import NoisedBatch
from ddbench_components.generators.minimax import Minimax
from diffusers.models.embeddings import Timesteps
from safetensors.torch import load_file, save_file
from small_pipelines import real_images, save_pipeline, transformer
from torch import Tensor, nn

import ddbench
from ddbench import ComponentError, Context

HALF = 2**-0.5


def batch(labels: list[int], clean: list[list[float]], guessed: list[list[float]]) -> NoisedBatch:
    """Latents of two numbers, and what the network takes for the clean ones."""
    told = [torch.tensor(values, dtype=torch.float32)[:, :, None, None] for values in (clean, guessed)]
    made = SimpleNamespace(labels=torch.tensor(labels), clean=told[0], guessed=told[1].requires_grad_())
    return cast("NoisedBatch", made)


def test_nothing_is_asked_of_a_class_of_which_nothing_is_remembered() -> None:
    terms = MinimaxTerms(classes=2, latent=2, size=3, representativeness=0.5, diversity=2.0)
    parts = terms(batch([0, 1], [[1, 0], [0, 1]], [[1, 1], [1, 0]]))
    assert [part.item() for part in parts.values()] == [0, 0]


def test_the_terms_by_hand() -> None:
    terms = MinimaxTerms(classes=2, latent=2, size=3, representativeness=0.5, diversity=2.0)
    terms(batch([0, 0, 1], [[3, 0], [0, 2], [0, 1]], [[1, 1], [-1, 0], [1, 0]]))
    second = batch([0, 1, 0], [[1, 1], [1, 0], [1, 1]], [[2, 0], [0, 5], [0, -1]])
    parts = terms(second)
    # Class 0, guesses (2, 0) and (0, -1). Real (3, 0), (0, 2): cosines 1, 0, 0, -1; the least is -1.
    # Made (1, 1), (-1, 0): cosines 1/√2, -1, -1/√2, 0; the most is 1/√2. Class 1, guess (0, 5): real 1, made 0.
    assert parts["representativeness"].item() == pytest.approx(0.5 * ((1 - -1) + (1 - 1)) / 2)
    assert parts["diversity"].item() == pytest.approx(2.0 * (HALF + 0) / 2)
    torch.autograd.backward(sum(parts.values()))
    assert second.guessed.grad is not None
    assert second.guessed.grad.abs().sum() > 0


def test_the_last_ones_are_remembered() -> None:
    """Those that went first are forgotten first; a batch that is larger than the memory leaves its end."""
    terms = MinimaxTerms(classes=2, latent=2, size=3, representativeness=1.0, diversity=0.0)

    def shown(labels: list[int], clean: list[list[float]]) -> float:
        return terms(batch(labels, clean, [[1.0, 0.0]] * len(labels)))["representativeness"].item()

    shown([0, 1], [[-1, 0], [0, 1]])
    assert shown([0], [[0, 1]]) == pytest.approx(2)  # against (-1, 0)
    assert shown([0], [[1, 0]]) == pytest.approx(2)
    assert shown([0], [[1, 0]]) == pytest.approx(2)  # the third has only just been remembered
    assert shown([0], [[1, 0]]) == pytest.approx(1)  # (-1, 0) is gone: (0, 1) is the least like
    assert shown([0], [[1, 0]]) == pytest.approx(0)
    shown([1] * 4, [[-1, 0], [1, 0], [1, 0], [1, 0]])
    assert shown([1], [[1, 0]]) == pytest.approx(0)


def test_the_memory_keeps_no_graph() -> None:
    terms = MinimaxTerms(classes=1, latent=2, size=3, representativeness=1.0, diversity=1.0)
    first = batch([0], [[1, 0]], [[1, 1]])
    terms(first)
    torch.autograd.backward(sum(terms(batch([0], [[1, 0]], [[0, 1]])).values()))
    assert first.guessed.grad is None


def test_weights_of_nothing_change_nothing(tmp_path: Path) -> None:
    """With both at 0 it is plain fine-tuning, and so is it with no term at all, bit for bit."""
    folder = save_pipeline(tmp_path / "pipeline")
    zero = fitted(folder, tmp_path / "zero", representativeness=0.0, diversity=0.0)

    class Plain(Minimax):
        def term(self, classes: int, latent: int) -> Any:
            return None

    own = Plain(Plain.Params(**params(folder)))
    (tmp_path / "none").mkdir()
    own.fit(real_images(), tmp_path / "none", Context())
    none = load_file(tmp_path / "none" / ADAPTER)
    assert set(zero) == set(none)
    assert all(torch.equal(value, none[name]) for name, value in zero.items())
    default = fitted(folder, tmp_path / "default")
    assert any(not torch.equal(value, none[name]) for name, value in default.items())


def params(pipeline: Path, **more: Any) -> dict[str, Any]:
    return {"model": str(pipeline), "classes": "dataset", "sampling_steps": 2, "block": 3, "epochs": 2, **more}


def generator(pipeline: Path, **more: Any) -> Minimax:
    return cast("Minimax", ddbench.create("generator", "minimax", **params(pipeline, **more)))


def fitted(pipeline: Path, folder: Path, **more: Any) -> dict[str, Tensor]:
    folder.mkdir()
    generator(pipeline, **more).fit(real_images(), folder, Context())
    return load_file(folder / ADAPTER)


def as_released(network: Any, scales: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a transformer by the names of DiT's code, with the scales of a method's."""
    ours = network.state_dict()
    theirs = {"pos_embed": network.pos_embed.pos_embed}

    def move(name: str, to: str) -> None:
        theirs.update({f"{to}.{p}": ours[f"{name}.{p}"] for p in ("weight", "bias") if f"{name}.{p}" in ours})

    move("pos_embed.proj", "x_embedder.proj")
    move("proj_out_1", "final_layer.adaLN_modulation.1")
    move("proj_out_2", "final_layer.linear")
    embedding = "transformer_blocks.0.norm1.emb"
    move(f"{embedding}.timestep_embedder.linear_1", "t_embedder.mlp.0")
    move(f"{embedding}.timestep_embedder.linear_2", "t_embedder.mlp.2")
    move(f"{embedding}.class_embedder.embedding_table", "y_embedder.embedding_table")
    for i in range(len(network.transformer_blocks)):
        mine, block = f"transformer_blocks.{i}", f"blocks.{i}"
        move(f"{mine}.norm1.linear", f"{block}.adaLN_modulation.1")
        move(f"{mine}.attn1.to_out.0", f"{block}.attn.proj")
        move(f"{mine}.ff.net.0.proj", f"{block}.mlp.fc1")
        move(f"{mine}.ff.net.2", f"{block}.mlp.fc2")
        for part in ("weight", "bias"):
            thirds = [ours[f"{mine}.attn1.to_{x}.{part}"] for x in "qkv"]
            theirs[f"{block}.attn.qkv.{part}"] = torch.cat(thirds)
    return {**theirs, **scales}


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    return save_pipeline(tmp_path / "pipeline")


def checkpoint(folder: Path, scales: dict[str, Tensor] | None = None, seed: int = 9, **content: Any) -> Path:
    path = folder / "0012000.pt"
    weights = as_released(transformer(seed), scales or {})
    kept = {"model": {n: torch.zeros_like(v) for n, v in weights.items()}, "ema": weights, "opt": {"state": {}}}
    torch.save({**kept, "args": argparse.Namespace(data_path="ImageNet", epochs=8), **content}, path)
    return path


def scales(rng: torch.Generator) -> dict[str, Tensor]:
    shapes = {"attn.gamma1": 48, "attn.gamma2": 16, "gamma1": 16, "gamma2": 16}
    return {f"blocks.0.{name}": 1 + 0.3 * torch.randn(size, generator=rng) for name, size in shapes.items()}


@pytest.mark.parametrize("scaled", [True, False])
def test_an_imported_checkpoint_says_what_the_trained_network_said(
    scaled: bool, pipeline: Path, tmp_path: Path
) -> None:
    given = scales(torch.Generator().manual_seed(3)) if scaled else {}
    made = generator(pipeline, checkpoint=checkpoint(tmp_path, given))
    folder = tmp_path / "fit"
    folder.mkdir()
    made.fit(real_images(), folder, Context())
    made.load(folder, real_images(), Context())
    expected = transformer(seed=9)
    for module in expected.modules():
        if isinstance(module, Timesteps):
            module.downscale_freq_shift = 0  # the frequencies of DiT's own code, which saved the checkpoint
    if scaled:
        block = expected.transformer_blocks[0]
        with torch.no_grad():
            for x, gamma in zip("qkv", given["blocks.0.attn.gamma1"].chunk(3), strict=True):
                scale(block.attn1.get_submodule(f"to_{x}"), gamma)
            scale(block.attn1.to_out[0], given["blocks.0.attn.gamma2"] * given["blocks.0.gamma1"])
            scale(block.ff.net[2], given["blocks.0.gamma2"])
    x, t = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 400, 999])
    labels = torch.tensor([2, 0, 3])
    with torch.no_grad():
        said = cast("Any", made.prior).output(x, t, labels)
        torch.testing.assert_close(said, expected(x, timestep=t, class_labels=labels).sample, rtol=1e-4, atol=1e-5)
    told = json.loads((folder / "training.json").read_text())
    assert (told["imported"], told["scaled"]) == ("ema", scaled)


def test_a_checkpoint_comes_with_the_frequencies_of_its_code(pipeline: Path, tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    assert generator(pipeline).params.frequencies == "diffusers"
    assert generator(pipeline, checkpoint=path).params.frequencies == "dit"
    assert generator(pipeline, checkpoint=path, frequencies="diffusers").params.frequencies == "diffusers"


def scale(layer: nn.Module, by: Tensor) -> None:
    weight, bias = cast("Tensor", layer.weight), cast("Tensor", layer.bias)
    weight *= by[:, None]
    bias *= by


def test_what_is_the_pipelines_own_is_not_kept(pipeline: Path, tmp_path: Path) -> None:
    """Of a checkpoint that only changed biases, the biases are kept."""
    network = transformer(seed=0)
    with torch.no_grad():
        network.proj_out_2.bias += 1
    path = tmp_path / "tuned.pt"
    torch.save(as_released(network, {}), path)
    folder = tmp_path / "fit"
    folder.mkdir()
    generator(pipeline, checkpoint=path).fit(real_images(), folder, Context())
    assert set(load_file(folder / ADAPTER)) == {"proj_out_2.bias"}
    assert json.loads((folder / "training.json").read_text())["imported"] == "weights"


def test_a_checkpoint_of_safetensors(pipeline: Path, tmp_path: Path) -> None:
    weights = as_released(transformer(9), scales(torch.Generator().manual_seed(3)))
    save_file({name: value.clone() for name, value in weights.items()}, tmp_path / "own.safetensors")
    torch.save(weights, tmp_path / "own.pt")
    one, other = (fitted(pipeline, tmp_path / s, checkpoint=tmp_path / f"own.{s}") for s in ("safetensors", "pt"))
    assert set(one) == set(other)
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_checkpoint_is_known_by_its_content(pipeline: Path, tmp_path: Path) -> None:
    plain = generator(pipeline).fingerprint()
    one = generator(pipeline, checkpoint=checkpoint(tmp_path)).fingerprint()
    other = generator(pipeline, checkpoint=checkpoint(tmp_path, seed=8)).fingerprint()
    assert len({json.dumps(f, sort_keys=True) for f in (plain, one, other)}) == 3


def complaint(pipeline: Path, path: Path) -> str:
    with pytest.raises(ComponentError) as caught:
        generator(pipeline, checkpoint=path).fit(real_images(), path.parent, Context())
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_mistakes_with_checkpoints(pipeline: Path, tmp_path: Path) -> None:
    assert "the file of weights does not exist" in complaint(pipeline, tmp_path / "none.pt")
    path = checkpoint(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "cannot be loaded as weights of a checkpoint of a DiT" in complaint(pipeline, path)
    weights = as_released(transformer(9), {})
    lacking = {name: value for name, value in weights.items() if name != "blocks.1.mlp.fc2.bias"}
    torch.save(lacking, path)
    assert "has no weights for 'transformer_blocks.1.ff.net.2.bias'" in complaint(pipeline, path)
    torch.save({**weights, "blocks.7.mlp.fc2.bias": torch.zeros(16)}, path)
    assert "'blocks.7.mlp.fc2.bias'" in complaint(pipeline, path)
    torch.save(as_released(transformer(9, classes=7), {}), path)
    said = complaint(pipeline, path)
    assert "class_embedder.embedding_table.weight' of shape (8, 16), and the pipeline's transformer (4, 16)" in said
    torch.save({"ema": SimpleNamespace(steps=3)}, path)
    assert "(it contains other objects than tensors, or is damaged); " in complaint(pipeline, path)


def test_files_that_are_no_checkpoints(pipeline: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.pt"
    none = f"{path}: is not a checkpoint of a DiT: it holds no weights by name; give the parameter 'checkpoint' a file "
    for content in ({"hello": 1}, {"ema": 3}, {}, [torch.zeros(2)], {7: torch.zeros(2)}):
        torch.save(content, path)
        assert complaint(pipeline, path).startswith(none)
    torch.save({"conv1.weight": torch.zeros(2)}, path)
    expected = f"{path}: has 'conv1.weight', which a DiT of 2 blocks does not have; give a checkpoint of "
    assert complaint(pipeline, path).startswith(expected)
    path.write_text("hello world")
    of_what = f"{path}: cannot be loaded as weights of a checkpoint of a DiT"
    assert complaint(pipeline, path).startswith(f"{of_what} (it is truncated, or not a .pt file); ")
