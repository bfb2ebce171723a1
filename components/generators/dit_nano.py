"""A small diffusion transformer that is trained on the data set itself, in a minute on one core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

import ddbench
from ddbench import Context, Dataset, Generator, Prior, Samples, TrainingData, component
from ddbench.api.cost import COLOURS, FLOAT, PASSES_OF_TRAINING, Cost

from ._flops import Dit

if TYPE_CHECKING:
    from ._dit_prior import DitPrior


@component("generator", "dit-nano", version=1, paper="arXiv:2212.09748")
class DitNano(Generator):
    """A small class-conditional DiT, trained on the data set and sampled with classifier-free guidance.

    DiT's own recipe in small: diffusers' ``DiTTransformer2DModel``, zero-initialised modulations, the linear schedule
    of 1000 steps, prediction of the noise, label dropout, an average of the weights. Latents are the images themselves,
    scaled to [−1, 1]. Sampling is DDIM without noise (arXiv:2010.02502), so a sample depends on its starting noise
    alone, and that on (seed, class, index).
    """

    has_latents = True

    class Params(ddbench.Params):
        patch: int = Field(4, ge=1, description="pixels along a patch; 64 tokens at 32 px")
        heads: int = Field(2, ge=1, description="attention heads of 32 channels: the width is 32 × heads")
        layers: int = Field(4, ge=1, description="width 64 in 4 layers costs less than 96 in 3 and learns as well")
        steps: int = Field(1000, ge=1, description="training steps: 40 CPU seconds at 32 px")
        batch: int = Field(16, ge=1, description="images a step; small, for more steps at the same cost")
        learning_rate: float = Field(4e-3, gt=0, description="the peak; a quarter of it ends with a tenth more loss")
        ema: float = Field(0.98, ge=0, lt=1, description="decay of the average of the weights: about the last 50 steps")
        label_dropout: float = Field(0.1, ge=0, le=1, description="share of training images without label, as in DiT")
        guidance: float = Field(1.5, ge=0, description="classifier-free guidance; 1 is none")
        sampling_steps: int = Field(50, ge=1, le=1000, description="DDIM steps; 50 is the literature's number")
        block: int = Field(10, ge=1, description="samples of a class that are computed together")

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Almost no training of almost no network."""
        return {"patch": 8, "heads": 1, "layers": 1, "steps": 3, "batch": 4, "sampling_steps": 3, "block": 3}

    params: Params
    _prior: DitPrior | None = None

    @property
    def seeded(self) -> bool:
        """Each sample's starting noise is drawn."""
        return True

    @property
    def block(self) -> int:
        """Samples that are computed together."""
        return self.params.block

    @property
    def prior(self) -> Prior | None:
        """The trained model, once loaded."""
        return self._prior

    def cost(self, dataset: Dataset) -> Cost:
        """All steps twice, whatever the guidance; the image, and its latent in float32."""
        passes, pixels = 2 * self.params.sampling_steps, COLOURS * dataset.image_size**2
        return Cost(passes * self._network(dataset).flops, disk_bytes=(1 + FLOAT) * pixels)

    def fit_cost(self, dataset: Dataset) -> Cost | None:
        """Each step forth and back, and the held-out images at ten timesteps before and after; the weights stored.

        What is held is not known.
        """
        network, counts = self._network(dataset), dataset.train_counts
        if counts is None:
            return None
        held_out = min(max(1, sum(counts) // 10), 200)
        passes = PASSES_OF_TRAINING * self.params.steps * self.params.batch + 2 * 10 * held_out
        return Cost(passes * network.flops, disk_bytes=FLOAT * network.parameters)

    def loss_cost(self, dataset: Dataset) -> Cost:
        """One pass through the transformer."""
        return Cost(self._network(dataset).flops)

    def decode_cost(self, dataset: Dataset) -> Cost:
        """Nothing: latents are images."""
        return Cost(0)

    def _network(self, dataset: Dataset) -> Dit:
        params, side = self.params, dataset.image_size
        return Dit(params.layers, 32 * params.heads, params.patch, 3, 3, side, labels=len(dataset.classes))

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Train; write the model, the scheduler's configuration, and ``training.json``.

        ``training.json`` holds the loss curve, and the denoising loss on a tenth of the training images that is held
        out, before and after. Raises ComponentError where the images cannot be cut into patches.
        """
        from ._dit_training import train

        train(data, self.params, out_dir, ctx)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read what ``fit`` wrote."""
        from ._dit_prior import DitPrior

        assert fitted is not None
        self._prior = DitPrior.from_folder(fitted, ctx.device)

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """One block of a class: images, and the float32 latents ``[n, 3, H, W]`` that they were decoded from."""
        from ._pixels import to_images

        assert self._prior is not None
        indices = range(block * self.block, (block + 1) * self.block)
        noise = self._prior.noise([ctx.torch_rng("noise", class_index, i) for i in indices])
        latents = self._prior.sample(noise, class_index, self.params.guidance, self.params.sampling_steps)
        ids = tuple(f"{class_index:03d}-{i:06d}" for i in indices)
        return Samples(to_images(latents).cpu(), ids, latents.cpu())
