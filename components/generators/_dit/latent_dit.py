"""What every generator has in common that samples a DiT on the latents of a VAE."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

import ddbench
from ddbench import ClassInfo, ComponentError, Context, Dataset, Generator, Prior, Samples, TrainingData, unkeyed
from ddbench.api.component import Progress
from ddbench.api.cost import Cost, Decode, Loss, Sample, Work
from ddbench.toolkit.hardware import device_in_use

from .pipeline_cost import PipelineCost
from .weights import PIPELINE_INDEX, Part, class_names, fetch_parts, is_folder, is_name, scheduler_timesteps

if TYPE_CHECKING:
    from .prior import LatentDitPrior, Steer

IMAGENET_CLASSES: Final = 1000
# Parameters that mean nothing before samples are drawn.
SAMPLING: Final = ("scheduler", "sampling_steps", "guidance", "guided_channels", "compile", "block", "batch")


def check_latents(image_size: int, made: int, taken: int) -> None:
    """Raise ComponentError where images of a data set have latents of another size than the transformer takes."""
    if made != taken:
        raise ComponentError(
            f"images of {image_size} px have latents of {made} px, and the transformer takes latents of {taken} px",
            hint="take a data set whose images are as large as those that the pipeline makes",
        )


def _source(text: str) -> str:
    if not (is_folder(text) or is_name(text)):
        raise ValueError(
            "give a name on the Hugging Face Hub (owner/name), or a folder that begins with /, ./, ../ or ~/"
        )
    return text


Source = Annotated[str, AfterValidator(_source)]


class LatentDitParams(ddbench.Params):
    """Which pipeline, and how it is sampled."""

    model: Source = unkeyed(
        "facebook/DiT-XL-2-256", description="the pipeline: a name on the Hugging Face Hub, or a folder"
    )
    transformer: Source | None = unkeyed(
        None,
        description="other weights in place of the pipeline's transformer, such as fine-tuned ones; as `model`",
    )
    vae: Source | None = unkeyed(
        None, description="in place of the pipeline's VAE; Minimax diffusion decodes with stabilityai/sd-vae-ft-mse"
    )
    classes: Literal["imagenet", "dataset"] = Field(
        "imagenet", description="the transformer's labels: ImageNet-1k's, or the data set's classes in order"
    )
    frequencies: Literal["diffusers", "dit"] = Field(
        "diffusers",
        description="of the timestep's embedding: diffusers' pipeline spreads them over 127 intervals, DiT's own code "
        "over 128",
    )
    scheduler: Literal["ddpm", "ddim"] = Field(
        "ddpm", description="ddim draws no noise after the first; its timesteps are as the pipeline spaces them"
    )
    sampling_steps: int = Field(50, ge=1, le=1000, description="50 is the literature's number")
    guidance: float = Field(4.0, ge=0, description="classifier-free guidance; 1 is none, at half the cost")
    guided_channels: Literal[3, "all"] = Field(
        3, description="latent channels that are guided, the first three or all; the others follow the class alone"
    )
    precision: Literal["float32", "bf16"] = Field("float32", description="of the transformer; the VAE is float32")
    compile: bool = Field(
        False, description="compile the transformer's blocks with torch.compile, for pools that take hours on a GPU"
    )
    block: int = Field(10, ge=1, description="samples of a class that are made and stored together")
    batch: int = Field(10, ge=1, description="samples of a block that are computed at once; lower it to save memory")


class LatentDit(Generator):
    """Samples of a DiT on the latents of a VAE, with classifier-free guidance.

    The parts are laid out as diffusers saves a ``DiTPipeline``, in folders ``transformer``, ``vae`` and ``scheduler``;
    weights are safetensors, or a state dict saved by torch. A part that is given by its name on the Hugging Face Hub is
    known by the name; it is looked for in ``weights/<owner>/<name>`` in the data folder, then in the Hugging Face
    cache; only `ddbench fetch` downloads it. A part in a folder is known by its content, which planning reads whole.
    """

    has_latents = True
    params: LatentDitParams
    _prior: LatentDitPrior | None = None

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """A tiny pipeline with random weights in ``scratch``, for the data set's own classes."""
        from .tiny_pipeline import save_tiny_pipeline

        save_tiny_pipeline(scratch, len(data.classes), data.image_size)
        return {"model": str(scratch), "classes": "dataset", "sampling_steps": 2, "block": 3, "batch": 2}

    @property
    def seeded(self) -> bool:
        """All noise is drawn."""
        return True

    @property
    def block(self) -> int:
        """Samples that are made together."""
        return self.params.block

    @property
    def prior(self) -> Prior | None:
        """The model, once loaded."""
        return self._prior

    @property
    def parts(self) -> tuple[Part, ...]:
        """The transformer, the VAE and the scheduler, each where a parameter says."""
        own = {"transformer": self.params.transformer, "vae": self.params.vae, "scheduler": None}
        return tuple(
            Part(kind, source, "", kind, self.label())
            if source
            else Part(kind, self.params.model, kind, "model", self.label())
            for kind, source in own.items()
        )

    def fingerprint(self) -> dict[str, str]:
        """What each part is known by: its name, or its content. Raises ComponentError where a folder lacks a file."""
        return {part.kind: part.known_by() for part in self.parts}

    def missing(self) -> str | None:
        """The parts that are not whole on this machine; whoever wants them, as several generators want the same."""
        said: dict[str, list[str]] = {}
        for part in self.parts:
            found = part.look()
            if isinstance(found, tuple):
                gap, hint = found
                said.setdefault(hint, []).append(gap)
        return "; ".join("; ".join([*gaps, hint]) for hint, gaps in said.items()) or None

    def fetch(self, progress: Progress) -> None:
        """Get the parts that are not whole on this machine, from each source that can be reached."""
        lacking: dict[str, list[Part]] = {}
        for part in self.parts:
            if not isinstance(part.look(), Path):
                lacking.setdefault(part.source, []).append(part)
        problems = []
        for parts in lacking.values():
            try:
                fetch_parts(parts, progress)
            except ComponentError as error:
                problems.append(error)
        if len(problems) > 1:
            raise ExceptionGroup(f"{self.label()}: several parts cannot be had", problems)
        if problems:
            raise problems[0]

    @cached_property
    def size(self) -> PipelineCost | None:
        """What the transformer and the VAE take; None where their sizes are not known."""
        transformer, vae, _ = self.parts
        return PipelineCost.of(transformer, vae, half=self.params.precision == "bf16")

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of a sample (all steps, twice with guidance, and the decoding), or of one pass of a part."""
        match work:
            case Sample():
                return self._cost_of_sample
            case Loss():
                return None if self.size is None else self.size.ask(1)
            case Decode():
                return None if self.size is None else self.size.decode()
        return None

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError where the transformer, as far as it is known here, knows other classes."""
        labels = self._labels(dataset.classes, dataset.info.name)
        if self.size is not None:
            self._check_count(self.size.dit.labels, len(labels))
        timesteps = scheduler_timesteps(self.parts[2])
        if timesteps is not None:
            self._check_steps(timesteps)

    def _check_steps(self, timesteps: int) -> None:
        """Raise ComponentError where more steps are to be taken than the scheduler has timesteps."""
        if self.params.sampling_steps > timesteps:
            found = self.parts[2].look()
            raise ComponentError(
                f"{self.label()} cannot sample in {self.params.sampling_steps} steps: the scheduler has {timesteps} "
                "timesteps",
                where=str(found) if isinstance(found, Path) else None,
                hint="lower the parameter 'sampling_steps'",
            )

    def check_encoding(self, dataset: Dataset) -> None:
        """Raise ComponentError where real images have other latents than the transformer takes."""
        if self.size is not None:
            check_latents(dataset.image_size, dataset.image_size // self.size.vae.shrinks, self.size.dit.side)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read the parts. Raises ComponentError if one is missing or damaged, or knows other classes."""
        self.use(self.open(data, self.params.precision, ctx))

    def open(self, data: TrainingData, precision: str, ctx: Context) -> LatentDitPrior:
        """The pipeline as its parts are, with frozen weights."""
        from ..._memory import enough_memory
        from .prior import LatentDitPrior

        labels = self._labels(data.classes, data.name)
        folders = {part.kind: part.find() for part in self.parts}
        with enough_memory(f"the networks of {self.label()}"):
            prior = LatentDitPrior.from_folders(folders, labels, precision, self.params.frequencies, ctx.device)
        self._check_count(prior.no_class, len(labels))
        made, taken = prior.vae.config.latent_channels, prior.network.config.in_channels
        if made != taken:
            raise ComponentError(
                f"{self.label()}: the VAE has latents of {made} channels, and the transformer takes {taken}",
                where=str(folders["vae"]),
                hint="name the VAE that the transformer was trained with in the parameter 'vae'",
            )
        return prior

    def use(self, prior: LatentDitPrior) -> None:
        """Sample from it from now on."""
        self._check_steps(prior.timesteps)
        if self.params.compile:
            prior.compile()
        self._prior = prior

    def steer(self, class_index: int, indices: Sequence[int]) -> Steer | None:
        """What is done to these samples of a class after each step; None is nothing."""
        return None

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """One block of a class: images, and the float16 latents ``[n, C, H, W]`` that they were decoded from."""
        first, began = block * self.block, time.perf_counter()
        batches = [
            range(at, min(at + self.params.batch, first + self.block))
            for at in range(first, first + self.block, self.params.batch)
        ]
        samples = Samples.concatenate([self._together(class_index, indices, ctx) for indices in batches])
        self._tell_speed(time.perf_counter() - began, ctx)
        return samples

    def _tell_speed(self, seconds: float, ctx: Context) -> None:
        """Log how fast a block was made, and what share that is of what the device could do."""
        rate, device, cost = self.block / seconds, device_in_use(ctx.device), self._cost_of_sample
        told = f"{self.label()}: {rate:.3g} images a second in batches of {self.params.batch}"
        least = None if device is None or cost is None else device.least_seconds(cost, ctx.threads)
        if device is not None and least is not None:
            told += f", {rate * least:.1%} of the peak of {device.title}"
        ctx.log.info(told)

    @cached_property
    def _cost_of_sample(self) -> Cost | None:
        guided, batch = self.params.guidance != 1, min(self.params.batch, self.params.block)
        if self.size is None:
            return None
        return self.size.sample(self.params.sampling_steps, guided=guided, batch=batch)

    def _together(self, class_index: int, indices: Sequence[int], ctx: Context) -> Samples:
        """The samples with these indices, each from its own stream of noise."""
        from ..._memory import enough_memory
        from ..._pixels import to_bytes

        assert self._prior is not None
        streams = [ctx.torch_rng("noise", class_index, i) for i in indices]
        steer = self.steer(class_index, indices)
        together = min(self.params.batch, self.block)
        with enough_memory(f"{len(indices)} samples of {self.label()} at once", "batch", together):
            latents = self._prior.sample(streams, class_index, self.params, steer).half()
            images = to_bytes(self._prior.decode(latents)).cpu()
        return Samples(images, tuple(f"{class_index:03d}-{i:06d}" for i in indices), latents.cpu())

    def _labels(self, classes: Sequence[ClassInfo], dataset: str) -> list[int]:
        """The transformer's label of each class."""
        if self.params.classes == "dataset":
            self._check_names([c.name for c in classes], dataset)
            return list(range(len(classes)))
        labels = []
        for c in classes:
            if c.imagenet_index is None:
                raise ComponentError(
                    f"{self.label()}: class '{c.name}' has no index in ImageNet-1k, by which the transformer knows it",
                    hint="give a transformer of the data set's own classes, with `classes: dataset`",
                )
            labels.append(c.imagenet_index)
        return labels

    def _check_count(self, known: int, classes: int) -> None:
        """Raise ComponentError where the transformer has labels of something else than what it is asked for."""
        own = self.params.classes == "dataset"
        if known != (classes if own else IMAGENET_CLASSES):
            of_what = f"{classes} of the data set" if own else f"{IMAGENET_CLASSES} of ImageNet-1k"
            found = self.parts[0].look()
            raise ComponentError(
                f"{self.label()}: the transformer knows {known} classes, not the {of_what}",
                where=str(found) if isinstance(found, Path) else None,
                hint="say in the parameter 'classes' which ones it knows",
            )

    def _check_names(self, own: Sequence[str], dataset: str) -> None:
        """Raise ComponentError where the pipeline names its classes, and not as the data set does."""
        found = self.parts[0].look()
        if self.params.transformer is not None or not isinstance(found, Path):
            return
        index = found.parent / PIPELINE_INDEX
        named = class_names(index) if index.is_file() else []
        if named not in ([], own):
            where = next(i for i, pair in enumerate(zip_longest(named, own)) if pair[0] != pair[1])
            theirs, ours = ([*names, "none"][min(where, len(names))] for names in (named, own))
            raise ComponentError(
                f"{self.label()} knows other classes than {dataset}: class {where} is {theirs} there, {ours} here",
                where=str(index),
                hint="name a pipeline of these classes in the parameter 'model'",
            )
