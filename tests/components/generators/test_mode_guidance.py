"""Mode guidance: its modes against a search written out, its steps against the formula, one pool for each IPC."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._dit.modes import find_modes
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._dit.real_latents import RealLatents
from ddbench_components.generators._dit.sampler import Sampler
from ddbench_components.generators.mode_guidance import ModeGuidance
from safetensors.torch import load_file
from small_pipelines import ALPHA_BAR, real_dataset, real_images
from torch import Tensor

import ddbench
from ddbench import ComponentError, Context
from ddbench.plan import build_graph
from ddbench.suite import load_suite

STEPS = 4


def generator(pipeline: Path, **params: Any) -> ModeGuidance:
    values = {"model": str(pipeline), "classes": "dataset", "sampling_steps": STEPS, "block": 5}
    values |= {"modes": 2, "stop": 1, **params}
    return cast("ModeGuidance", ddbench.create("generator", "mode-guidance", **values))


def loaded(pipeline: Path, folder: Path, **params: Any) -> ModeGuidance:
    made = generator(pipeline, **params)
    folder.mkdir(exist_ok=True)
    made.fit(real_images(), folder, Context())
    made.load(folder, real_images(), Context())
    return made


def test_modes_are_centres_that_no_exchange_improves() -> None:
    """Each is the mean of the latents that are nearest to it, and the spread is the least of all ways to part them."""
    rng = torch.Generator().manual_seed(0)
    side = torch.tensor([1, 1, 1, 1, -1, -1, 1, 1, -1, 1, 1, 1, 1, -1, 1, 1])[None, :, None, None, None]
    mean = (torch.randn(1, 16, 2, 2, 2, generator=rng) + 2 * side).half()
    labels = torch.arange(16) % 2
    found = find_modes(RealLatents(mean, mean * 0, labels), 2, 2, Context())
    assert found.shape == (2, 2, 2, 2, 2)
    for label in range(2):
        own = mean[0][labels == label].float().flatten(1)
        centres = found[label].flatten(1)
        nearest = torch.cdist(own, centres).argmin(1)
        for k in range(2):
            torch.testing.assert_close(centres[k], own[nearest == k].mean(0), rtol=1e-4, atol=1e-4)
        spread = (own - centres[nearest]).square().sum()
        ways = [[bool(way >> i & 1) for i in range(8)] for way in range(1, 2**7)]
        least = min(
            sum((part - part.mean(0)).square().sum().item() for part in (own[mask], own[~mask]))
            for mask in map(torch.tensor, ways)
        )
        assert spread.item() == pytest.approx(least, rel=1e-3)


def test_samples_are_led_to_their_modes(pipeline: Path, tmp_path: Path) -> None:
    """DDIM by hand: after a step, strength · σ · (mode − ẑ₀), while more than ``stop`` steps are left."""
    made = loaded(pipeline, tmp_path / "fit", scheduler="ddim", guidance=1.0, strength=0.7, stop=1)
    modes = load_file(tmp_path / "fit" / "modes.safetensors")["modes"]
    prior = cast("LatentDitPrior", made.prior)
    streams = [Context(seed=5).torch_rng("noise", 2, i) for i in range(5)]
    latents = Sampler(prior, made.params).sample(streams, 2, made.steer(2, range(5)))
    timesteps = (750, 500, 250, 0)
    for index in range(5):
        stream = Context(seed=5).torch_rng("noise", 2, index)
        x = torch.randn(4, 8, 8, generator=stream).double()
        for left, t in zip((3, 2, 1, 0), timesteps, strict=True):
            with torch.no_grad():
                said = prior.network(x[None].float(), timestep=torch.tensor([t]), class_labels=torch.tensor([2])).sample
            eps = said[0, :4].double()
            now, following = ALPHA_BAR[t], ALPHA_BAR[timesteps[4 - left]] if left else torch.tensor(1.0).double()
            clean = (x - (1 - now).sqrt() * eps) / now.sqrt()
            x = following.sqrt() * clean + (1 - following).sqrt() * eps
            if left > 1:
                sigma = ((1 - following) / (1 - now) * (1 - now / following)).sqrt()
                x = x + 0.7 * sigma * (modes[2, index % 2].double() - clean)
        torch.testing.assert_close(latents[index].double(), x, rtol=1e-3, atol=1e-3 * x.std().item())
    stored = made.sample_block(2, 0, Context(seed=5)).latents
    assert stored is not None
    assert stored.equal(latents.half())


@pytest.mark.parametrize("scheduler", ["ddpm", "ddim"])
def test_without_strength_it_is_dit(scheduler: str, pipeline: Path, tmp_path: Path) -> None:
    plain = ddbench.create(
        "generator",
        "dit-xl2",
        model=str(pipeline),
        classes="dataset",
        sampling_steps=STEPS,
        block=5,
        scheduler=scheduler,
    )
    plain.load(None, real_images(), Context())
    expected = cast("Any", plain).sample_block(0, 1, Context(seed=2))
    for changes, same in (({"strength": 0.0, "stop": STEPS}, True), ({"stop": STEPS - 2}, False)):
        made = loaded(pipeline, tmp_path / "fit", scheduler=scheduler, **changes)
        samples = made.sample_block(0, 1, Context(seed=2))
        assert samples.images.equal(expected.images) is same


def test_guided_samples_come_nearer_to_their_modes(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a network that sees the noise in latents which are standard normal."""

    def sees(self: Any, noisy: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        noise = (1 - ALPHA_BAR.float()[t])[:, None, None, None].sqrt() * noisy
        return torch.cat([noise, torch.zeros_like(noise)], dim=1)

    monkeypatch.setattr(LatentDitPrior, "output", sees)

    def apart(strength: float) -> Tensor:
        made = loaded(pipeline, tmp_path / "fit", strength=strength, modes=3, sampling_steps=50, stop=25)
        modes = load_file(tmp_path / "fit" / "modes.safetensors")["modes"]
        latents = made.sample_block(1, 0, Context()).latents
        assert latents is not None
        return (latents.float() - modes[1, [0, 1, 2, 0, 1]]).flatten(1).norm(dim=1)

    assert (apart(1.0) < apart(0.0)).all()


def test_one_pool_for_each_ipc(pipeline: Path) -> None:
    many = generator(pipeline, modes="ipc")
    ten = cast("ModeGuidance", many.for_ipc(10))
    assert (ten.params.modes, ten.params.keyed()["modes"], ten.block) == (10, 10, many.block)
    fixed = generator(pipeline, modes=7)
    assert fixed.for_ipc(10) is fixed
    with pytest.raises(ComponentError, match="and the IPC is not known; give the parameter 'modes' a number"):
        many.fit(real_images(), Path(), Context())


def test_plans_share_no_pool_between_ipcs_where_modes_differ(tmp_path: Path) -> None:
    suite = tmp_path / "modes.yaml"
    suite.write_text(
        """
suite: modes
dataset: imagewoof
protocol: minimax-hard@1
ipc: [10, 20]
students: [resnetap10]
generators: {five: {use: mode-guidance, modes: 5}}
methods:
  MGD3: {generator: mode-guidance, selector: first}
  MGD3, random: {generator: mode-guidance, selector: random, pool: 20}
  five: {generator: five, selector: first}
"""
    )
    graph = build_graph(load_suite(suite))
    made = [n for n in graph.nodes.values() if n.stage == "generate"]
    modes = sorted(cast("ModeGuidance", n.uses["generator"].component).count for n in made)
    # Blocks of ten: at IPC 10 the pool of 20 holds the one of 10; at IPC 20 they are one; five modes serve both.
    assert modes == [5] * 2 + [10] * 2 + [20] * 2
    fits = [n.label for n in graph.nodes.values() if n.stage == "fit"]
    assert len(fits) == 3
    assert sum("IPC 10" in label for label in fits) == 1
    assert len({n.label for n in made}) == 6


@pytest.mark.parametrize("stop", [STEPS - 1, STEPS, 25])
def test_a_guidance_that_steers_nothing_is_refused(stop: int, pipeline: Path) -> None:
    with pytest.raises(ComponentError, match=f"of 4 sampling_steps none is steered, .* the last {stop + 1} "):
        generator(pipeline, stop=stop)


def test_what_cannot_have_modes_is_known_before_it_is_tried(pipeline: Path) -> None:
    """Of a data set of 8 images a class, of 16 pixels or else of 32."""
    generator(pipeline, modes=8).check(real_dataset())
    with pytest.raises(ComponentError, match="cannot find 9 modes among 8 images of a class; lower its parameter"):
        generator(pipeline, modes=9).check(real_dataset())
    with pytest.raises(ComponentError, match="images of 32 px have latents of 16 px, and the transformer"):
        generator(pipeline).check(real_dataset(pixels=32))


def test_too_few_images(pipeline: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ComponentError, match="cannot find 9 modes among 8 images of a class; lower its parameter 'modes'"
    ):
        generator(pipeline, modes=9).fit(real_images(), tmp_path, Context())
