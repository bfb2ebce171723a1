"""The generator ``dit-xl2`` on a small random pipeline: against diffusers' own, and against the equations."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import small_pipelines
import torch
from ddbench_components.generators._dit import latent_dit as _latent_dit
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._dit.sampler import Sampler
from ddbench_components.generators.dit_xl2 import DitXl2
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    DiTPipeline,
    DiTTransformer2DModel,
    FlowMatchEulerDiscreteScheduler,
)
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from packaging.version import Version
from small_pipelines import ALPHA_BAR
from torch import Tensor

import ddbench
from ddbench import ClassInfo, ComponentError, Context, LabeledImages, Samples, TrainingData
from ddbench.api import tensor_digest
from ddbench.api.cost import Cost
from ddbench.api.work import Sample
from ddbench.toolkit.hardware import Device

INDICES = (258, 7, 999)
STEPS = 4


def transformer(seed: int = 0, classes: int = 1000, out_channels: int = 8) -> Any:
    return small_pipelines.transformer(seed, classes, out_channels, tied=False)


def autoencoder(seed: int = 1) -> Any:
    """Return a VAE that enlarges eight times, like the real one."""
    return small_pipelines.autoencoder(seed, levels=4)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a pipeline with the layout of the repository on the Hub."""
    folder = tmp_path_factory.mktemp("hub") / "DiT"
    scheduler = DDIMScheduler(clip_sample=False)
    DiTPipeline(transformer(), autoencoder(), scheduler, id2label={0: "tench"}).save_pretrained(folder)
    return folder


@pytest.fixture
def copied(hub: Path, tmp_path: Path) -> Path:
    """Copy the pipeline to a folder where it may be changed."""
    return Path(shutil.copytree(hub, tmp_path / "DiT"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set an empty data folder and an empty Hugging Face cache."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


def training_data(indices: Sequence[int | None] = INDICES) -> TrainingData:
    count = len(indices)
    train = LabeledImages(torch.zeros(count, 3, 64, 64, dtype=torch.uint8), torch.arange(count), tuple("abc"[:count]))
    classes = tuple(ClassInfo(f"class {c}", f"n{c}", index) for c, index in enumerate(indices))
    return TrainingData("blank", classes, 64, (0.5,) * 3, (0.5,) * 3, train)


def generator(**params: Any) -> DitXl2:
    return cast("DitXl2", ddbench.create("generator", "dit-xl2", **{"sampling_steps": STEPS, "block": 3, **params}))


def load(model: Path, **params: Any) -> DitXl2:
    loaded = generator(model=str(model), **params)
    loaded.load(None, training_data(), Context())
    return loaded


def prior_of(loaded: DitXl2) -> LatentDitPrior:
    return cast("LatentDitPrior", loaded.prior)


def streams(ctx: Context, class_index: int, count: int = 3) -> list[torch.Generator]:
    return [ctx.torch_rng("noise", class_index, i) for i in range(count)]


def latents_of(samples: Samples) -> Tensor:
    assert samples.latents is not None
    return samples.latents


def assert_same(a: Samples, b: Samples) -> None:
    assert a.ids == b.ids
    assert a.images.equal(b.images)
    assert latents_of(a).equal(latents_of(b))


def sampled(loaded: DitXl2, class_index: int = 0, seed: int = 5) -> Tensor:
    """Unrounded latents of the first three samples."""
    return Sampler(prior_of(loaded), loaded.params).sample(streams(Context(seed=seed), class_index), class_index)


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


def says(prior: LatentDitPrior, x: Tensor, t: int, label: int) -> tuple[Tensor, Tensor]:
    """Call the transformer by hand on one sample; return the noise and the variance's place in its range."""
    with torch.no_grad():
        out = prior.network(x[None].float(), timestep=torch.tensor([t]), class_labels=torch.tensor([label])).sample[0]
    return out[:4].double(), out[4:].double()


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


def complaint(do: Callable[[], object]) -> str:
    """Return the message of a ComponentError, on one line."""
    with pytest.raises(ComponentError) as caught:
        do()
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [
        (
            DDIMScheduler(prediction_type="v_prediction"),
            "belongs to a network that predicts 'v_prediction', not the noise",
        ),
        (FlowMatchEulerDiscreteScheduler(), "is a FlowMatchEulerDiscreteScheduler without the betas of a diffusion; "),
    ],
)
@pytest.mark.filterwarnings("ignore:The config attributes")
def test_a_pipeline_that_predicts_no_noise(scheduler: Any, said: str, copied: Path) -> None:
    """Its samples would be wrong, and whatever is trained or refined by its error of the noise, without a word."""
    shutil.rmtree(copied / "scheduler")
    scheduler.save_pretrained(copied / "scheduler")
    assert complaint(lambda: load(copied)).startswith(f"{copied}/scheduler: {said}")


def test_more_steps_than_the_scheduler_has(copied: Path) -> None:
    DDIMScheduler(num_train_timesteps=20).save_pretrained(copied / "scheduler")
    assert len(load(copied, sampling_steps=20).sample_block(0, 0, Context())) == 3
    known: Any = SimpleNamespace(classes=training_data().classes, info=SimpleNamespace(name="own"), image_size=16)
    early = generator(model=str(copied), sampling_steps=21)
    for do in (lambda: load(copied, sampling_steps=21), lambda: early.check(known)):
        assert complaint(do) == (
            f"{copied}/scheduler: generator 'dit-xl2' cannot sample in 21 steps: the scheduler has 20 timesteps; "
            "lower the parameter 'sampling_steps'"
        )


def test_a_wrong_number_of_classes(copied: Path) -> None:
    own = transformer(classes=10)
    own.save_pretrained(copied / "transformer")
    said = complaint(lambda: load(copied))
    assert said.startswith(
        f"{copied}/transformer: generator 'dit-xl2': the transformer knows 10 classes, not the 1000 of"
    )
    assert "not the 3 of the data set" in complaint(lambda: load(copied, classes="dataset"))


def test_a_vae_of_another_width(hub: Path, tmp_path: Path) -> None:
    AutoencoderKL(latent_channels=16, block_out_channels=(4,), norm_num_groups=4).save_pretrained(tmp_path / "vae")
    assert complaint(lambda: load(hub, vae=str(tmp_path / "vae"))) == (
        f"{tmp_path}/vae: generator 'dit-xl2': the VAE has latents of 16 channels, and the transformer takes 4; "
        "name the VAE that the transformer was trained with in the parameter 'vae'"
    )


def test_a_transformer_of_the_data_sets_own_classes(copied: Path) -> None:
    transformer(classes=3).save_pretrained(copied / "transformer")
    loaded = generator(model=str(copied), classes="dataset")
    loaded.load(None, training_data((None, None, None)), Context())
    assert prior_of(loaded).labels.tolist() == [0, 1, 2]
    assert len(loaded.sample_block(2, 0, Context())) == 3


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["class 1", "class 0", "class 2"], "class 0 is class 1, not class 0"),
        (["class 0", "class 1", "class 2", "class 3"], "class 3 is class 3, not none"),
        (["class 0"], "class 1 is none, not class 1"),
    ],
)
def test_a_pipeline_that_names_its_classes_serves_these_alone(copied: Path, names: list[str], said: str) -> None:
    transformer(classes=3).save_pretrained(copied / "transformer")
    own = generator(model=str(copied), classes="dataset")
    own.load(None, training_data(), Context())
    index = copied / "model_index.json"
    whole = json.loads(index.read_text())
    index.write_text(json.dumps({**whole, "id2label": dict(enumerate(names))}))
    assert f"has other classes than blank: {said}" in complaint(lambda: own.load(None, training_data(), Context()))
    index.write_text(json.dumps({**whole, "id2label": {str(i): f"class {i}" for i in range(3)}}))
    own.load(None, training_data(), Context())
    index.write_text("[]")
    assert f"{index}: is not an index of a pipeline" in complaint(lambda: own.load(None, training_data(), Context()))


def test_a_data_set_without_imagenet_indices(hub: Path) -> None:
    said = complaint(lambda: generator(model=str(hub)).load(None, training_data((258, None, 7)), Context()))
    assert "class 'class 1' has no index in ImageNet-1k" in said


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


@pytest.mark.parametrize("value", ["DiT-XL-2-256", "a/b/c", "", "models/"])
def test_what_is_neither_a_name_nor_a_folder(value: str) -> None:
    assert "parameter 'model' is" in complaint(lambda: generator(model=value))
    assert "a name on the Hugging Face Hub (owner/name), or a folder" in complaint(lambda: generator(transformer=value))


NAMES = ["facebook/DiT-XL-2-256", "a/b", "a_/_b", "a.b/c-d_e", f"a/{'b' * 96}"]
NO_NAMES = ["runs/dit--v2", "me/dit.git", "me/dit..2", "-a/b", "a-/b", "a/b.", "a/b c", "a/" + 97 * "b"]


ASCII_ONLY = pytest.param(
    "mé/dit",
    marks=pytest.mark.skipif(
        Version(version("huggingface_hub")) < Version("1.32"), reason="huggingface_hub allows only ASCII from 1.32 on"
    ),
)


@pytest.mark.parametrize("name", [*NAMES, *NO_NAMES, ASCII_ONLY])
def test_names_are_those_that_the_hub_has(name: str) -> None:
    """As its own library allows them, which raises later of others."""
    try:
        validate_repo_id(name)
    except HFValidationError:
        assert "a name on the Hugging Face Hub (owner/name), or a folder" in complaint(lambda: generator(model=name))
    else:
        assert f"no transformer of {name}: " in (generator(model=name).missing() or "")


def test_a_folder_that_is_written_as_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoints" / "dit").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    said = generator(model="checkpoints/dit").missing() or ""
    assert said.endswith("; run `ddbench fetch SUITE`, or write './checkpoints/dit' for the folder of this name")
