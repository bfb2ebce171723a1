"""The pretrained DiT of the distillation literature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

import ddbench
from ddbench import ComponentError, Context, Generator, Prior, Samples, TrainingData, component, unkeyed

from ._dit_xl2_files import Part, is_folder, is_name

if TYPE_CHECKING:
    import torch

    from ._dit_xl2_prior import LatentDitPrior

IMAGENET_CLASSES: Final = 1000


def _source(text: str) -> str:
    if not (is_folder(text) or is_name(text)):
        raise ValueError(
            "give a name on the Hugging Face Hub (owner/name), or a folder that begins with /, ./, ../ or ~/"
        )
    return text


Source = Annotated[str, AfterValidator(_source)]


@component("generator", "dit-xl2", version=1, paper="arXiv:2212.09748")
class DitXl2(Generator):
    """DiT-XL/2, pretrained on ImageNet at 256 pixels, sampled with classifier-free guidance.

    Defaults follow the sampler of Minimax diffusion (arXiv:2311.15529), which the papers that build on it share: 50
    DDPM steps spread evenly over the 1000 of training, first and last included, with the variance that the transformer
    learned, and guidance 4 on the first three of four latent channels, as in DiT's own code. ``scheduler: ddim`` with
    ``guided_channels: all`` is what diffusers' ``DiTPipeline`` does. A class is named to the transformer by its index
    in ImageNet-1k. The transformer is diffusers', whose embedding of timesteps spaces its frequencies by 1/127 of their
    range where DiT's own code has 1/128.

    A sample depends on (seed, class, index): its starting noise and the noise of its steps are one stream of its own.
    Latents are rounded to half precision before they are decoded, and kept, so that images are what they decode to.

    The parts are laid out as diffusers saves a ``DiTPipeline``, in folders ``transformer``, ``vae`` and ``scheduler``;
    weights are safetensors, or a state dict saved by torch. A part that is given by its name on the Hugging Face Hub is
    known by the name; it is looked for in ``weights/<owner>/<name>`` in the data folder, then in the Hugging Face
    cache, and nothing is downloaded. A part in a folder is known by its content, which planning reads whole.
    """

    has_latents = True

    class Params(ddbench.Params):
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
        scheduler: Literal["ddpm", "ddim"] = Field(
            "ddpm", description="ddim draws no noise after the first; its timesteps are as the pipeline spaces them"
        )
        sampling_steps: int = Field(50, ge=1, le=1000, description="50 is the literature's number")
        guidance: float = Field(4.0, ge=0, description="classifier-free guidance; 1 is none, at half the cost")
        guided_channels: Literal[3, "all"] = Field(
            3, description="latent channels that are guided, the first three or all; the others follow the class alone"
        )
        precision: Literal["float32", "bf16"] = Field("float32", description="of the transformer; the VAE is float32")
        block: int = Field(10, ge=1, description="samples of a class that are made and stored together")
        batch: int = Field(
            10, ge=1, description="samples of a block that are computed at once; lower it to save memory"
        )

    params: Params
    _prior: LatentDitPrior | None = None

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """A tiny pipeline with random weights in ``scratch``, for the data set's own classes."""
        import torch
        from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            transformer = DiTTransformer2DModel(
                num_attention_heads=1,
                attention_head_dim=8,
                out_channels=8,
                num_layers=1,
                sample_size=8,
                num_embeds_ada_norm=len(data.classes),
            )
            vae = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)
        DiTPipeline(transformer, vae, DDIMScheduler(clip_sample=False)).save_pretrained(scratch)
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
            Part(kind, source, "", kind) if source else Part(kind, self.params.model, kind, "model")
            for kind, source in own.items()
        )

    def fingerprint(self) -> dict[str, str]:
        """What each part is known by: its name, or its content. Raises ComponentError where a folder lacks a file."""
        return {part.kind: part.known_by() for part in self.parts}

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read the parts. Raises ComponentError if one is missing or damaged, or knows other classes."""
        from ._dit_xl2_prior import LatentDitPrior

        labels = self._labels(data)
        folders = {part.kind: part.find() for part in self.parts}
        prior = LatentDitPrior.from_folders(folders, labels, self.params.precision, ctx.device)
        known, own = prior.no_class, self.params.classes == "dataset"
        if known != (len(labels) if own else IMAGENET_CLASSES):
            of_what = f"{len(labels)} of the data set" if own else f"{IMAGENET_CLASSES} of ImageNet-1k"
            raise ComponentError(
                f"{self.label()}: the transformer knows {known} classes, not the {of_what}",
                where=str(folders["transformer"]),
                hint="say in the parameter 'classes' which ones it knows",
            )
        if self.params.scheduler == "ddpm" and not prior.has_variance:
            raise ComponentError(
                f"{self.label()}: the transformer predicts no variance, which DDPM steps need",
                where=str(folders["transformer"]),
                hint="use `scheduler: ddim`",
            )
        self._prior = prior

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """One block of a class: images, and the float16 latents ``[n, 4, H/8, W/8]`` that they were decoded from."""
        indices = range(block * self.block, (block + 1) * self.block)
        streams = [ctx.torch_rng("noise", class_index, i) for i in indices]
        ids = tuple(f"{class_index:03d}-{i:06d}" for i in indices)
        batch = self.params.batch
        return Samples.concatenate(
            [
                self._together(class_index, streams[at : at + batch], ids[at : at + batch])
                for at in range(0, self.block, batch)
            ]
        )

    def _together(self, class_index: int, streams: Sequence[torch.Generator], ids: tuple[str, ...]) -> Samples:
        """One sample from each stream of noise."""
        from ._dit_prior import to_bytes

        assert self._prior is not None
        latents = self._prior.sample(streams, class_index, self.params).half()
        return Samples(to_bytes(self._prior.decode(latents)).cpu(), ids, latents.cpu())

    def _labels(self, data: TrainingData) -> list[int]:
        """The transformer's label of each class."""
        if self.params.classes == "dataset":
            return list(range(len(data.classes)))
        labels = []
        for c in data.classes:
            if c.imagenet_index is None:
                raise ComponentError(
                    f"{self.label()}: class '{c.name}' has no index in ImageNet-1k, by which the transformer knows it",
                    hint="give a transformer of the data set's own classes, with `classes: dataset`",
                )
            labels.append(c.imagenet_index)
        return labels
