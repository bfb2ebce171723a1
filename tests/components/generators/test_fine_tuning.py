"""Fine-tuning of a DiT: a loop written by hand, what learns and what does not, a kill in the middle, mistakes."""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._dit.real_latents import RealLatents
from ddbench_components.generators._finetune import fine_tuning as _fine_tuning
from ddbench_components.generators._finetune.adapter import ADAPTER
from ddbench_components.generators._finetune.difffit import add_scales, tie_embeddings, trained_parameters
from ddbench_components.generators._finetune.fine_tuned import FineTuned
from ddbench_components.generators._finetune.variance_bound import variance_bound
from diffusers import DiTTransformer2DModel
from safetensors.torch import load_file
from small_pipelines import ALPHA_BAR, real_dataset, real_images, transformer
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn.modules.module import register_module_forward_pre_hook

import ddbench
from ddbench import ComponentError, Context

QUICK = {"classes": "dataset", "sampling_steps": 2, "block": 3, "epochs": 2, "batch_size": 6}


def generator(name: str, pipeline: Path, **params: Any) -> FineTuned:
    return cast("FineTuned", ddbench.create("generator", name, **{**QUICK, "model": str(pipeline), **params}))


def fitted(name: str, pipeline: Path, folder: Path, ctx: Context | None = None, **params: Any) -> dict[str, Tensor]:
    """Return the tensors that a fit writes."""
    folder.mkdir(exist_ok=True)
    generator(name, pipeline, **params).fit(real_images(), folder, ctx or Context())
    return load_file(folder / ADAPTER)


PLAIN = {"representativeness": 0.0, "diversity": 0.0}


def test_difffit_trains_the_published_number_of_parameters() -> None:
    """1.74 million of DiT-XL/2's: all biases, the table of labels, and scales in 14 of 28 blocks."""
    with torch.device("meta"):
        network = DiTTransformer2DModel(
            num_attention_heads=16, attention_head_dim=72, num_layers=28, sample_size=32, out_channels=8
        )
    for block in network.transformer_blocks:
        block.norm1.emb = network.transformer_blocks[0].norm1.emb
    add_scales(network)
    trained = trained_parameters(network, "difffit")
    assert sum(p.numel() for p in trained.values()) == 1_739_552
    assert {name for name, p in network.named_parameters() if p.requires_grad} == set(trained)
    assert not any(name.startswith("transformer_blocks.14.") and name.endswith("gamma") for name in trained)


def test_scales_multiply_what_layers_put_out() -> None:
    """A network whose weights and biases are multiplied by the same numbers says the same."""
    scaled, plain = transformer(layers=2), transformer(layers=2)
    add_scales(scaled)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        block, other = scaled.transformer_blocks[0], plain.transformer_blocks[0]
        for path, targets in {
            "attn1.to_q": ["attn1.to_q"],
            "attn1.to_k": ["attn1.to_k"],
            "attn1.to_v": ["attn1.to_v"],
            "attn1.to_out.0": ["attn1.to_out.0"],
            "attn1": ["attn1.to_out.0"],
            "ff": ["ff.net.2"],
        }.items():
            gamma = block.get_submodule(path).gamma
            gamma.copy_(1 + 0.3 * torch.randn(gamma.shape, generator=rng))
            for target in targets:
                layer = other.get_submodule(target)
                layer.weight *= gamma[:, None]
                layer.bias *= gamma
        x, t = torch.randn(2, 4, 8, 8, generator=rng), torch.tensor([5, 900])
        ask = {"timestep": t, "class_labels": torch.tensor([0, 2])}
        torch.testing.assert_close(scaled(x, **ask).sample, plain(x, **ask).sample, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(scaled(x, **ask).sample, transformer(layers=2)(x, **ask).sample, atol=1e-2)


def test_embeddings_are_tied_where_they_are_one() -> None:
    tied, apart = transformer(), transformer(tied=False)
    for network, shared in ((tied, True), (apart, False)):
        tie_embeddings(network)
        first, second = network.transformer_blocks
        assert (first.norm1.emb is second.norm1.emb) is shared


def by_hand(pipeline: Path, which: str) -> dict[str, Tensor]:
    """Plain fine-tuning for six steps, from the equations: AdamW of the noise's squared error and of the bound."""
    data, ctx = real_images(), Context()
    made = generator("minimax", pipeline)
    prior = made.open(data, "float32", ctx)
    tie_embeddings(prior.network)
    if which == "difffit":
        add_scales(prior.network)
    trained = trained_parameters(prior.network, which)
    latents = RealLatents.of(data, prior)
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in trained.items()}
    average = {name: p.detach().clone() for name, p in trained.items()}
    for step in range(8):
        epoch, place = divmod(step, 4)
        chosen = torch.from_numpy(ctx.rng("order", epoch).permutation(24)[6 * place : 6 * place + 6])
        rng = ctx.torch_rng("step", step)
        mirrored, dropped = torch.rand(2, 6, generator=rng)
        t = torch.randint(1000, (6,), generator=rng)
        off, noise = torch.randn(2, 6, 4, 8, 8, generator=rng)
        side = (mirrored < 0.5).long()
        clean = latents.mean[side, chosen].float() + latents.deviation[side, chosen].float() * off
        a = ALPHA_BAR.float()[t][:, None, None, None]
        noisy = a.sqrt() * clean + (1 - a).sqrt() * noise
        labels = torch.where(dropped < 0.1, torch.tensor(3), data.train.labels[chosen])
        said = prior.network(noisy, timestep=t, class_labels=labels).sample
        loss = (said[:, :4] - noise).square().mean()
        loss = loss + variance_bound(ALPHA_BAR.float(), clean, noisy, t, said).mean()
        grads = torch.autograd.grad(loss, list(trained.values()))
        with torch.no_grad():
            for (name, p), g in zip(trained.items(), grads, strict=True):
                m, v = moments[name]
                m.mul_(0.9).add_(0.1 * g)
                v.mul_(0.999).add_(0.001 * g * g)
                p -= 1e-3 * (m / (1 - 0.9 ** (step + 1))) / ((v / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8)
                average[name].mul_(0.7).add_(0.3 * p)
    return average


@pytest.mark.parametrize("which", ["difffit", "full"])
def test_plain_fine_tuning_is_the_loop_written_by_hand(which: str, pipeline: Path, tmp_path: Path) -> None:
    expected = by_hand(pipeline, which)
    kept = fitted("minimax", pipeline, tmp_path / "fit", trained=which, ema=0.7, **PLAIN)
    assert set(kept) == set(expected)
    for name, value in expected.items():
        # What is added to all keys changes no softmax: its gradient is 0, of which AdamW learns the rounding.
        if not name.endswith("to_k.bias"):
            torch.testing.assert_close(kept[name], value, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    ("planned", "decay"), [(5, 0.0), (40, 0.75), (9_999, 1 - 10 / 9_999), (10_000, 0.9999), (12_448, 0.9999)]
)
def test_a_short_training_is_averaged_over_fewer_steps(planned: int, decay: float, pipeline: Path) -> None:
    """The authors' training of 12,448 steps has theirs."""
    assert generator("minimax", pipeline).params.decay(planned) == pytest.approx(decay, rel=1e-12)
    assert generator("minimax", pipeline, ema=0.9).params.decay(planned) == 0.9


def test_a_training_that_is_stopped_is_averaged_as_one_that_goes_on(pipeline: Path, tmp_path: Path) -> None:
    fitted("minimax", pipeline, tmp_path / "fit", stop_after=6)
    told = json.loads((tmp_path / "fit" / "training.json").read_text())
    assert (told["steps"], told["ema"]) == (6, 0.0), "1 - 10/8 of all eight"
    fitted("minimax", pipeline, tmp_path / "longer", epochs=5, stop_after=6)
    told = json.loads((tmp_path / "longer" / "training.json").read_text())
    assert (told["steps"], told["ema"]) == (6, 0.5)


def test_a_training_has_no_more_steps_than_its_epochs(pipeline: Path, tmp_path: Path) -> None:
    said = complaint(lambda: fitted("minimax", pipeline, tmp_path / "fit", stop_after=9))
    assert said == (
        "fine-tuning cannot stop after 9 steps: 2 epochs of 24 images have 8; "
        "lower the parameter 'stop_after', or raise 'epochs'"
    )


def test_latents_are_those_of_the_vae(pipeline: Path) -> None:
    data = real_images()
    prior = generator("minimax", pipeline).open(data, "float32", Context())
    latents = RealLatents.of(data, prior)
    assert len(latents) == 24
    for index in (0, 7, 23):
        image = data.train.images[index : index + 1].float() / 127.5 - 1
        for mirrored, picture in enumerate((image, image.flip(-1))):
            told = prior.vae.encode(picture).latent_dist
            torch.testing.assert_close(
                latents.mean[mirrored, index].float(), 0.18215 * told.mean[0], rtol=2e-3, atol=1e-4
            )
            torch.testing.assert_close(
                latents.deviation[mirrored, index].float(), 0.18215 * told.std[0], rtol=2e-3, atol=1e-4
            )
    drawn = latents.draw(torch.tensor([3]), torch.tensor([True]), torch.full((1, 4, 8, 8), 2.0))
    torch.testing.assert_close(drawn[0], latents.mean[1, 3].float() + 2 * latents.deviation[1, 3].float())


def test_the_bound_is_the_divergence_of_the_two_posteriors() -> None:
    rng = torch.Generator().manual_seed(0)
    t = torch.tensor([1, 2, 500, 999])
    clean, noise = torch.randn(2, 4, 4, 8, 8, generator=rng, dtype=torch.float64)
    said, share = (
        torch.randn(4, 4, 8, 8, generator=rng).double(),
        torch.rand(4, 4, 8, 8, generator=rng).double() * 2 - 1,
    )
    a = ALPHA_BAR[t][:, None, None, None]
    noisy = a.sqrt() * clean + (1 - a).sqrt() * noise
    output = torch.cat([said, share], dim=1).requires_grad_()
    bound = variance_bound(ALPHA_BAR, clean, noisy, t, output)
    for i, step in enumerate(t.tolist()):
        now, before = ALPHA_BAR[step], ALPHA_BAR[step - 1]
        alpha, beta = now / before, 1 - now / before

        posterior = beta * (1 - before) / (1 - now)
        guess = (noisy[i] - (1 - now).sqrt() * said[i]) / now.sqrt()
        variance = (beta.log() * (share[i] + 1) / 2 + posterior.log() * (1 - share[i]) / 2).exp()
        one, other = (
            (before.sqrt() * beta * z + alpha.sqrt() * (1 - before) * noisy[i]) / (1 - now) for z in (clean[i], guess)
        )
        divergence = kl_divergence(Normal(one, posterior.sqrt()), Normal(other, variance.sqrt()))
        assert bound[i].item() == pytest.approx(divergence.mean().item() / math.log(2), rel=1e-6)
    torch.autograd.backward(bound.sum())
    assert output.grad is not None
    assert output.grad[:, :4].abs().max() == 0, "the bound teaches the variance alone"
    assert output.grad[:, 4:].abs().min() > 0


def test_the_bound_of_the_last_step_is_the_surprise_at_the_clean_latents() -> None:
    """Bins of 1/127.5, the first and the last open; their probabilities integrated by a plain sum."""
    values = torch.tensor([-1.5, -0.4, 0.0, 0.3, 1.2], dtype=torch.float64)
    clean = values[None, None, None].expand(1, 1, 5, 5).contiguous()
    rng = torch.Generator().manual_seed(0)
    noise, said, share = torch.randn(3, 1, 1, 5, 5, generator=rng, dtype=torch.float64) * 0.3
    a = ALPHA_BAR[0]
    noisy = a.sqrt() * clean + (1 - a).sqrt() * noise
    bound = variance_bound(ALPHA_BAR, clean, noisy, torch.tensor([0]), torch.cat([said, share], dim=1))
    guess = (noisy - (1 - a).sqrt() * said) / a.sqrt()
    least = (1 - ALPHA_BAR[0]) / (1 - ALPHA_BAR[1]) * (1 - ALPHA_BAR[1] / ALPHA_BAR[0])
    deviation = ((1 - a).log() * (share + 1) / 4 + least.log() * (1 - share) / 4).exp()
    total = 0.0
    for x, m, s in zip(clean.flatten().tolist(), guess.flatten().tolist(), deviation.flatten().tolist(), strict=True):
        low = -20.0 if x < -0.999 else x - 1 / 255
        high = 20.0 if x > 0.999 else x + 1 / 255
        at = torch.linspace(max(low, m - 12 * s), min(high, m + 12 * s), 20001, dtype=torch.float64)
        probability = torch.trapezoid(Normal(m, s).log_prob(at).exp(), at).item() if at[-1] > at[0] else 0.0
        total -= math.log2(max(probability, 1e-12))
    assert bound.item() == pytest.approx(total / 25, rel=1e-4)


class KilledError(Exception):
    """The machine went away."""


@pytest.mark.parametrize(("name", "params"), [("minimax", {}), ("inversion-matching", {"minimax": True})])
def test_a_fit_that_is_killed_goes_on_with_the_same_bits(
    name: str, params: dict[str, Any], pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fitted(name, pipeline, tmp_path / "whole", **params)
    monkeypatch.setattr(_fine_tuning, "_CHECKPOINT_SECONDS", 0.0)

    def kill(done: int, total: int) -> None:
        if (done, total) == (5, 8):  # steps, after images
            raise KilledError

    kept = tmp_path / "unfinished.safetensors"
    with pytest.raises(KilledError):
        fitted(name, pipeline, tmp_path / "killed", Context(checkpoint_file=kept, progress=kill), **params)
    assert kept.is_file()
    steps: list[int] = []
    again = Context(checkpoint_file=kept, progress=lambda done, total: steps.append(done) if total == 8 else None)
    resumed = fitted(name, pipeline, tmp_path / "resumed", again, **params)
    assert steps == [6, 7, 8]
    assert set(resumed) == set(whole)
    assert all(torch.equal(value, whole[name]) for name, value in resumed.items())
    assert (tmp_path / "whole" / "training.json").read_text() == (tmp_path / "resumed" / "training.json").read_text()


def test_samples_are_those_of_the_changed_transformer(pipeline: Path, tmp_path: Path) -> None:
    kept = fitted("minimax", pipeline, tmp_path / "fit")
    tuned, plain = generator("minimax", pipeline), ddbench.create("generator", "dit-xl2", **_sampling(pipeline))
    data = real_images()
    tuned.load(tmp_path / "fit", data, Context())
    plain.load(None, data, Context())
    ours, theirs = (cast("Any", g).sample_block(1, 0, Context()) for g in (tuned, plain))
    assert not ours.images.equal(theirs.images)
    network = cast("Any", tuned.prior).network
    assert all(torch.equal(dict(network.named_parameters())[name], value) for name, value in kept.items())
    assert not any(p.requires_grad for p in network.parameters())
    frozen = {n: p for n, p in network.named_parameters() if n not in kept}
    original = dict(cast("Any", plain.prior).network.named_parameters())  # type: ignore[attr-defined]
    assert frozen
    assert all(torch.equal(p, original[name]) for name, p in frozen.items())


def _sampling(pipeline: Path) -> dict[str, Any]:
    return {"model": str(pipeline), "classes": "dataset", "sampling_steps": 2, "block": 3}


def test_training_is_told(pipeline: Path, tmp_path: Path) -> None:
    fitted("minimax", pipeline, tmp_path / "fit", stop_after=7)
    told = json.loads((tmp_path / "fit" / "training.json").read_text())
    assert told["steps"] == 7 == len(told["curve"])
    last = told["curve"][-1]
    assert {"noise", "variance", "representativeness", "diversity"} < set(last)
    assert last["gradient_of_diversity"] > 0
    assert told["curve"][0]["gradient_of_diversity"] == 0, "nothing was remembered yet"


def test_mixed_precision_trains_float32_weights(pipeline: Path, tmp_path: Path) -> None:
    plain, mixed = (fitted("minimax", pipeline, tmp_path / p, precision=p) for p in ("float32", "bf16"))
    assert all(value.dtype == torch.float32 for value in mixed.values())
    assert any(not torch.equal(mixed[name], plain[name]) for name in plain)


@pytest.mark.parametrize("variant", ["paper", "released", "trajectory"])
def test_in_mixed_precision_whatever_is_asked_is_multiplied_in_bfloat16(
    variant: str, pipeline: Path, tmp_path: Path
) -> None:
    """By the terms of the loss too."""
    asked: list[bool] = []

    def seen(module: nn.Module, args: Any) -> None:
        if isinstance(module, DiTTransformer2DModel):
            asked.append(torch.is_autocast_enabled("cpu"))

    hook = register_module_forward_pre_hook(seen)
    try:
        fitted("inversion-matching", pipeline, tmp_path / "fit", variant=variant, precision="bf16", stop_after=2)
    finally:
        hook.remove()
    assert len(asked) >= 2 * 2
    assert all(asked)


def complaint(do: Any) -> str:
    with pytest.raises(ComponentError) as caught:
        do()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_images_of_another_size(pipeline: Path, tmp_path: Path) -> None:
    made = generator("minimax", pipeline)
    said = complaint(lambda: made.fit(real_images(size=32), tmp_path, Context()))
    assert "images of 32 px have latents of 16 px, and the transformer takes latents of 8 px" in said


def test_a_loss_that_is_no_number(pipeline: Path, tmp_path: Path) -> None:
    said = complaint(lambda: fitted("minimax", pipeline, tmp_path / "fit", learning_rate=1e30))
    assert "the loss of fine-tuning is nan in step" in said
    assert "lower the parameter 'learning_rate'" in said


def test_memory_that_runs_out(pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(_fine_tuning.FineTuning, "_losses", no_memory)
    said = complaint(lambda: fitted("minimax", pipeline, tmp_path / "fit"))
    assert said == (
        "out of memory for a step of fine-tuning generator 'minimax'; lower its parameter 'batch_size' from 6 to 3"
    )


def test_a_step_is_never_of_more_images_than_there_are(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(_fine_tuning.FineTuning, "_losses", no_memory)
    said = complaint(lambda: fitted("minimax", pipeline, tmp_path / "fit", batch_size=100))
    assert said.endswith("lower its parameter 'batch_size' from 24 to 12")


def encoded_at_most(pipeline: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> tuple[RealLatents, list[int]]:
    """Encode 24 images with memory for ``most`` images and mirror images; return latents and tried sizes."""
    prior = generator("minimax", pipeline).open(real_images(), "float32", Context())
    plain, tried = LatentDitPrior.encode, list[int]()

    def encode(self: LatentDitPrior, images: Tensor) -> tuple[Tensor, Tensor]:
        tried.append(len(images) // 2)
        if tried[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, images)

    with monkeypatch.context() as patched:
        patched.setattr(LatentDitPrior, "encode", encode)
        return RealLatents.of(real_images(), prior), tried


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

    monkeypatch.setattr(LatentDitPrior, "encode", no_memory)
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


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the number of images and mirror images in each call of ``encode``."""
    seen, plain = list[int](), LatentDitPrior.encode
    monkeypatch.setattr(LatentDitPrior, "encode", lambda self, x: (seen.append(len(x)), plain(self, x))[1])
    return seen


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
    encoded, plain = list[int](), LatentDitPrior.encode

    def slowly(self: LatentDitPrior, images: Tensor) -> tuple[Tensor, Tensor]:
        encoded.append(len(images))
        time.sleep(0.05)
        return plain(self, images)

    monkeypatch.setattr(LatentDitPrior, "encode", slowly)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: RealLatents.shared(real_images(), prior, ctx), range(2))
    assert sum(encoded) == 2 * 24
    assert one.mean.equal(other.mean)


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


def test_a_stop_beyond_the_end_is_known_before_anything_is_encoded(pipeline: Path) -> None:
    generator("minimax", pipeline, stop_after=8).check(real_dataset())
    assert "cannot stop after 9 steps: 2 epochs of 24 images have 8; " in complaint(
        lambda: generator("minimax", pipeline, stop_after=9).check(real_dataset())
    )


def test_training_is_kept_every_minute() -> None:
    assert _fine_tuning._CHECKPOINT_SECONDS == 60


def test_a_damaged_adapter(pipeline: Path, tmp_path: Path) -> None:
    fitted("minimax", pipeline, tmp_path / "fit")
    path = tmp_path / "fit" / ADAPTER
    path.write_bytes(path.read_bytes()[:-100])
    said = complaint(lambda: generator("minimax", pipeline).load(tmp_path / "fit", real_images(), Context()))
    assert str(path) in said
