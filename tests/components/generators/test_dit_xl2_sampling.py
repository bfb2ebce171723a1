"""Sampling of ``dit-xl2``: diffusers' own pipelines, respacing, guidance, keyed noise and precision."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from ddbench_components.generators._dit.sampler import Sampler
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DiTPipeline,
)
from dit_xl2_scene import (
    INDICES,
    STEPS,
    assert_same,
    generator,
    latents_of,
    load,
    prior_of,
    sampled,
    says,
    streams,
)
from small_pipelines import ALPHA_BAR
from torch import Tensor

from ddbench import Context
from ddbench.api import tensor_digest

pytestmark = pytest.mark.usefixtures("home")


class RecordingScheduler(DDIMScheduler):
    """DDIM that remembers the last latents."""

    def step(self, *args: Any, **kwargs: Any) -> Any:
        result = super().step(*args, **kwargs)
        self.last = result.prev_sample
        return result


def pipeline(folder: Path) -> Any:
    found = DiTPipeline.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False)
    found.set_progress_bar_config(disable=True)
    return found


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_ddim_is_diffusers_own_pipeline(guidance: float, hub: Path) -> None:
    loaded = load(hub, scheduler="ddim", guided_channels="all", guidance=guidance)
    theirs = pipeline(hub)
    theirs.scheduler = RecordingScheduler.from_config(theirs.scheduler.config)
    for class_index, label in enumerate(INDICES):
        made = theirs(
            [label] * 3,
            guidance_scale=guidance,
            generator=streams(Context(seed=5), class_index),
            num_inference_steps=STEPS,
            output_type="np",
        ).images
        made = torch.from_numpy(made).permute(0, 3, 1, 2)
        latents = sampled(loaded, class_index)
        torch.testing.assert_close(latents, theirs.scheduler.last[:3], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(prior_of(loaded).decode(latents), made, rtol=1e-4, atol=1e-5)
        assert made.std() > 0.01


@pytest.mark.parametrize(("frequencies", "intervals"), [("diffusers", 127), ("dit", 128)])
def test_the_frequencies_of_timesteps(frequencies: str, intervals: int, hub: Path) -> None:
    """The frequencies are cos and sin of t · exp(−ln(10⁴) i / n) for each i < 128, for every caller."""
    prior, t = prior_of(load(hub, frequencies=frequencies)), torch.tensor([3, 417, 999])
    angles = t[:, None] * torch.exp(-math.log(10_000) * torch.arange(128) / intervals)
    expected = torch.cat([angles.cos(), angles.sin()], dim=1)
    seen: list[Tensor] = []
    for block in prior.network.transformer_blocks:
        block.norm1.emb.timestep_embedder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    prior.predict(torch.zeros(3, 4, 8, 8), t, torch.tensor([0, 1, 2]))
    assert len(seen) > len(prior.network.transformer_blocks), "each block's, and the last layer's"
    for embedded in seen:
        torch.testing.assert_close(embedded, expected, rtol=0, atol=1e-3)


class WithVariance(DDPMScheduler):
    """DDPM of diffusers, given back the variance that its pipeline drops, and noise keyed by image.

    The pipeline denoises every image twice, and throws the second away.
    """

    variance: Tensor
    noise: list[torch.Generator]

    def step(self, model_output: Tensor, timestep: Any, sample: Tensor, **_: Any) -> Any:
        whole = torch.cat([model_output, self.variance], dim=1)
        streams = [*self.noise, *(torch.Generator() for _ in range(len(sample) - len(self.noise)))]
        result = super().step(whole, timestep, sample, generator=streams)
        self.last = result.prev_sample
        return result


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_ddpm_is_diffusers_own_pipeline_with_the_variance(guidance: float, hub: Path) -> None:
    loaded = load(hub, guided_channels="all", guidance=guidance)
    theirs = pipeline(hub)
    theirs.scheduler = WithVariance.from_config(
        theirs.scheduler.config, variance_type="learned_range", timestep_spacing="linspace"
    )

    def note(module: Any, args: Any, output: Any) -> None:
        theirs.scheduler.variance = output.sample[:, 4:]

    theirs.transformer.register_forward_hook(note)
    theirs.scheduler.noise = streams(Context(seed=5), 1)
    theirs(
        [INDICES[1]] * 3, guidance, theirs.scheduler.noise, STEPS, output_type="pt"
    )  # the same streams: first the starting noise, then that of each step
    torch.testing.assert_close(sampled(loaded, 1), theirs.scheduler.last[:3], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [3, "all"])
def test_sampling_is_respaced_ddpm(channels: Any, hub: Path) -> None:
    """The posterior of a chain of the steps kept alone, log-variance between its bounds, noise keyed by the image."""
    loaded, steps = load(hub, guided_channels=channels, guidance=2.5), (999, 666, 333, 0)
    prior, end = prior_of(loaded), 4 if channels == "all" else channels
    for index, stream in enumerate(streams(Context(seed=5), 2)):
        x = torch.randn(4, 8, 8, generator=stream).double()
        for t, following in zip(steps, (*steps[1:], None), strict=True):
            (eps, share), (without, _) = says(prior, x, t, 999), says(prior, x, t, 1000)
            eps[:end] = without[:end] + 2.5 * (eps - without)[:end]
            a, a_next = ALPHA_BAR[t], torch.tensor(1.0) if following is None else ALPHA_BAR[following]
            beta = 1 - a / a_next
            clean = (x - (1 - a).sqrt() * eps) / a.sqrt()
            x = (a_next.sqrt() * beta * clean + (1 - beta).sqrt() * (1 - a_next) * x) / (1 - a)
            if following is not None:
                least = (beta * (1 - a_next) / (1 - a)).log()
                log_variance = (share + 1) / 2 * beta.log() + (1 - share) / 2 * least
                x = x + (log_variance / 2).exp() * torch.randn(4, 8, 8, generator=stream)
        torch.testing.assert_close(sampled(loaded, 2)[index].double(), x, rtol=1e-3, atol=1e-3)


def test_unguided_channels_follow_the_class_alone(hub: Path) -> None:
    prior = prior_of(load(hub))
    rng = torch.Generator().manual_seed(0)
    x, t = torch.randn(2, 4, 8, 8, generator=rng), torch.tensor(500)
    plain, three, four = (
        Sampler(prior, generator(guidance=g, guided_channels=c).params).guided(x, t, 1)
        for g, c in ((1.0, 3), (4.0, 3), (4.0, "all"))
    )
    torch.testing.assert_close(three[:, 3:], plain[:, 3:])
    torch.testing.assert_close(three[:, :3], four[:, :3])
    torch.testing.assert_close(four[:, 4:], plain[:, 4:])
    assert (four[:, 3] - plain[:, 3]).abs().max() > 0.01
    assert (three[:, :3] - plain[:, :3]).abs().max() > 0.01


@pytest.mark.parametrize("scheduler", ["ddpm", "ddim"])
def test_a_smaller_pool_is_a_bit_identical_prefix(scheduler: str, hub: Path) -> None:
    ctx = Context(seed=3)
    loaded = load(hub, scheduler=scheduler, batch=2)
    eight = loaded.sample(1, 0, 8, ctx)
    assert len(set(map(tensor_digest, latents_of(eight)))) == 8
    fresh = load(hub, scheduler=scheduler, batch=2)
    for start, count in ((2, 5), (0, 1), (0, 3), (0, 4)):
        assert_same(fresh.sample(1, start, count, ctx), eight[start : start + count])


@pytest.mark.parametrize("scheduler", ["ddpm", "ddim"])
def test_noise_is_keyed_by_seed_class_and_index(scheduler: str, hub: Path) -> None:
    """Whatever is computed together: blocks and batches of other sizes differ by rounding alone."""
    whole = load(hub, scheduler=scheduler, block=6, batch=6).sample_block(1, 0, Context(seed=3))
    parts = load(hub, scheduler=scheduler, block=2, batch=1).sample(1, 0, 6, Context(seed=3))
    torch.testing.assert_close(latents_of(whole), latents_of(parts), rtol=1e-2, atol=1e-3)
    assert whole.ids == parts.ids == tuple(f"001-{i:06d}" for i in range(6))
    loaded = load(hub, scheduler=scheduler)
    ours = loaded.sample_block(0, 0, Context(seed=1))
    for class_index, block, seed in ((0, 0, 2), (1, 0, 1), (0, 1, 1)):
        other = loaded.sample_block(class_index, block, Context(seed=seed))
        assert (latents_of(ours).float() - latents_of(other).float()).abs().flatten(1).amax(1).min() > 0.01


@pytest.mark.parametrize("scheduler", ["ddpm", "ddim"])
def test_the_global_generator_is_left_alone(scheduler: str, hub: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    load(hub, scheduler=scheduler).sample_block(0, 0, Context())
    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_half_precision_latents_decode_to_the_stored_images(precision: str, hub: Path) -> None:
    loaded = load(hub, precision=precision)
    samples = loaded.sample_block(2, 1, Context())
    latents = latents_of(samples)
    assert (latents.dtype, latents.shape) == (torch.float16, (3, 4, 8, 8))
    assert (samples.images.dtype, samples.images.shape) == (torch.uint8, (3, 3, 64, 64))
    images = prior_of(loaded).decode(latents)
    assert (images * 255).round().to(torch.uint8).equal(samples.images)
    assert images.dtype == torch.float32
    assert samples.images.float().std() > 3


def test_bf16_is_near_float32(hub: Path) -> None:
    plain, mixed = (sampled(load(hub, precision=precision)) for precision in ("float32", "bf16"))
    assert prior_of(load(hub, precision="bf16")).network.dtype == torch.bfloat16
    assert mixed.dtype == torch.float32
    assert not mixed.equal(plain)
    assert (mixed - plain).norm() < 0.1 * plain.norm()
