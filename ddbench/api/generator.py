"""Generators: where candidate images come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from ddbench.api.component import Component
from ddbench.errors import ComponentError

if TYPE_CHECKING:
    from torch import Tensor

    from ddbench.api.context import Context
    from ddbench.api.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Samples:
    """Some images of one class: uint8 ``[n, 3, H, W]``, an id for each, and latents ``[n, …]`` where there are any."""

    images: Tensor
    ids: tuple[str, ...]
    latents: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, span: slice) -> Samples:
        latents = None if self.latents is None else self.latents[span]
        return Samples(self.images[span], self.ids[span], latents)

    @staticmethod
    def concatenate(parts: Sequence[Samples]) -> Samples:
        """The parts, one after the other."""
        import torch

        latents = [p.latents for p in parts if p.latents is not None]
        return Samples(
            images=torch.cat([p.images for p in parts]),
            ids=tuple(i for p in parts for i in p.ids),
            latents=torch.cat(latents) if len(latents) == len(parts) else None,
        )


class Prior(Protocol):
    """The generative model behind a pool, for refiners. Its weights are frozen."""

    @property
    def timesteps(self) -> int:
        """How many timesteps its loss knows: 0 … timesteps − 1, from little noise to much."""

    def decode(self, latents: Tensor) -> Tensor:
        """Latents ``[n, …]`` to images in [0, 1], float ``[n, 3, H, W]``; differentiable."""

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        """Denoising loss of each latent, ``[n]``, at timesteps ``t [n]`` under ``noise``, shaped as the latents."""


class Generator(Component):
    """Makes the candidates of each class.

    An endless generator computes samples in aligned *blocks* of ``block`` samples of one class. Sample i of class c
    depends on (generation seed, c, i) alone, so that a small pool is a bit-identical prefix of a large one. A *finite*
    one (real images, a folder) has one block a class, with everything it has.
    """

    kind: ClassVar[str] = "generator"
    finite: ClassVar[bool] = False
    has_latents: ClassVar[bool] = False

    @property
    def block(self) -> int:
        """Samples of one class that are computed together; enters the keys."""
        return 1

    @property
    def prior(self) -> Prior | None:
        """The generative model, once loaded; None where there is none."""
        return None

    def for_ipc(self, ipc: int) -> Generator:
        """The generator of the pool that images are chosen from at this IPC: itself, unless a method says otherwise.

        One that returns another for each IPC shares no pool between them, and plans count it so.
        """
        return self

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError if it is known already that it cannot make the data set's classes; cheap, no torch."""

    def available(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Samples per class a finite generator has, where known before running; None if endless or not known."""
        return None

    @abstractmethod
    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Block number ``block`` of a class, whole; a finite generator returns everything for block 0."""

    def sample(self, class_index: int, start: int, count: int, ctx: Context) -> Samples:
        """Samples ``start … start + count`` of a class; raises ComponentError past the end of a finite generator."""
        if self.finite:
            everything = self.sample_block(class_index, 0, ctx)
            if start + count > len(everything):
                raise ComponentError(
                    f"{self.label()} has {len(everything)} images of class {class_index}, not {start + count}"
                )
            return everything[start : start + count]
        first, last = start // self.block, -(-(start + count) // self.block)
        blocks = [self.sample_block(class_index, k, ctx) for k in range(first, last)]
        offset = start - first * self.block
        return Samples.concatenate(blocks)[offset : offset + count]
