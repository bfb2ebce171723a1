"""RDED: collages of real crops that a teacher finds realistic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import Field

import ddbench
from ddbench import ComponentError, Context, Dataset, Generator, Samples, TrainingData, component
from ddbench.cost import COLOURS, Cost, Sample, Score, Work
from ddbench.toolkit import enough_memory

# The authors make collages of images larger than this, in pixels. Their scripts for smaller images have one crop each.
_LARGEST_SINGLE = 64


@component("generator", "rded", version=1, paper="arXiv:2312.03526")
class Rded(Generator):
    """Collages of the crops of real images that a teacher finds most realistic.

    Several random square crops are drawn from each image. The most realistic crop has the smallest cross-entropy of the
    teacher for the image's class. It is kept, and the crops of a class are ranked in the same way. Collage i has the
    crops of rank factor² · i to factor² · i + factor² − 1, row by row. The earlier crop wins a tie.

    As in the authors' code, the images are a random subset of the class. A crop has 8 to 100 % of the area, and is
    resized to its size in the collage before it is judged. The teacher sees it in the centre of an image of the data
    set's mean colour. The softmax is over the data set's classes.

    The authors' collages depend on the IPC: image i of n has the ranks i, n + i, 2n + i and 3n + i. The first n images
    have the same crops here, grouped in another way, so that a small pool is a prefix of a large one. The authors store
    JPEG; images are lossless here. The pool ends when the images of the class do: raise ``images`` for more.
    """

    finite = True
    seeded = True
    licence = "that of the data set"

    class Params(ddbench.Params):
        teacher: str = Field("teacher", description="role of the teaching scorer that judges the crops")
        factor: int | None = Field(
            None, ge=1, le=8, description="crops along a side of a collage; by default 1 up to 64 px and 2 above"
        )
        crops: int = Field(5, ge=1, description="random crops of each image; the best one is kept")
        images: int = Field(300, ge=1, description="images of each class; of a smaller class, all are used")

    params: Params
    _data: TrainingData

    @property
    def needs_teacher(self) -> str:
        """The role of the scorer that judges the crops."""
        return self.params.teacher

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError if a collage of whole crops does not fit the images."""
        factor = self._factor(dataset.image_size)
        if dataset.image_size % factor:
            raise ComponentError(
                f"{self.label()} cannot divide images of {dataset.image_size} px into {factor} equal parts",
                hint="choose a `factor` that divides the image size",
            )

    def available(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the number of collages of each class; None if the data set must be read to count its images."""
        counts, parts = dataset.train_counts, self._factor(dataset.image_size) ** 2
        return None if counts is None else tuple(min(count, self.params.images) // parts for count in counts)

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of the teacher's judgement of all crops, and the disk space of an image."""
        if not isinstance(work, Sample):
            return None
        judged = None if work.teacher is None else work.teacher.cost(Score(work.dataset))
        if judged is None:
            return None
        size = work.dataset.image_size
        crops = self._factor(size) ** 2 * self.params.crops
        return replace(judged * crops, disk_bytes=COLOURS * size**2)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Keep the training images."""
        self._data = data

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return all collages of the class. Raise ComponentError if the teacher's logits are not finite."""
        import torch

        from . import _rded

        data, factor = self._data, self._factor(self._data.image_size)
        rng = ctx.rng("rded", class_index)
        own = (data.train.labels == class_index).nonzero().flatten()
        chosen = own[torch.from_numpy(rng.permutation(len(own)))][: self.params.images]
        where = _rded.boxes(rng.random((len(chosen), self.params.crops, 3)), data.image_size)
        crops = _rded.crop(data.train.images[chosen], where, data.image_size // factor)
        if self.teacher is None:
            raise ComponentError(f"{self.label()} has no teacher", hint="set `teacher` to a loaded teaching scorer")
        canvas = torch.tensor(data.mean, device=ctx.device)[:, None, None].repeat(1, data.image_size, data.image_size)
        with enough_memory(f"judging {self.teacher.block} crops at once"):
            judge = self.teacher.class_logits
            losses = _rded.losses(crops.flatten(0, 1), class_index, judge, self.teacher.block, canvas)
        if not torch.isfinite(losses).all():
            raise ComponentError(f"{self.teacher.label()} gave NaN or infinite logits", hint="check its weights")
        best = losses.view(len(chosen), -1).numpy()
        # numpy's argmin and its stable sort take the first of equal values.
        kept, order = best.argmin(1), best.min(1).argsort(kind="stable")
        order = order[: len(order) // factor**2 * factor**2]
        names = ["+".join(data.train.ids[i] for i in part) for part in chosen[order].view(-1, factor**2).tolist()]
        return Samples(_rded.collage(crops[order, kept[order]], factor), tuple(names))

    def _factor(self, image_size: int) -> int:
        """Return the number of crops along a side of a collage."""
        if self.params.factor is not None:
            return self.params.factor
        return 1 if image_size <= _LARGEST_SINGLE else 2
