"""The generator ``ddpm``: its loss and its samplers against the equations, stopped trainings, imported models."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components._pixels import to_images, to_latents
from ddbench_components.generators._ddpm import training as _ddpm_training
from ddbench_components.generators._ddpm.prior import DdpmPrior
from ddbench_components.generators.ddpm import Ddpm
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from torch import Tensor

import ddbench
from ddbench import ComponentError, Context, LabeledImages, Samples, TrainingData
from ddbench.api import tensor_digest

SMALL: dict[str, Any] = {
    "block_out_channels": [32, 32],
    "attention_levels": [1],
    "steps": 4,
    "batch": 4,
    "label_dropout": 0.25,
    "block": 3,
    "sampling_steps": 4,
}
# β of the DDPM paper, and those that follow from the squared cosine of arXiv:2102.09672.
COSINE = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1001)]
BETAS = {
    "linear": torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64),
    "squaredcos_cap_v2": torch.tensor([min(1 - COSINE[t + 1] / COSINE[t], 0.999) for t in range(1000)]).double(),
}
VARIANTS = [("epsilon", "linear"), ("sample", "squaredcos_cap_v2"), ("sample", "linear")]


@pytest.fixture(scope="module")
def data() -> TrainingData:
    images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    train = LabeledImages(images, torch.arange(40) % 3, tuple(map(str, range(40))))
    classes = tuple(ddbench.ClassInfo(name) for name in "abc")
    return TrainingData("noise", classes, 8, (0.5,) * 3, (0.5,) * 3, train)


def generator(**params: Any) -> Ddpm:
    return cast("Ddpm", ddbench.create("generator", "ddpm", **{**SMALL, **params}))


def lively(network: UNet2DModel) -> UNet2DModel:
    """Weights far from their zero start, so that every input matters."""
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in network.parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn(weights.shape, generator=rng) * (2 / weights[0].numel()) ** 0.5)
    return network


def load(folder: Path, data: TrainingData, **params: Any) -> Ddpm:
    """Return a loaded generator with perturbed weights and the schedule of its parameters, not the fitted one."""
    loaded = generator(**params)
    loaded.load(folder, data, Context())
    prior = prior_of(loaded)
    lively(prior.network)
    names = ("prediction_type", "beta_schedule")
    prior.scheduler.register_to_config(**{name: getattr(loaded.params, name) for name in names})
    loaded._prior = DdpmPrior(prior.network, DDPMScheduler.from_config(prior.scheduler.config))
    return loaded


def prior_of(loaded: Ddpm) -> DdpmPrior:
    return cast("DdpmPrior", loaded.prior)


@pytest.fixture(scope="module")
def fitted(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ddpm")
    generator().fit(data, folder, Context())
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def report_of(folder: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((folder / "training.json").read_text()))


# the training


def test_fit_is_deterministic_and_leaves_the_global_generator_alone(
    data: TrainingData, fitted: Path, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    generator().fit(data, tmp_path, Context())
    assert torch.get_rng_state().equal(before)
    assert files(tmp_path) == files(fitted)
    assert {Path(name).suffix for name in files(tmp_path)} == {".safetensors", ".json"}


class KilledError(Exception):
    """The error that stops a training."""


@pytest.mark.parametrize("killed_at", [[1], [3], [1, 2, 3]])
def test_a_training_that_was_stopped_ends_with_the_same_bits(
    data: TrainingData, fitted: Path, tmp_path: Path, killed_at: list[int]
) -> None:
    kept, made = tmp_path / "unfinished.safetensors", tmp_path / "fitted"
    made.mkdir()
    seen: list[int] = []

    def watch(done: int, total: int) -> None:
        seen.append(done)
        if done in killed_at and seen.count(done) == 1:
            raise KilledError

    ctx = Context(checkpoint_file=kept, progress=watch)
    for _ in killed_at:
        with pytest.raises(KilledError):
            generator(checkpoint_seconds=0).fit(data, made, ctx)
    generator(checkpoint_seconds=0).fit(data, made, ctx)
    assert seen == [1, 2, 3, 4]
    assert files(made) == files(fitted)


def all_of_it(made: Ddpm, data: TrainingData, folder: Path) -> None:
    """Call all methods of a generator that a run calls."""
    made.fit(data, folder, Context())
    made.load(folder, data, Context())
    made.sample_block(0, 0, Context())


LARGER = "run fewer workers, or use a device with more memory"


@pytest.mark.parametrize(
    ("where", "what", "error", "told"),
    [
        (
            _ddpm_training,
            "draw_batch",
            torch.OutOfMemoryError("CUDA out of memory"),
            "a step of training generator 'ddpm'; lower its parameter 'batch' from 4 to 2",
        ),
        (
            _ddpm_training,
            "held_out_loss",
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
            f"training generator 'ddpm'; {LARGER}",
        ),
        (
            DdpmPrior,
            "sample",
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 TB"),
            "3 samples of generator 'ddpm' at once; lower its parameter 'block' from 3 to 1",
        ),
        (DdpmPrior, "from_folder", MemoryError(), f"the network of generator 'ddpm'; {LARGER}"),
    ],
    ids=["a step", "held-out images", "samples", "the network"],
)
def test_memory_that_runs_out(
    data: TrainingData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    what: str,
    error: Exception,
    told: str,
) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(where, what, no_memory)
    with pytest.raises(ComponentError) as caught:
        all_of_it(generator(), data, tmp_path)
    assert str(caught.value) == f"out of memory for {told}"


def test_a_damaged_checkpoint_is_a_new_start(data: TrainingData, fitted: Path, tmp_path: Path) -> None:
    kept = tmp_path / "unfinished.safetensors"
    kept.write_bytes(b"not what was written")
    generator().fit(data, tmp_path, Context(checkpoint_file=kept))
    kept.unlink()
    assert files(tmp_path) == files(fitted)


@pytest.mark.parametrize(("prediction", "schedule"), VARIANTS)
def test_an_untrained_network_predicts_nothing(
    data: TrainingData, tmp_path: Path, prediction: str, schedule: str
) -> None:
    """It says 0: of the noise, or of the image, whose mean square then counts ᾱ / (1 − ᾱ) times."""
    generator(steps=1, prediction_type=prediction, beta_schedule=schedule).fit(data, tmp_path, Context())
    report = report_of(tmp_path)
    alpha_bar = (1 - BETAS[schedule]).cumprod(0)[50::100]
    mean_square = to_latents(data.train.images).square().mean().item()
    expected = 1.0 if prediction == "epsilon" else (alpha_bar / (1 - alpha_bar)).mean().item() * mean_square
    assert report["held_out_loss"]["before"] == pytest.approx(expected, rel=0.05)
    assert report["held_out_images"] == 4


def test_the_curve_is_the_mean_over_equal_spans(data: TrainingData, tmp_path: Path) -> None:
    """51 steps at two a point."""
    generator(steps=51, block_out_channels=[32], attention_levels=[], batch=1).fit(data, tmp_path, Context())
    curve = report_of(tmp_path)["training_loss"]
    assert [point["step"] for point in curve] == [*range(2, 51, 2), 51]
    assert all(0 < point["loss"] < 3 for point in curve)


@pytest.mark.parametrize(("prediction", "schedule"), VARIANTS[:2])
def test_the_held_out_loss_falls_on_real_images(tmp_path: Path, prediction: str, schedule: str) -> None:
    real = cast("ddbench.Dataset", ddbench.create("dataset", "tiny-cifar")).training()
    images = LabeledImages(real.train.images[:300, :, ::4, ::4], real.train.labels[:300], real.train.ids[:300])
    fast = {"steps": 40, "batch": 8, "learning_rate": 1e-2, "ema": 0.8}
    variant = {"prediction_type": prediction, "beta_schedule": schedule}
    generator(**fast, **variant).fit(replace(real, image_size=8, train=images), tmp_path, Context())
    loss = report_of(tmp_path)["held_out_loss"]
    assert loss["after"] < 0.8 * loss["before"]


def test_dropped_labels_teach_the_label_for_no_class_alone(data: TrainingData, tmp_path: Path) -> None:
    """Gradients reach the embedding once the last convolution has left zero, after the first step."""
    tables = []
    for steps in (1, 4):
        generator(steps=steps, label_dropout=1, ema=0).fit(data, tmp_path / str(steps), Context())
        tables.append(DdpmPrior.from_folder(tmp_path / str(steps), "cpu").network.class_embedding.weight)
    assert [len(table) for table in tables] == [4, 4]
    assert tables[0][:3].equal(tables[1][:3])
    assert not tables[0][3].equal(tables[1][3])


def test_the_architecture_is_that_of_the_parameters(data: TrainingData, tmp_path: Path) -> None:
    shape = {"block_out_channels": [32, 64, 64], "layers_per_block": 2, "attention_levels": [1], "label_dropout": 0}
    generator(**shape, class_embedding="timestep", steps=1, batch=1).fit(data, tmp_path, Context())
    config = DdpmPrior.from_folder(tmp_path, "cpu").network.config
    assert tuple(config.down_block_types) == ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D")
    assert tuple(config.up_block_types) == ("UpBlock2D", "AttnUpBlock2D", "UpBlock2D")
    assert (tuple(config.block_out_channels), config.layers_per_block) == ((32, 64, 64), 2)
    assert config.norm_num_groups == 8
    assert (config.class_embed_type, config.num_class_embeds, config.sample_size) == ("timestep", 3, 8)


# the equations


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


# samples


def assert_same(a: Samples, b: Samples) -> None:
    assert a.ids == b.ids
    assert a.images.equal(b.images)
    assert a.latents is not None
    assert b.latents is not None
    assert a.latents.equal(b.latents)


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


# models that were trained elsewhere


def unet(**config: Any) -> UNet2DModel:
    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",), "block_out_channels": (32,)}
    defaults = {**blocks, "sample_size": 8, "layers_per_block": 1, "norm_num_groups": 8, "num_class_embeds": 3}
    with torch.random.fork_rng(devices=[]):
        return lively(UNet2DModel(**{**defaults, **config}))


def saved(folder: Path, network: UNet2DModel | None = None, **schedule: Any) -> Path:
    """Save a pipeline with diffusers; its scheduler is DDPM's with diffusers' defaults."""
    DDPMPipeline(network or unet(), DDPMScheduler(**schedule)).save_pretrained(folder)
    return folder


def take_over(model: Path, data: TrainingData, out_dir: Path, **params: Any) -> Ddpm:
    loaded = generator(model=model, **params)
    loaded.fit(data, out_dir, Context())
    loaded.load(out_dir, data, Context())
    return loaded


@pytest.mark.parametrize("embedding", [None, "timestep"])
def test_an_imported_model_is_sampled_as_its_scheduler_says(
    data: TrainingData, tmp_path: Path, embedding: str | None
) -> None:
    """Steps of diffusers' default spacing begin at 750 of 1000."""
    network = unet(class_embed_type=embedding)
    model = saved(tmp_path / "model", network, prediction_type="sample", beta_schedule="squaredcos_cap_v2")
    loaded = take_over(model, data, tmp_path / "fitted")
    assert not (tmp_path / "fitted" / "training.json").exists()
    ctx, scheduler = Context(seed=4), DDPMScheduler.from_pretrained(model / "scheduler")
    streams = [ctx.torch_rng("noise", 2, i) for i in range(3)]
    x = torch.stack([torch.randn(3, 8, 8, generator=g) for g in streams])
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [750, 500, 250, 0]
    with torch.no_grad():
        for t in scheduler.timesteps:
            said = network.eval()(x, t, class_labels=torch.tensor([2, 2, 2])).sample
            x = scheduler.step(said, t, x, generator=streams).prev_sample
    latents = loaded.sample_block(2, 0, ctx).latents
    assert latents is not None
    torch.testing.assert_close(latents, x)


def test_what_was_trained_here_can_be_imported(data: TrainingData, fitted: Path, tmp_path: Path) -> None:
    own = generator()
    own.load(fitted, data, Context())
    assert_same(take_over(fitted, data, tmp_path).sample_block(0, 0, Context()), own.sample_block(0, 0, Context()))


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    model = saved(tmp_path / "model")
    shutil.copytree(model, tmp_path / "copy")
    before = generator(model=model).fingerprint()
    assert generator(model=tmp_path / "copy").fingerprint() == before
    assert generator(model=model).params.keyed() == generator().params.keyed()
    assert generator().fingerprint() is None
    config = model / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("epsilon", "sample"))
    assert generator(model=model).fingerprint() != before


@pytest.mark.parametrize(
    "name", ["unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"]
)
def test_a_missing_file_is_named_before_anything_runs(tmp_path: Path, name: str) -> None:
    model = saved(tmp_path / "model")
    (model / name).unlink()
    with pytest.raises(ComponentError, match=f"model: generator 'ddpm' finds no {name}; give the parameter 'model'"):
        generator(model=model).fingerprint()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="nowhere: there is no such folder; give the parameter 'model' a folder"):
        generator(model=tmp_path / "nowhere").fingerprint()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unet/config.json", "unet: cannot be loaded as weights of a UNet2DModel"),
        ("unet/diffusion_pytorch_model.safetensors", "unet: cannot be loaded as weights of a UNet2DModel"),
        ("scheduler/scheduler_config.json", "scheduler: cannot be loaded as"),
    ],
)
def test_half_a_file_is_named(data: TrainingData, tmp_path: Path, name: str, message: str) -> None:
    path = saved(tmp_path / "model") / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ComponentError, match=message) as error:
        take_over(tmp_path / "model", data, tmp_path / "fitted")
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_refused(data: TrainingData, tmp_path: Path) -> None:
    model, other = saved(tmp_path / "model"), saved(tmp_path / "other", unet(layers_per_block=2))
    name = "unet/diffusion_pytorch_model.safetensors"
    shutil.copy(model / name, tmp_path / "kept")
    shutil.copy(other / name, model / name)
    with pytest.raises(ComponentError, match="has unknown weights 'down_blocks"):
        take_over(model, data, tmp_path / "fitted")
    shutil.copy(tmp_path / "kept", other / name)
    with pytest.raises(ComponentError, match="has no weights 'down_blocks"):
        take_over(other, data, tmp_path / "fitted")


MISFITS: dict[str, tuple[Callable[[], UNet2DModel], dict[str, Any], dict[str, Any]]] = {
    "the U-Net is for images of 32 px, not 8 px; train": (lambda: unet(sample_size=32), {}, {}),
    "the U-Net knows 10 labels, and 'noise' has 3 classes": (lambda: unet(num_class_embeds=10), {}, {}),
    "the U-Net knows no labels, and 'noise' has 3 classes": (lambda: unet(num_class_embeds=None), {}, {}),
    "the U-Net maps 3 channels to 6, not 3 to 3": (lambda: unet(out_channels=6), {}, {}),
    "has no label for no class, which guidance needs": (unet, {}, {"guidance": 2.0}),
    "prediction type 'v_prediction'; known": (unet, {"prediction_type": "v_prediction"}, {}),
    "50 sampling steps are more than the scheduler's 20": (unet, {"num_train_timesteps": 20}, {"sampling_steps": 50}),
}


@pytest.mark.parametrize("message", MISFITS)
def test_a_model_that_does_not_fit(data: TrainingData, tmp_path: Path, message: str) -> None:
    network, schedule, params = MISFITS[message]
    model = saved(tmp_path / "model", network(), **schedule)
    with pytest.raises(ComponentError, match=f"model: generator 'ddpm': .*{message}"):
        take_over(model, data, tmp_path / "fitted", **params)
    assert not (tmp_path / "fitted").exists()


# mistakes in parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"guidance": 2.0, "label_dropout": 0}, "guidance other than 1 needs a label_dropout above 0"),
        ({"attention_levels": [2]}, "attention_levels names a level that block_out_channels does not have"),
        ({"block_out_channels": [48]}, "'block_out_channels.0' is 48: input should be a multiple of 32"),
    ],
)
def test_parameters_that_do_not_fit_each_other(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        generator(**params)


def test_an_image_that_cannot_be_halved(data: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="cannot halve images of 8 px 5 times; give fewer levels"):
        generator(block_out_channels=[32] * 6).fit(data, tmp_path, Context())
