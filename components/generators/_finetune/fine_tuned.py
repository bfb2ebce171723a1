"""What generators have in common that fine-tune a DiT before they sample it."""

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

    The network is trained in float32, or, with ``precision: bf16``, in mixed precision. Images are encoded once, as
    they are and mirrored; each step draws from what the VAE says of them. diffusers gives each block of a DiT a copy of
    the embedding of timesteps and labels: copies that are equal are trained as the one that they are in DiT.
    """

    hashed_modules: ClassVar[tuple[str, ...]] = ("ddbench.toolkit.checkpoint",)

    params: FineTunedParams

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """A tiny pipeline with random weights in ``scratch``, trained for a few steps."""
        return {**super().example(data, scratch), "epochs": 1, "batch_size": 8}

    def fingerprint(self) -> dict[str, str]:
        """What each part is known by, and the content of a checkpoint that is imported."""
        known, checkpoint = super().fingerprint(), self.params.checkpoint
        if checkpoint is None:
            return known
        return {**known, "checkpoint": content_digest(given_weights(checkpoint, "checkpoint"))}

    def check(self, dataset: Dataset) -> None:
        """What is asked of every pipeline; and, where it is to be trained, images that it can be trained on."""
        super().check(dataset)
        if self.params.checkpoint is None:
            self.check_encoding(dataset)
            if dataset.train_counts is not None:
                self.params.check_steps(sum(dataset.train_counts))

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of the fit, else that of any pipeline."""
        return self._fit_cost(work.dataset.train_counts) if isinstance(work, Fit) else super().cost(work)

    def _fit_cost(self, counts: Sequence[int] | None) -> Cost | None:
        """Return the cost of encoding both views of each image, of each step, and of what the term asks.

        A backward pass goes once to the activations, and once more to the weights where all are trained. Several fits
        in one store encode once, which is not known here. Stored are the weights that differ. Memory is not known.
        """
        size = self.size
        if size is None or counts is None:
            return None
        if self.params.checkpoint is not None:
            return Cost(0)
        images = sum(counts)
        full, planned = self.params.trained == "full", self.params.planned(images)
        steps = min(planned, self.params.stop_after or planned)
        step = size.ask(3 if full else 2) + self.term_cost(size)
        cost = size.encode(2 * images) + step * (steps * self.params.batch_size)
        stored = FLOAT * (size.dit.parameters if full else size.dit.difffit_parameters)
        return replace(cost, disk_bytes=stored, launches=step.launches * steps)

    def term_cost(self, size: PipelineCost) -> Cost:
        """Return the cost of what the term asks the transformer about one latent, in addition to the loss."""
        return Cost(0)

    @abstractmethod
    def term(self, classes: int, latent: int) -> LossTerm | None:
        """What is added to the loss, for so many classes and numbers in a latent."""

    def for_fit(self) -> Self:
        """However it is sampled."""
        return self.without(*SAMPLING)

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Train, or convert the checkpoint that is given; write what differs from the pipeline's own transformer.

        ``adapter.safetensors`` holds these weights; ``training.json`` the loss in parts, with the size of each part's
        gradient beside that of the noise's error, or where the weights are from.
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
        """Read the pipeline, and put in what ``fit`` wrote."""
        from .adapter import put_in

        assert fitted is not None
        prior = self.open(data, self.params.precision, ctx)
        put_in(fitted, prior.network)
        self.use(prior)
