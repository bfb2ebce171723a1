"""Real batches, networks with random weights, and the loop of updates, for all methods that learn images."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ddbench import ComponentError, Context, EvaluationSettings, Student, TrainingData
from ddbench.toolkit import Checkpoint
from ddbench.train import Numerics, denormalize, normalize, unit

from .._curve import Curve
from .learnt_set import IMAGES, LearntSet


class Learner:
    """The learnt images of a data set, and what is needed to learn them. All images are normalised.

    Every draw is keyed by what it is for, so an update does not depend on the ones before it.

    Attributes:
        images: the learnt images, ``[C * k, 3, S, S]``, one class after another.
        count: images of each class, k.
        classes: the number of classes, C.
    """

    def __init__(self, generator: LearntSet, data: TrainingData, ctx: Context) -> None:
        self.generator, self.params, self.ctx, self.count = generator, generator.params, ctx, generator.count
        self.classes = len(data.classes)
        self._student: Student = generator.student()
        self._size = data.image_size
        self._numerics = Numerics.of(replace(ctx, evaluation=EvaluationSettings(numerics=self.params.numerics)))
        self._mean, self._std = (torch.tensor(values, device=ctx.device) for values in (data.mean, data.std))
        self._pixels = data.train.images.to(ctx.device)
        self._places = [(data.train.labels == c).nonzero()[:, 0] for c in range(self.classes)]
        self.images = nn.Parameter(self._start().to(ctx.device))

    def _start(self) -> Tensor:
        if self.generator.from_real:
            return torch.cat([self._draw(c, self.count, "start") for c in range(self.classes)])
        shape = (self.count, 3, self._size, self._size)
        return torch.cat([torch.randn(shape, generator=self.ctx.torch_rng("start", c)) for c in range(self.classes)])

    def _draw(self, class_index: int, count: int, *key: object) -> Tensor:
        places = self._places[class_index]
        chosen = places[torch.from_numpy(self.ctx.rng(*key, class_index).permutation(len(places))[:count])]
        return normalize(unit(self._pixels[chosen.to(self._pixels.device)]), self._mean, self._std)

    def real(self, step: int, class_index: int) -> Tensor:
        """Return a batch of different real images of a class, drawn for this step; all of them if it has fewer."""
        return self._draw(class_index, self.params.real_batch, "real", step)

    def learnt(self, class_index: int) -> Tensor:
        """Return the learnt images of a class, ``[k, 3, S, S]``."""
        return self.images[class_index * self.count : (class_index + 1) * self.count]

    def network(self, number: int) -> nn.Module:
        """Return network number ``number`` with random weights. Raise ComponentError if it does not fit.

        Batch norms are refused. With a single learnt image of a class their statistics mean nothing.
        """
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.ctx.torch_rng("network", number).get_state())
            network = self._student.build(self.classes, self._size)
        problem = None if hasattr(network, "embed") else "has no 'embed'"
        if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()):
            problem = "has batch norms"
        if problem is not None:
            raise ComponentError(
                f"{self.generator.label()} cannot use student '{self.params.student}': its network {problem}",
                hint="use a built-in student, such as convnet3",
            )
        return network.to(self.ctx.device)

    def for_real(self, network: nn.Module) -> nn.Module:
        """Return a copy of a network for the passes of real images, in the chosen numerics."""
        twin = copy.deepcopy(network)
        return self._numerics.prepare(twin) if self._numerics.fast else twin

    def passed(self, function: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
        """Return ``function`` of real images, float32, in the chosen numerics."""
        if self._numerics.fast:
            real = real.contiguous(memory_format=torch.channels_last)
        mixed = self._numerics.dtype == torch.bfloat16
        with torch.autocast(self._numerics.device, torch.bfloat16, enabled=mixed):
            return function(real).float()

    def run(
        self, steps: int, update: Callable[[int], float], state: nn.Module, optimizer: torch.optim.Optimizer
    ) -> Curve:
        """Call ``update`` with each step, counted from 0, and return its losses. It changes ``state``.

        Raises:
            ComponentError: a loss is infinite or not a number.
        """
        curve = Curve(steps)
        checkpoint = Checkpoint.of(self.ctx, self.params.checkpoint_seconds, curve.notes, curve.recall)
        done, _ = checkpoint.restore(state, optimizer)
        for step in range(done, steps):
            loss = update(step)
            if not math.isfinite(loss):
                raise ComponentError(
                    f"the loss of {self.generator.label()} is {loss} in step {step + 1} of {steps}",
                    hint="lower the parameter 'learning_rate'",
                )
            curve.add(step, loss)
            checkpoint.offer(step + 1, loss, state, optimizer)
            self.ctx.progress(step + 1, steps)
        return curve

    def save(self, out_dir: Path, curve: Curve) -> None:
        """Write the images before normalisation, float32 ``[C, k, 3, S, S]``, and the curve of the loss."""
        images = denormalize(self.images.detach(), self._mean, self._std).cpu()
        by_class = images.reshape(self.classes, self.count, *images.shape[1:])
        save_file({"images": by_class.contiguous()}, out_dir / IMAGES)
        (out_dir / "training.json").write_text(json.dumps({"loss": curve.points()}, indent=1), encoding="utf-8")


class Images(nn.Module):
    """The state of learning: the learnt images and, if it is trained, the network.

    Attributes:
        images: the learnt images.
        network: the network; None if each update has one of its own.
    """

    def __init__(self, images: nn.Parameter, network: nn.Module | None = None) -> None:
        super().__init__()
        self.images = images
        self.network = network
