"""One epoch of a training: its order, its random streams, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Iterator

import torch
from torch import Tensor

from ddbench.api.context import Context
from ddbench.train.images import ResidentImages


class Epoch:
    """The random order of the images, the streams that augment them, and the sum of losses so far.

    The draws of an epoch depend only on the seed and its number.

    Attributes:
        augment_rng: the stream of the augmentation.
        mix_rng: the stream of CutMix.
        total: sum of the losses of all images so far.
        done: number of images that were trained on.
    """

    def __init__(self, number: int, data: ResidentImages, ctx: Context) -> None:
        self._device = torch.device(ctx.device)
        self._order = torch.from_numpy(ctx.rng("order", number).permutation(len(data))).to(data.labels.device)
        self.augment_rng, self.mix_rng = ctx.torch_rng("augment", number), ctx.rng("cutmix", number)
        self.total = torch.zeros((), device=data.labels.device)
        self.done = 0

    def batches(self, size: int) -> Iterator[Tensor]:
        """Yield the positions of the images in each batch that is left."""
        for start in range(self.done, len(self._order), size):
            yield self._order[start : start + size]

    def add(self, loss: Tensor, count: int) -> None:
        """Add the mean loss of a batch of ``count`` images."""
        self.total += loss.detach() * count
        self.done += count

    @property
    def loss(self) -> float:
        """The mean loss of the images so far."""
        return float(self.total / self.done)

    def state(self) -> dict[str, Tensor]:
        """Return the progress and the states of all generators, torch's global ones included."""
        numpy_state = json.dumps(self.mix_rng.bit_generator.state).encode()
        state = {
            "done": torch.tensor(self.done),
            "total": self.total,
            "augment": self.augment_rng.get_state(),
            "cutmix": torch.frombuffer(bytearray(numpy_state), dtype=torch.uint8),
            "torch": torch.get_rng_state(),
        }
        if self._device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self._device)
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore the state that :meth:`state` returned."""
        self.done = int(state["done"])
        self.total.copy_(state["total"])
        self.augment_rng.set_state(state["augment"])
        self.mix_rng.bit_generator.state = json.loads(bytes(state["cutmix"].tolist()))
        torch.set_rng_state(state["torch"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self._device)
