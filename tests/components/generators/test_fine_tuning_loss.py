"""DiffFit's parameters, the loop of plain fine-tuning, and the bound on the variance."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from ddbench_components.generators._dit.real_latents import RealLatents
from ddbench_components.generators._finetune.difffit import add_scales, tie_embeddings, trained_parameters
from ddbench_components.generators._finetune.variance_bound import variance_bound
from diffusers import DiTTransformer2DModel
from fine_tuning_scene import PLAIN, complaint, fitted, generator
from small_pipelines import ALPHA_BAR, real_images, transformer
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from ddbench import Context


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
