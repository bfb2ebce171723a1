"""The base of every generator that samples a DiT on the latents of a VAE."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench import Context, Dataset, Generator, Prior, Progress, Samples, TrainingData
from ddbench.cost import Cost, Decode, Loss, Sample, Work
from ddbench.toolkit import device_in_use, enough_memory

from .checks import PipelineChecks, check_latents
from .params import LatentDitParams
from .pipeline_cost import PipelineCost
from .weights import Part, fetch_missing, licences, missing_parts, scheduler_timesteps

if TYPE_CHECKING:
    from .prior import LatentDitPrior
    from .sampler import Steer


class LatentDit(Generator):
    """Samples of a DiT on the latents of a VAE, with classifier-free guidance.

    The parts are laid out as diffusers saves a ``DiTPipeline``, in folders ``transformer``, ``vae`` and ``scheduler``.
    Weights are safetensors, or a state dict saved by torch. A part on the Hugging Face Hub is identified by its name.
    It is looked up in ``weights/<owner>/<name>`` in the data folder, then in the Hugging Face cache. Only `ddbench
    fetch` downloads it. A part in a folder is identified by its content, which planning reads completely.

    With ``classes: dataset``, the labels are those that ``id2label`` in ``model_index.json`` names. Without names, they
    are the data set's classes in order. Such a pipeline is refused if this order is in doubt. The order is in doubt for
    folders of images, for Tiny ImageNet, and for labels that do not follow the WordNet ids. Names may be given as
    ``classes: [NAME, …]`` instead. They are class names, WordNet ids or ImageNet-1k indices.
    """

    has_latents = True
    params: LatentDitParams
    _prior: LatentDitPrior | None = None

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Save a tiny pipeline with random weights in ``scratch``, for the data set's own classes."""
        from .tiny_pipeline import save_tiny_pipeline

        save_tiny_pipeline(scratch, len(data.classes), data.image_size)
        return {"model": str(scratch), "classes": "dataset", "sampling_steps": 2, "block": 3, "batch": 2}

    @property
    def seeded(self) -> bool:
        """Return True: all noise is drawn."""
        return True

    @property
    def block(self) -> int:
        """Return the number of samples that are made together."""
        return self.params.block

    @property
    def prior(self) -> Prior | None:
        """Return the model, once loaded."""
        return self._prior

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the transformer, the VAE and the scheduler, each where a parameter says."""
        own = {"transformer": self.params.transformer, "vae": self.params.vae, "scheduler": None}
        return tuple(
            Part(kind, source, "", kind, self.label())
            if source
            else Part(kind, self.params.model, kind, "model", self.label())
            for kind, source in own.items()
        )

    @property
    def licence(self) -> str:
        """Return the licence of each source of weights."""
        return licences([part for part in self.parts if part.kind != "scheduler"])

    def fingerprint(self) -> dict[str, str]:
        """Return the name or the content digest of each part. Raise ComponentError if a folder lacks a file."""
        return {part.kind: part.fingerprint() for part in self.parts}

    def missing(self) -> str | None:
        """Return one sentence about the parts that are incomplete on this machine, or None."""
        return missing_parts(self.parts)

    def fetch(self, progress: Progress) -> None:
        """Fetch the parts that are incomplete on this machine, from each source that can be reached."""
        fetch_missing(self.parts, progress)

    @cached_property
    def size(self) -> PipelineCost | None:
        """Return the costs of the transformer and the VAE, or None if their sizes are unknown."""
        transformer, vae, _ = self.parts
        return PipelineCost.of(transformer, vae, half=self.params.precision == "bf16")

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of a sample (all steps, twice with guidance, and the decoding), or of one pass of a part."""
        match work:
            case Sample():
                return self._cost_of_sample
            case Loss():
                return None if self.size is None else self.size.predict(1)
            case Decode():
                return None if self.size is None else self.size.decode()
        return None

    @property
    def _checks(self) -> PipelineChecks:
        transformer, _, scheduler = self.parts
        return PipelineChecks(self.label(), self.params, transformer, scheduler)

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError or DataError if the pipeline's files on this machine do not fit the data set."""
        _, known = self._checks.labels(dataset)
        if self.size is not None:
            self._checks.check_count(self.size.dit.labels, known)
        timesteps = scheduler_timesteps(self.parts[2])
        if timesteps is not None:
            self._checks.check_steps(timesteps)

    def latent_shape(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return channels, height and width of the transformer's input, or None if its size is unknown."""
        return None if self.size is None else (self.size.dit.channels, self.size.dit.side, self.size.dit.side)

    def check_encoding(self, dataset: Dataset) -> None:
        """Raise ComponentError if the latents of real images differ in size from the transformer's input."""
        if self.size is not None:
            check_latents(dataset.image_size, dataset.image_size // self.size.vae.shrinks, self.size.dit.side)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read the parts. Raise ComponentError if one is missing or damaged, or has other classes."""
        self.use(self.open(data, self.params.precision, ctx))

    def open(self, data: TrainingData, precision: str, ctx: Context) -> LatentDitPrior:
        """Return the pipeline with frozen weights. Raise ComponentError as :meth:`load` does."""
        from .prior import LatentDitPrior

        checks = self._checks
        labels, known = checks.labels(data)
        folders = {part.kind: part.find() for part in self.parts}
        with enough_memory(f"the networks of {self.label()}"):
            prior = LatentDitPrior.from_folders(folders, labels, precision, self.params.frequencies, ctx.device)
        checks.check_count(prior.no_class, known)
        checks.check_channels(prior.vae.config.latent_channels, prior.network.config.in_channels, folders["vae"])
        return prior

    def use(self, prior: LatentDitPrior) -> None:
        """Sample from this prior from now on."""
        self._checks.check_steps(prior.timesteps)
        if self.params.compile:
            prior.compile()
        self._prior = prior

    def steer(self, class_index: int, indices: Sequence[int]) -> Steer | None:
        """Return a function that changes these samples of a class after each step, or None."""
        return None

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return one block of a class: images, and the float16 latents ``[n, C, H, W]`` that decode to them."""
        first, began = block * self.block, time.perf_counter()
        batches = [
            range(at, min(at + self.params.batch, first + self.block))
            for at in range(first, first + self.block, self.params.batch)
        ]
        samples = Samples.concatenate([self._sample_batch(class_index, indices, ctx) for indices in batches])
        self._log_speed(time.perf_counter() - began, ctx)
        return samples

    def _log_speed(self, seconds: float, ctx: Context) -> None:
        """Log how fast a block was made, and its share of the device's peak."""
        rate, device, cost = self.block / seconds, device_in_use(ctx.device), self._cost_of_sample
        message = f"{self.label()}: {rate:.3g} images a second in batches of {self.params.batch}"
        least = None if device is None or cost is None else device.least_seconds(cost, ctx.threads)
        if device is not None and least is not None:
            message += f", {rate * least:.1%} of the peak of {device.title}"
        ctx.log.info(message)

    @cached_property
    def _cost_of_sample(self) -> Cost | None:
        guided, batch = self.params.guidance != 1, min(self.params.batch, self.params.block)
        if self.size is None:
            return None
        return self.size.sample(self.params.sampling_steps, guided=guided, batch=batch)

    def _sample_batch(self, class_index: int, indices: Sequence[int], ctx: Context) -> Samples:
        """Return the samples with these indices, each from its own stream of noise."""
        from ..._pixels import to_bytes
        from .sampler import Sampler

        assert self._prior is not None
        streams = [ctx.torch_rng("noise", class_index, i) for i in indices]
        steer = self.steer(class_index, indices)
        together = min(self.params.batch, self.block)
        with enough_memory(f"{len(indices)} samples of {self.label()} at once", "batch", together):
            latents = Sampler(self._prior, self.params).sample(streams, class_index, steer).half()
            images = to_bytes(self._prior.decode(latents)).cpu()
        return Samples(images, tuple(f"{class_index:03d}-{i:06d}" for i in indices), latents.cpu())
