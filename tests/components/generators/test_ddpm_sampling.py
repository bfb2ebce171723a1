"""Loss and sampling of ``ddpm``, against the equations and diffusers' own pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components._pixels import to_images, to_latents
from ddbench_components.generators._ddpm.prior import DdpmPrior
from ddpm_scene import BETAS, VARIANTS, assert_same, load, prior_of
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from torch import Tensor

from ddbench import Context, TrainingData
from ddbench.api import tensor_digest


def predict(prior: DdpmPrior, x: Tensor, t: int, label: int) -> Tensor:
    """Call the network by hand, on one sample."""
    out = prior.network(x[None].float(), torch.tensor([t]), class_labels=torch.tensor([label]))
    return cast("Tensor", out.sample[0].double())


def both(prior: DdpmPrior, x: Tensor, t: int, label: int, guidance: float, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
    """Return the image and the noise in ``x`` by a guided prediction."""
    said = predict(prior, x, t, 3)
    said = said + guidance * (predict(prior, x, t, label) - said)
    if prior.scheduler.config.prediction_type == "epsilon":
        return (x - (1 - alpha_bar).sqrt() * said) / alpha_bar.sqrt(), said
    return said, (x - alpha_bar.sqrt() * said) / (1 - alpha_bar).sqrt()


@pytest.mark.parametrize(("prediction", "schedule"), VARIANTS)
def test_loss_is_the_equation(data: TrainingData, fitted: Path, prediction: str, schedule: str) -> None:
    """The loss is mean (ε − ε̂)² under √ᾱ x + √(1 − ᾱ) ε, per sample, and differentiable by the latents."""
    prior = prior_of(load(fitted, data, prediction_type=prediction, beta_schedule=schedule))
    rng = torch.Generator().manual_seed(2)
    latents, noise = torch.randn(4, 3, 8, 8, generator=rng), torch.randn(4, 3, 8, 8, generator=rng)
    t, labels = torch.tensor([1, 100, 500, 950]), torch.tensor([0, 1, 2, 0])
    latents.requires_grad_()
    losses = prior.loss(latents, t, noise, labels)
    assert losses.shape == (4,)
    alpha_bar = (1 - BETAS[schedule]).cumprod(0)
    for i in range(4):
        a = alpha_bar[t[i]]
        noisy = a.sqrt() * latents[i] + (1 - a).sqrt() * noise[i]
        _, eps = both(prior, noisy, int(t[i]), int(labels[i]), 1.0, a)
        assert losses[i].item() == pytest.approx((eps - noise[i]).square().mean().item(), rel=1e-3)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert latents.grad is not None
    assert latents.grad.abs().flatten(1).sum(1).min() > 0
    assert all(weights.grad is None and not weights.requires_grad for weights in prior.network.parameters())
    assert prior.timesteps == 1000


@pytest.mark.parametrize(("prediction", "schedule"), VARIANTS)
@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_sampling_is_the_equations(
    data: TrainingData, fitted: Path, prediction: str, schedule: str, sampler: str, guidance: float
) -> None:
    """DDPM: q(xₛ | xₜ, x̂₀) of the respaced chain; DDIM: √ᾱₛ x̂₀ + √(1 − ᾱₛ) ε̂. At t = 999, 749, 499, 249."""
    variant = {"prediction_type": prediction, "beta_schedule": schedule}
    loaded = load(fitted, data, sampler=sampler, guidance=guidance, **variant)
    ctx = Context(seed=7)
    latents = loaded.sample_block(1, 1, ctx).latents
    assert latents is not None
    alpha_bar = (1 - BETAS[schedule]).cumprod(0)
    for place, index in enumerate((3, 4, 5)):
        stream = ctx.torch_rng("noise", 1, index)
        x = torch.randn(3, 8, 8, generator=stream).double()
        for t in (999, 749, 499, 249):
            a, a_next = alpha_bar[t], alpha_bar[t - 250] if t >= 250 else torch.tensor(1.0).double()
            clean, eps = both(prior_of(loaded), x, t, 1, guidance, a)
            clean = clean.clamp(-1, 1)
            beta = 1 - a / a_next
            if sampler == "ddpm":
                x = (a_next.sqrt() * beta * clean + (1 - beta).sqrt() * (1 - a_next) * x) / (1 - a)
                x = x + (beta * (1 - a_next) / (1 - a)).sqrt() * torch.randn(3, 8, 8, generator=stream)
            else:
                x = a_next.sqrt() * clean + (1 - a_next).sqrt() * eps
        torch.testing.assert_close(latents[place].double(), x, rtol=2e-3, atol=2e-3)


class Labelled(UNet2DModel):
    """A network that is always asked about one class, as diffusers' pipelines name none."""

    label = 0

    def forward(self, sample: Tensor, timestep: Any, **_: Any) -> Any:
        return super().forward(sample, timestep, class_labels=torch.full((len(sample),), self.label))


@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_sampling_is_that_of_diffusers_own_pipelines(data: TrainingData, fitted: Path, sampler: str) -> None:
    loaded, ctx = load(fitted, data, sampler=sampler, sampling_steps=5), Context(seed=3)
    prior = prior_of(loaded)
    network = Labelled.from_config(prior.network.config)
    network.load_state_dict(prior.network.state_dict())
    network.label = 2
    kinds = {"ddpm": (DDPMPipeline, DDPMScheduler), "ddim": (DDIMPipeline, DDIMScheduler)}
    pipeline = kinds[sampler][0](network, kinds[sampler][1].from_config(prior.scheduler.config))
    pipeline.set_progress_bar_config(disable=True)
    streams = [ctx.torch_rng("noise", 2, i) for i in range(3)]
    made = pipeline(3, streams, num_inference_steps=5, output_type="np").images
    samples = loaded.sample_block(2, 0, ctx)
    assert samples.latents is not None
    ours = prior.decode(samples.latents).permute(0, 2, 3, 1)
    torch.testing.assert_close(ours, torch.from_numpy(made), rtol=1e-4, atol=1e-5)
    assert made.std() > 0.05


def test_the_smallest_network_sees_class_and_timestep(data: TrainingData, fitted: Path) -> None:
    """A normalisation of single channels would take away what is added to them."""
    prior = prior_of(load(fitted, data))
    x = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0))
    said = predict(prior, x, 500, 0)
    for t, label in ((500, 1), (500, 3), (900, 0)):
        assert (predict(prior, x, t, label) - said).square().mean() > 1e-3 * said.square().mean()


def test_every_grey_value_survives_latents() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    latents = to_latents(images)
    assert (latents.min().item(), latents.max().item()) == (-1, 1)
    assert to_images(latents).equal(images)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_a_smaller_pool_is_a_bit_identical_prefix(data: TrainingData, fitted: Path, sampler: str) -> None:
    ctx, params = Context(seed=3), {"sampler": sampler, "guidance": 1.5}
    ten = load(fitted, data, **params).sample(1, 0, 10, ctx)
    assert len(set(map(tensor_digest, ten.latents if ten.latents is not None else []))) == 10
    for count in (1, 3, 4):
        assert_same(load(fitted, data, **params).sample(1, 0, count, ctx), ten[:count])
    assert_same(load(fitted, data, **params).sample(1, 4, 5, ctx), ten[4:9])


def test_samples_depend_on_seed_and_class_and_not_on_what_was_made_before(data: TrainingData, fitted: Path) -> None:
    one = load(fitted, data)
    first = one.sample_block(0, 0, Context(seed=1))
    other_seed, other_class = one.sample_block(0, 0, Context(seed=2)), one.sample_block(1, 0, Context(seed=1))
    assert not first.images.equal(other_seed.images)
    assert not first.images.equal(other_class.images)
    assert_same(one.sample_block(0, 0, Context(seed=1)), first)
    assert one.seeded


def test_images_are_the_decoded_latents(data: TrainingData, fitted: Path) -> None:
    loaded = load(fitted, data)
    samples = loaded.sample_block(2, 1, Context())
    assert samples.latents is not None
    assert samples.images.dtype == torch.uint8
    assert samples.images.shape == (3, 3, 8, 8)
    assert (prior_of(loaded).decode(samples.latents) * 255).round().to(torch.uint8).equal(samples.images)
    assert samples.ids == ("002-000003", "002-000004", "002-000005")
