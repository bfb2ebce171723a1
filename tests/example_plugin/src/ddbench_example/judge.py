"""A student without depth and an evaluator without training."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import ddbench
from ddbench import Context, Dataset, DistilledSet, Evaluation, Evaluator, Scorer, Student, component
from ddbench.toolkit import nearest_bytes

if TYPE_CHECKING:
    from torch import nn

    from ddbench.protocol import Protocol


@component("student", "pixels", version=1)
class Pixels(Student):
    """One linear layer on the pixels."""

    class Params(ddbench.Params):
        name: str = ""

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(channels * image_size**2, num_classes))


@component("evaluator", "nearest-mean", version=1)
class NearestMean(Evaluator):
    """Classifies validation images by the nearest mean colour of the distilled set, jittered by the training seed."""

    class Params(ddbench.Params):
        seconds: float = 0.0
        fail_seed: int = -1
        die_seed: int = -1

    params: Params

    def evaluate(
        self,
        distilled: DistilledSet,
        dataset: Dataset,
        student: Student,
        protocol: Protocol,
        teacher: Scorer | None,
        ctx: Context,
    ) -> Evaluation:
        import torch

        time.sleep(self.params.seconds)
        if ctx.seed == self.params.fail_seed:
            raise RuntimeError("this seed always fails")
        if ctx.seed == self.params.die_seed:
            os._exit(9)
        validation = dataset.validation()
        colours = nearest_bytes(distilled.images).float().mean((2, 3))
        jitter = torch.randn(colours.shape, generator=ctx.torch_rng("jitter")) * 5
        means = torch.stack([(colours + jitter)[distilled.labels == c].mean(0) for c in range(len(dataset.classes))])
        guesses = torch.cdist(validation.images.float().mean((2, 3)), means).argmin(1)
        accuracy = 100 * (guesses == validation.labels).float().mean().item()
        soft = None if distilled.soft is None else [distilled.soft.tau, distilled.soft.logits.tolist()]
        details = {"ipc": distilled.ipc, "soft": soft, "live": None if teacher is None else teacher.info.name}
        return Evaluation(accuracy, accuracy, 1, ((1, accuracy),), details, guesses.tolist())
