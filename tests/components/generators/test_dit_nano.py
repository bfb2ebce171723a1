"""The generator ``dit-nano``: prefixes, determinism, its loss and its sampler against the equations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._dit_prior import DitPrior
from ddbench_components.generators._pixels import decode, to_images, to_latents
from ddbench_components.generators.dit_nano import DitNano
from torch import Tensor

import ddbench
from ddbench import ComponentError, Context, LabeledImages, Samples, TrainingData
from ddbench.api import tensor_digest

SMALL: dict[str, Any] = {"patch": 8, "heads": 1, "layers": 2, "steps": 4, "block": 3, "sampling_steps": 4}
# ᾱ of the DDPM paper's linear schedule, which DiT uses: β from 1e-4 to 0.02 in 1000 steps.
ALPHA_BAR = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    images = torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    train = LabeledImages(images, torch.arange(40) % 3, tuple(map(str, range(40))))
    classes = tuple(ddbench.ClassInfo(name) for name in "abc")
    return TrainingData("noise", classes, 16, (0.5,) * 3, (0.5,) * 3, train)


def generator(**params: Any) -> DitNano:
    return cast("DitNano", ddbench.create("generator", "dit-nano", **{**SMALL, **params}))


def lively(prior: DitPrior) -> DitPrior:
    """Weights far from their zero start, so that every input matters."""
    rng = torch.Generator().manual_seed(1)
    for weights in prior.network.parameters():
        weights.copy_(torch.randn(weights.shape, generator=rng) * 0.2)
    return prior


def load(folder: Path, data: TrainingData, **params: Any) -> DitNano:
    loaded = generator(**params)
    loaded.load(folder, data, Context())
    lively(cast("DitPrior", loaded.prior))
    return loaded


@pytest.fixture(scope="module")
def fitted(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dit")
    generator().fit(data, folder, Context())
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_fit_is_deterministic_and_leaves_the_global_generator_alone(
    data: TrainingData, fitted: Path, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    generator().fit(data, tmp_path, Context())
    assert torch.get_rng_state().equal(before)
    assert files(tmp_path) == files(fitted)
    assert {Path(name).suffix for name in files(tmp_path)} == {".safetensors", ".json"}


def test_an_untrained_network_predicts_nothing(data: TrainingData, tmp_path: Path) -> None:
    """It says 0, so its loss is the mean square of standard normal noise: 1, give or take the sample."""
    generator(steps=1).fit(data, tmp_path, Context())
    report = json.loads((tmp_path / "training.json").read_text())
    assert report["held_out_loss"]["before"] == pytest.approx(1, abs=0.03)
    assert report["held_out_images"] == 4
    assert report["training_loss"] == [{"step": 1, "loss": pytest.approx(1, abs=0.05)}]


def test_training_learns_and_its_curve_says_so(data: TrainingData, tmp_path: Path) -> None:
    generator(steps=120, patch=4, learning_rate=1e-2).fit(data, tmp_path, Context())
    report = json.loads((tmp_path / "training.json").read_text())
    assert report["held_out_loss"]["after"] < 0.8 * report["held_out_loss"]["before"]
    curve = report["training_loss"]
    assert [point["step"] for point in curve] == list(range(3, 121, 3))
    assert curve[-1]["loss"] < curve[0]["loss"]


@pytest.mark.slow
def test_the_held_out_loss_falls_below_half_on_real_images(tmp_path: Path) -> None:
    real = cast("ddbench.Dataset", ddbench.create("dataset", "tiny-cifar")).training()
    cast("DitNano", ddbench.create("generator", "dit-nano")).fit(real, tmp_path, Context())
    loss = json.loads((tmp_path / "training.json").read_text())["held_out_loss"]
    assert loss["after"] < loss["before"] / 2


def test_a_smaller_pool_is_a_bit_identical_prefix(data: TrainingData, fitted: Path) -> None:
    ctx = Context(seed=3)
    ten = load(fitted, data).sample(1, 0, 10, ctx)
    assert len(set(map(tensor_digest, ten.latents if ten.latents is not None else []))) == 10
    for count in (1, 3, 4, 9):
        fewer = load(fitted, data).sample(1, 0, count, ctx)
        assert_same(fewer, ten[:count])
    assert_same(load(fitted, data).sample(1, 4, 5, ctx), ten[4:9])


def assert_same(a: Samples, b: Samples) -> None:
    assert a.ids == b.ids
    assert a.images.equal(b.images)
    assert a.latents is not None
    assert b.latents is not None
    assert a.latents.equal(b.latents)


def test_samples_depend_on_seed_and_class_and_not_on_what_was_made_before(data: TrainingData, fitted: Path) -> None:
    one = load(fitted, data)
    first = one.sample_block(0, 0, Context(seed=1))
    other_seed, other_class = one.sample_block(0, 0, Context(seed=2)), one.sample_block(1, 0, Context(seed=1))
    assert not first.images.equal(other_seed.images)
    assert not first.images.equal(other_class.images)
    assert_same(one.sample_block(0, 0, Context(seed=1)), first)
    assert one.seeded
    assert one.block == 3


def test_images_are_the_decoded_latents(data: TrainingData, fitted: Path) -> None:
    samples = load(fitted, data).sample_block(2, 1, Context())
    prior = load(fitted, data).prior
    assert samples.latents is not None
    assert prior is not None
    assert samples.images.dtype == torch.uint8
    assert samples.images.shape == (3, 3, 16, 16)
    assert samples.latents.dtype == torch.float32
    assert (prior.decode(samples.latents) * 255).round().to(torch.uint8).equal(samples.images)
    assert samples.ids == ("002-000003", "002-000004", "002-000005")


def test_every_grey_value_survives_latents() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    latents = to_latents(images)
    assert (latents.min().item(), latents.max().item()) == (-1, 1)
    assert to_images(latents).equal(images)


def test_decode_is_differentiable_and_bounded() -> None:
    latents = torch.tensor([-3.0, -0.5, 0.0, 0.5, 3.0], requires_grad=True)
    images = decode(latents)
    assert images.tolist() == [0, 0.25, 0.5, 0.75, 1]
    images.sum().backward()  # type: ignore[no-untyped-call]
    assert latents.grad is not None
    assert latents.grad[1:4].tolist() == [0.5] * 3


def predict(prior: DitPrior, x: Tensor, t: int, label: int) -> Tensor:
    """The network called by hand, on one sample."""
    out = prior.network(x[None], timestep=torch.tensor([t]), class_labels=torch.tensor([label]))
    return cast("Tensor", out.sample[0])


def test_loss_is_the_equation(data: TrainingData, fitted: Path) -> None:
    """mean (ε − ε̂(√ᾱ x + √(1 − ᾱ) ε))², sample by sample, differentiable in the latents."""
    prior = cast("DitPrior", load(fitted, data).prior)
    rng = torch.Generator().manual_seed(2)
    latents, noise = torch.randn(4, 3, 16, 16, generator=rng), torch.randn(4, 3, 16, 16, generator=rng)
    t, labels = torch.tensor([0, 100, 500, 999]), torch.tensor([0, 1, 2, 0])
    latents.requires_grad_()
    losses = prior.loss(latents, t, noise, labels)
    assert losses.shape == (4,)
    for i in range(4):
        a = ALPHA_BAR[t[i]]
        noisy = (a.sqrt() * latents[i] + (1 - a).sqrt() * noise[i]).float()
        expected = (predict(prior, noisy, int(t[i]), int(labels[i])) - noise[i]).square().mean()
        assert losses[i].item() == pytest.approx(expected.item(), rel=1e-4)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert latents.grad is not None
    assert latents.grad.abs().flatten(1).sum(1).min() > 0
    assert all(weights.grad is None and not weights.requires_grad for weights in prior.network.parameters())


@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_sampling_is_guided_ddim(data: TrainingData, fitted: Path, guidance: float) -> None:
    """x ← √ᾱ' clip((x − √(1 − ᾱ) ε) / √ᾱ) + √(1 − ᾱ') ε at t = 999, 749, 499, 249, from noise keyed by the index."""
    loaded = load(fitted, data, guidance=guidance)
    prior = cast("DitPrior", loaded.prior)
    ctx = Context(seed=7)
    latents = loaded.sample_block(1, 1, ctx).latents
    assert latents is not None
    for place, index in enumerate((3, 4, 5)):
        x = torch.randn(3, 16, 16, generator=ctx.torch_rng("noise", 1, index))
        for t in (999, 749, 499, 249):
            with_class, without = predict(prior, x, t, 1), predict(prior, x, t, 3)
            eps = without + guidance * (with_class - without)
            a, following = ALPHA_BAR[t], ALPHA_BAR[t - 250] if t >= 250 else torch.tensor(1.0)
            clean = ((x - (1 - a).sqrt() * eps) / a.sqrt()).clamp(-1, 1)
            x = (following.sqrt() * clean + (1 - following).sqrt() * eps).float()
        torch.testing.assert_close(latents[place], x, rtol=1e-3, atol=1e-3)


def test_labels_are_dropped_for_the_whole_network(data: TrainingData, fitted: Path) -> None:
    """diffusers drops labels in each block by itself in training mode; the network never is in that mode."""
    prior = cast("DitPrior", load(fitted, data).prior)
    assert not any(module.training for module in prior.network.modules())
    x = torch.randn(3, 16, 16)
    assert predict(prior, x, 10, 0).equal(predict(prior, x, 10, 0))
    assert not predict(prior, x, 10, 0).equal(predict(prior, x, 10, prior.no_class))


def test_what_is_loaded_is_what_was_saved(data: TrainingData, fitted: Path, tmp_path: Path) -> None:
    prior = DitPrior.from_folder(fitted, "cpu")
    prior.save(tmp_path)
    again = DitPrior.from_folder(tmp_path, "cpu")
    for name, weights in prior.network.state_dict().items():
        assert again.network.state_dict()[name].equal(weights)


def test_a_patch_that_does_not_divide_the_image(data: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="cannot cut images of 16 px into patches of 5 px; set its parameter"):
        generator(patch=5).fit(data, tmp_path, Context())
