"""A denoising diffusion model of small images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ddbench import ComponentError, Context, Dataset, Generator, Prior, Samples, TrainingData, component
from ddbench.cost import COLOURS, FLOAT, PASSES_OF_TRAINING, Cost, Decode, Fit, Loss, Sample, Work, training_launches
from ddbench.toolkit import enough_memory, sha256_json

from .._class_names import class_places
from ._ddpm.flops import Unet, imported
from ._ddpm.params import DdpmParams

if TYPE_CHECKING:
    from ._ddpm.prior import DdpmPrior


@component("generator", "ddpm", version=1, paper="arXiv:2006.11239")
class Ddpm(Generator):
    """A class-conditional DDPM on pixels: a U-Net trained on the data set, or imported.

    The network is diffusers' ``UNet2DModel``, which adds the class embedding to the timestep embedding. It is trained
    on L_simple (equation 14). Timesteps are drawn uniformly from 1000, and half of the images are mirrored. If the
    network predicts the image, the same loss is the image's squared error weighted by ᾱ / (1 − ᾱ).

    Sampling takes evenly spaced steps from pure noise. It is the paper's algorithm 2 with the posterior variance β̃, or
    deterministic DDIM (arXiv:2010.02502). Predicted images are clipped to [−1, 1]. If labels are dropped in training,
    the network has one more label, for no class. Guidance follows arXiv:2207.12598.

    SAS made its pools of CIFAR-10 (arXiv:2605.18012) with a public framework. Its settings are ``block_out_channels:
    [128, 128, 256, 256, 512, 512]``, ``layers_per_block: 2``, ``attention_levels: [4]``, ``class_embedding: timestep``,
    ``prediction_type: sample``, ``beta_schedule: squaredcos_cap_v2``, and no guidance. The defaults here are our
    choice: a small network and a short training. So are warm-up and cosine decay of the learning rate, gradient
    clipping at norm 1, and normalisation in groups of at least four channels.

    A sample depends on (seed, class, index): one random stream gives its starting noise and the noise of its steps.

    With ``model``, nothing is trained and all training parameters are ignored. ``model`` is a folder written by
    diffusers' ``DDPMPipeline``, with ``unet`` and ``scheduler`` in it, and is identified by its content. The network
    has one label for each class, and may have a last one for no class. The parameter ``classes`` names the labels by
    class name, WordNet id or ImageNet-1k index. Without names, they are the data set's classes in order. Such a model
    is refused if this order is in doubt. The order is in doubt for folders of images, for Tiny ImageNet, and for labels
    that do not follow the WordNet ids. The scheduler of ``model`` defines the prediction type and the spacing of the
    steps.
    """

    has_latents = True
    hashed_modules: ClassVar[tuple[str, ...]] = ("ddbench.toolkit.checkpoint", "ddbench.toolkit.kept_parts")

    class Params(DdpmParams):
        """Parameters of the DDPM."""

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Return parameters for three training steps of a tiny network."""
        network = {"block_out_channels": [32, 32], "attention_levels": []}
        return {**network, "steps": 3, "batch": 4, "sampling_steps": 3, "block": 3}

    params: Params
    _prior: DdpmPrior | None = None

    @property
    def seeded(self) -> bool:
        """Return True: all noise is drawn."""
        return True

    @property
    def block(self) -> int:
        """Return the number of samples that are computed together."""
        return self.params.block

    @property
    def prior(self) -> Prior | None:
        """Return the trained model, once loaded."""
        return self._prior

    def fingerprint(self) -> str | None:
        """Return the digest of ``model`` and of given names, or None. Raise ComponentError if a file is missing."""
        from ._ddpm.imported import model_digest

        names = self.params.classes
        digest = None if self.params.model is None else model_digest(self.params.model)
        return digest if names is None else sha256_json([digest, list(names)])

    def check(self, dataset: Dataset) -> None:
        """Raise an error for images that cannot be halved as often as needed, or labels whose order is in doubt."""
        self._check_size(dataset.image_size)
        if self.params.model is not None:
            class_places(self.params.classes, dataset, str(self.params.model), "labels")

    def latent_shape(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the shape of an image, or None for an imported network, which may have another size."""
        return (3, dataset.image_size, dataset.image_size) if self.params.model is None else None

    def _check_size(self, pixels: int) -> None:
        halved = len(self.params.block_out_channels) - 1
        if self.params.model is None and pixels % 2**halved:
            raise ComponentError(
                f"{self.label()} cannot halve images of {pixels} px {halved} times",
                hint="give fewer levels in the parameter 'block_out_channels'",
            )

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of a sample, of the fit, or of one pass; decoding is free, as latents are images."""
        if isinstance(work, Decode):
            return Cost(0)
        network = self._network(work.dataset) if isinstance(work, Sample | Fit | Loss) else None
        if network is None:
            return None
        match work:
            case Sample():
                steps, pixels = self.params.sampling_steps, COLOURS * work.dataset.image_size**2
                flops = steps * (1 + (self.params.guidance != 1)) * network.flops
                # The latent is kept in float32. A guided step is one pass of twice the batch.
                return Cost(flops, disk_bytes=(1 + FLOAT) * pixels, launches=steps * network.launches / self.block)
            case Fit():
                return self._fit_cost(network, work.dataset.train_counts)
            case _:
                return Cost(network.flops, launches=network.launches)

    def _fit_cost(self, network: Unet, counts: Sequence[int] | None) -> Cost | None:
        """Return the cost of all steps, and of the held-out images at ten timesteps twice; an import costs nothing.

        Only the weights are stored. Memory is not known.
        """
        stored = FLOAT * network.parameters
        if self.params.model is not None:
            return Cost(0, disk_bytes=stored)
        if counts is None:
            return None
        held_out = min(max(1, sum(counts) // 10), 200)
        passes = PASSES_OF_TRAINING * self.params.steps * self.params.batch + 2 * 10 * held_out
        launches = training_launches(network.launches, self.params.steps)
        return Cost(passes * network.flops, disk_bytes=stored, launches=launches)

    def _network(self, dataset: Dataset) -> Unet | None:
        """Return the U-Net that is trained, or the one in ``model``; None if that is missing or of another kind."""
        params = self.params
        if params.model is not None:
            return imported(params.model, dataset.image_size)
        labels = len(dataset.classes) + (params.label_dropout > 0)
        return Unet(
            widths=params.block_out_channels,
            layers=params.layers_per_block,
            attending=tuple(level in params.attention_levels for level in range(len(params.block_out_channels))),
            side=dataset.image_size,
            labels=labels if params.class_embedding == "table" else None,
        )

    def for_fit(self) -> Self:
        """Return the generator without its sampling parameters. An imported model keeps them, for its checks."""
        return self if self.params.model else self.without("sampler", "sampling_steps", "guidance", "block")

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Train, or import ``model``; write the U-Net, the scheduler's configuration, and ``training.json``.

        A training writes ``training.json`` with its loss curve. It also has the denoising loss before and after, on a
        held-out tenth of the training images (at most 200). A stopped training resumes from ``ctx.checkpoint_file``
        and ends with the same bits. Raise ComponentError if the network does not fit the data set.
        """
        self._check_size(data.image_size)
        if self.params.model is None:
            from ._ddpm.training import train

            with enough_memory(f"training {self.label()}"):
                train(data, self.params, out_dir, ctx)
        else:
            from ._ddpm.imported import import_model

            import_model(data, self.params, out_dir)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read the files that ``fit`` wrote."""
        from ._ddpm.prior import DdpmPrior

        assert fitted is not None
        with enough_memory(f"the network of {self.label()}"):
            self._prior = DdpmPrior.from_folder(fitted, ctx.device)

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return one block of a class: images, and the float32 latents ``[n, 3, H, W]`` that decode to them."""
        from .._pixels import to_images

        assert self._prior is not None
        indices = range(block * self.block, (block + 1) * self.block)
        streams = [ctx.torch_rng("noise", class_index, i) for i in indices]
        with enough_memory(f"{self.block} samples of {self.label()} at once", "block", self.block):
            latents = self._prior.sample(streams, class_index, self.params)
            images = to_images(latents).cpu()
        ids = tuple(f"{class_index:03d}-{i:06d}" for i in indices)
        return Samples(images, ids, latents.cpu())
