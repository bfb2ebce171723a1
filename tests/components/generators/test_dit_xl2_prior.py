"""The prior of ``dit-xl2``, its variance, memory and speed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._dit import latent_dit as _latent_dit
from diffusers import (
    DiTTransformer2DModel,
)
from dit_xl2_scene import (
    INDICES,
    assert_same,
    complaint,
    latents_of,
    load,
    prior_of,
    sampled,
    says,
    streams,
    transformer,
)
from small_pipelines import ALPHA_BAR

from ddbench import Context
from ddbench.api.cost import Cost
from ddbench.api.work import Sample
from ddbench.toolkit.hardware import Device

pytestmark = pytest.mark.usefixtures("home")


def test_loss_is_the_equation_for_the_classes_of_imagenet(hub: Path) -> None:
    """The loss is mean (ε − ε̂(√ᾱ z + √(1 − ᾱ) ε))², by ImageNet index and differentiable by the latents."""
    prior = prior_of(load(hub))
    rng = torch.Generator().manual_seed(2)
    latents, noise = torch.randn(3, 4, 8, 8, generator=rng), torch.randn(3, 4, 8, 8, generator=rng)
    t, classes = torch.tensor([0, 100, 999]), torch.tensor([2, 0, 1])
    assert prior.timesteps == 1000
    latents.requires_grad_()
    losses = prior.loss(latents, t, noise, classes)
    assert losses.shape == (3,)
    for i in range(3):
        a = ALPHA_BAR[t[i]]
        noisy = (a.sqrt() * latents[i] + (1 - a).sqrt() * noise[i]).detach()
        eps, _ = says(prior, noisy, int(t[i]), INDICES[classes[i]])
        assert losses[i].item() == pytest.approx((eps - noise[i]).square().mean().item(), rel=1e-4)
    torch.autograd.backward(losses.sum())
    assert latents.grad is not None
    assert latents.grad.abs().flatten(1).sum(1).min() > 0
    torch.testing.assert_close(prior.loss(latents.half(), t, noise.half(), classes), losses, rtol=1e-2, atol=1e-2)


def test_decoding_is_differentiable_and_weights_are_frozen(hub: Path) -> None:
    prior = prior_of(load(hub))
    rng = torch.Generator().manual_seed(2)
    latents = torch.randn(1, 4, 8, 8, generator=rng).requires_grad_()
    images = prior.decode(latents)
    expected = (prior.vae.decode(latents / 0.18215).sample + 1) / 2
    torch.testing.assert_close(images, expected.clamp(0, 1))
    torch.autograd.backward(images.mean())
    assert latents.grad is not None
    assert latents.grad.abs().max() > 0
    for network in (prior.network, prior.vae):
        assert not any(module.training for module in network.modules())
        assert not any(weights.requires_grad for weights in network.parameters())


def test_sampling_is_the_same_before_and_after_the_loss(hub: Path) -> None:
    loaded = load(hub)
    before = loaded.sample_block(0, 0, Context())
    latents = latents_of(before)
    prior_of(loaded).loss(latents, torch.tensor([1, 2, 3]), torch.ones_like(latents), torch.tensor([0, 0, 0]))
    assert_same(loaded.sample_block(0, 0, Context()), before)


def test_without_a_learned_variance_steps_have_that_of_the_posterior(copied: Path) -> None:
    transformer(out_channels=4).save_pretrained(copied / "transformer")
    loaded = load(copied, guidance=1.0)
    prior, steps = prior_of(loaded), (999, 666, 333, 0)
    for index, stream in enumerate(streams(Context(seed=5), 2)):
        x = torch.randn(4, 8, 8, generator=stream).double()
        for t, following in zip(steps, (*steps[1:], None), strict=True):
            eps, _ = says(prior, x, t, INDICES[2])
            a, a_next = ALPHA_BAR[t], torch.tensor(1.0) if following is None else ALPHA_BAR[following]
            beta = 1 - a / a_next
            clean = (x - (1 - a).sqrt() * eps) / a.sqrt()
            x = (a_next.sqrt() * beta * clean + (1 - beta).sqrt() * (1 - a_next) * x) / (1 - a)
            if following is not None:
                deviation = (beta * (1 - a_next) / (1 - a)).sqrt()
                x = x + deviation * torch.randn(4, 8, 8, generator=stream)
        torch.testing.assert_close(sampled(loaded, 2)[index].double(), x, rtol=1e-3, atol=1e-3)
    assert len(load(copied, scheduler="ddim").sample_block(0, 0, Context())) == 3


@pytest.mark.parametrize("batch", [3, 10])
def test_memory_that_runs_out(hub: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """A batch that is larger than the block of 3 is not what is computed at once."""
    loaded = load(hub, batch=batch)

    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(prior_of(loaded).network, "forward", no_memory)
    said = complaint(lambda: loaded.sample_block(0, 0, Context()))
    assert said == "out of memory for 3 samples of generator 'dit-xl2' at once; lower its parameter 'batch' from 3 to 1"
    monkeypatch.setattr(DiTTransformer2DModel, "from_pretrained", no_memory)
    assert complaint(lambda: load(hub)).startswith("out of memory for the weights of a DiTTransformer2DModel; ")


def test_blocks_are_compiled_where_that_is_asked_for(hub: Path) -> None:
    """That they say the same is tested with the slow ones: compiling takes half a minute."""
    for asked in (True, False):
        blocks = prior_of(load(hub, compile=asked)).network.transformer_blocks
        assert [block._compiled_call_impl is not None for block in blocks] == [asked] * len(blocks)


@pytest.mark.slow
def test_blocks_that_are_compiled_in_fact_say_nearly_the_same(hub: Path) -> None:
    """Compiled code adds in another order: images differ by at most one grey level."""
    plain, compiled = (load(hub, compile=c).sample_block(0, 0, Context()).images for c in (False, True))
    assert (plain.int() - compiled.int()).abs().max() <= 1


def test_the_speed_is_told_as_a_share_of_what_the_device_could_do(
    hub: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device of 10^9 operations a second, two threads of which do twice that; none is told of one not known."""
    made = load(hub)
    flops = cast("int", cast("Cost", made.cost(Sample(cast("Any", None)))).flops)
    for device, share in ((Device("cpu", "a slow device", 1e9, 1e9), True), (None, False)):
        monkeypatch.setattr(_latent_dit, "device_in_use", lambda name, device=device: device)
        with caplog.at_level("INFO"):
            caplog.clear()
            made.sample_block(0, 0, Context(threads=2))
        told = re.search(
            r"([\d.]+) images a second in batches of \d+(?:, ([\d.]+)% of the peak of a slow)?", caplog.text
        )
        assert told is not None
        assert (told[2] is not None) == share
        if share:
            assert float(told[2]) == pytest.approx(100 * float(told[1]) * flops / 2e9, rel=0.02, abs=0.05)
