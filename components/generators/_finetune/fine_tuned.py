"""The base of generators that fine-tune a DiT before sampling."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ddbench import Context, Dataset, TrainingData
from ddbench.cost import FLOAT, Cost, Fit, Work
from ddbench.toolkit import enough_memory

from ..._weights import given_weights
from .._dit.latent_dit import LatentDit
from .._dit.params import SAMPLING
from .._dit.pipeline_cost import PipelineCost
from .._files.content import content_digest
from .params import FineTunedParams

if TYPE_CHECKING:
    from .noised_batch import LossTerm


class FineTuned(LatentDit):
    """Samples of a DiT that was fine-tuned on the data set's real training images.

    The network is trained in float32, or in mixed precision with ``precision: bf16``. Images and mirror images are
    encoded once; each step draws from the VAE's normal distributions. diffusers gives each block of a DiT a copy of the
    embedding of timesteps and labels. Equal copies are trained as one, as in DiT.
    """

    hashed_modules: ClassVar[tuple[str, ...]] = ("ddbench.toolkit.checkpoint", "ddbench.toolkit.kept_parts")

    params: FineTunedParams

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Save a tiny pipeline with random weights in ``scratch``; train it for one epoch."""
        return {**super().example(data, scratch), "epochs": 1, "batch_size": 8}

    @property
    def licence(self) -> str:
        """Return the licence of each source of weights. That of an imported checkpoint is unknown."""
        return super().licence if self.params.checkpoint is None else f"{super().licence}, unknown (the checkpoint)"

    def fingerprint(self) -> dict[str, str]:
        """Return the fingerprint of each part, and the content digest of an imported checkpoint."""
        parts, checkpoint = super().fingerprint(), self.params.checkpoint
        if checkpoint is None:
            return parts
        return {**parts, "checkpoint": content_digest(given_weights(checkpoint, "checkpoint"))}

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError if the pipeline does not fit the data set, or cannot be trained on its images."""
        super().check(dataset)
        if self.params.checkpoint is None:
            self.check_encoding(dataset)
            if dataset.train_counts is not None:
                self.params.check_steps(sum(dataset.train_counts))

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of the fit, or of other work as for any pipeline."""
        return self._fit_cost(work.dataset.train_counts) if isinstance(work, Fit) else super().cost(work)

    def _fit_cost(self, counts: Sequence[int] | None) -> Cost | None:
        """Return the cost of encoding both views of each image, of all steps, and of the loss term.

        A backward pass computes gradients of the activations, and of the weights if all of them are trained. Several
        fits in one store share the encoding; this is not counted. Only changed weights are stored. The memory is
        unknown.
        """
        size = self.size
        if size is None or counts is None:
            return None
        if self.params.checkpoint is not None:
            return Cost(0)
        images = sum(counts)
        full, planned = self.params.trained == "full", self.params.planned(images)
        steps = min(planned, self.params.stop_after or planned)
        step = size.predict(3 if full else 2) + self.term_cost(size)
        cost = size.encode(2 * images) + step * (steps * self.params.batch_size)
        stored = FLOAT * (size.dit.parameters if full else size.dit.difffit_parameters)
        return replace(cost, disk_bytes=stored, launches=step.launches * steps)

    def term_cost(self, size: PipelineCost) -> Cost:
        """Return the cost of the loss term's own transformer passes for one latent."""
        return Cost(0)

    @abstractmethod
    def term(self, classes: int, latent: int) -> LossTerm | None:
        """Return the term that is added to the loss, or None.

        Args:
            classes: the number of classes.
            latent: the number of values in a latent.
        """

    def for_fit(self) -> Self:
        """Return the generator without its sampling parameters."""
        return self.without(*SAMPLING)

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Train, or convert the given checkpoint; write the weights that differ from the pipeline's transformer.

        ``adapter.safetensors`` holds these weights. After a training, ``training.json`` holds the parts of the loss,
        and the ratio of each part's gradient to that of the noise error. After a conversion, it names the source of
        the weights.
        """
        from .._dit.real_latents import RealLatents
        from .authors_checkpoint import convert
        from .fine_tuning import FineTuning

        prior = replace(self.open(data, "float32", ctx), mixed=self.params.precision == "bf16")
        if self.params.checkpoint is not None:
            convert(self.params.checkpoint, prior.network, out_dir)
            return
        self.params.check_steps(len(data.train))
        latents = RealLatents.shared(data, prior, ctx)
        together = min(self.params.batch_size, len(latents))
        with enough_memory(f"a step of fine-tuning {self.label()}", "batch_size", together):
            term = self.term(len(data.classes), latents.mean[0, 0].numel())
            FineTuning(prior, latents, self.params, term, ctx).run(out_dir)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read the pipeline, and load the weights that ``fit`` wrote."""
        from .adapter import load_adapter

        assert fitted is not None
        prior = self.open(data, self.params.precision, ctx)
        load_adapter(fitted, prior.network)
        self.use(prior)
