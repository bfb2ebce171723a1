"""Generators: make the candidate images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from ddbench.api.component import Component
from ddbench.api.pixels import check_one_form
from ddbench.errors import ComponentError
from ddbench.text import counted

if TYPE_CHECKING:
    from torch import Tensor

    from ddbench.api.context import Context
    from ddbench.api.dataset import Dataset
    from ddbench.api.scorer import Scorer


@dataclass(frozen=True, eq=False)
class Samples:
    """Images of one class.

    Attributes:
        images: ``[n, 3, H, W]``, uint8, or float32 of pixels in [0, 1] before normalisation. Learnt images may exceed
            [0, 1].
        ids: a unique name for each image.
        latents: the latents of the images, ``[n, …]``; None if the generator keeps none.
        notes: remarks for the record, such as a lossy format.
        soft_logits: logits that a teacher gave the images, ``[n, C]`` float32, one column for each class of the data
            set, in its order; None if none are stored with the images.
    """

    images: Tensor
    ids: tuple[str, ...]
    latents: Tensor | None = None
    notes: tuple[str, ...] = ()
    soft_logits: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, span: slice) -> Samples:
        latents, soft = (None if t is None else t[span] for t in (self.latents, self.soft_logits))
        return Samples(self.images[span], self.ids[span], latents, self.notes, soft)

    @staticmethod
    def concatenate(parts: Sequence[Samples]) -> Samples:
        """Concatenate the parts in order. Raise ComponentError if some images are bytes and some floats."""
        import torch

        check_one_form(part.images for part in parts)

        def joined(tensors: list[Tensor | None]) -> Tensor | None:
            present = [tensor for tensor in tensors if tensor is not None]
            return torch.cat(present) if len(present) == len(parts) else None

        return Samples(
            images=torch.cat([p.images for p in parts]),
            ids=tuple(i for p in parts for i in p.ids),
            latents=joined([p.latents for p in parts]),
            notes=tuple(note for p in parts for note in p.notes),
            soft_logits=joined([p.soft_logits for p in parts]),
        )


class Prior(Protocol):
    """The generative model of a generator, for use by refiners. Its weights are frozen."""

    @property
    def timesteps(self) -> int:
        """Number of timesteps of the loss. Timestep 0 has the least noise, ``timesteps - 1`` the most."""

    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents ``[n, …]`` to images in [0, 1], float ``[n, 3, H, W]``. The result is differentiable."""

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        """Return the denoising loss of each latent, ``[n]``.

        Args:
            latents: clean latents, ``[n, …]``.
            t: timesteps, ``[n]``.
            noise: the noise that is added, in the shape of the latents.
            class_index: the class of each latent, ``[n]``.
        """


@runtime_checkable
class EncodingPrior(Prior, Protocol):
    """A prior that also maps images to latents. The priors of imported pools are such."""

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent that ``loss`` takes."""

    def encode(self, images: Tensor) -> Tensor:
        """Encode images in [0, 1], float ``[n, 3, H, W]``, to the latents that decode to them. Nothing is drawn."""


@dataclass(frozen=True)
class BorrowedPrior:
    """The prior of another generator. Refiners use it for samples that were made elsewhere.

    Attributes:
        generator: the generator's name in the suite: a component's, or a variant's.
        encode: True if the prior encodes the images; False if the samples come with its latents.
    """

    generator: str
    encode: bool


class Generator(Component):
    """A generator makes the candidates of each class.

    An endless generator computes samples in *blocks* of ``block`` samples of one class. Sample i of class c depends
    only on (generation seed, c, i), so a small pool is a bit-identical prefix of a large one. A *finite* generator,
    such as real images or a folder, has one block for each class, which contains all its samples.

    Attributes:
        kind: ``generator``.
        finite: True if the generator has a limited number of samples.
        fits_by_seed: True if each generation seed has a fit of its own, as learnt images have.
        has_latents: True if its samples have latents.
        teacher: the loaded scorer of the role ``needs_teacher``, set before samples are made.
    """

    kind: ClassVar[str] = "generator"
    finite: ClassVar[bool] = False
    fits_by_seed: ClassVar[bool] = False
    has_latents: ClassVar[bool] = False
    teacher: Scorer | None = None

    @property
    def needs_teacher(self) -> str | None:
        """The role of the teaching scorer that sampling asks; None if it asks none."""
        return None

    @property
    def block(self) -> int:
        """Number of samples of one class that are computed together. It enters the keys."""
        return 1

    @property
    def prior(self) -> Prior | None:
        """The generative model after ``load``; None if there is none."""
        return None

    @property
    def borrowed_prior(self) -> BorrowedPrior | None:
        """The prior that refiners use in place of the generator's own; None if there is none."""
        return None

    @property
    def has_soft_labels(self) -> bool:
        """True if its samples have ``soft_logits``. Do not import torch."""
        return False

    def latent_shape(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the shape of one latent of its samples; None if it is unknown before a run. Do not import torch."""
        return None

    @property
    def soft_labels_of(self) -> str | None:
        """The teacher of its samples' ``soft_logits``; None if it is not known. Do not import torch."""
        return None

    def for_ipc(self, ipc: int) -> Generator:
        """Return the generator of the pool for this IPC, by default itself.

        A generator that returns another one for each IPC shares no pool between IPCs.
        """
        return self

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError if the generator cannot make the data set's classes.

        The check must be cheap and must not import torch.
        """

    def available(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the number of samples in each class of a finite generator; None if endless or not known yet."""
        return None

    @abstractmethod
    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return the block number ``block`` of a class. A finite generator returns all samples for block 0."""

    def sample(self, class_index: int, start: int, count: int, ctx: Context) -> Samples:
        """Return ``count`` samples of a class, from number ``start``.

        Raises:
            ComponentError: a finite generator has fewer samples.
        """
        if self.finite:
            everything = self.sample_block(class_index, 0, ctx)
            if start + count > len(everything):
                has = f"{self.label()} has {counted(len(everything), 'image')}"
                raise ComponentError(f"{has} of class {class_index}, not {start + count}")
            return everything[start : start + count]
        first, last = start // self.block, -(-(start + count) // self.block)
        blocks = [self.sample_block(class_index, k, ctx) for k in range(first, last)]
        offset = start - first * self.block
        return Samples.concatenate(blocks)[offset : offset + count]
