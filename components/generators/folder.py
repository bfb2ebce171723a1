"""A pool that was made elsewhere, by any method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

import ddbench
from ddbench import Context, DataError, Dataset, Generator, Samples, TrainingData, component, unkeyed
from ddbench.cost import Cost, Sample, Work

from .._paths import UserPath, printable
from ._files.class_folders import Order, image_files, match_classes, pool_digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@component("generator", "folder", version=1)
class Folder(Generator):
    """Images from a folder, ``<class>/<n>.png``: a pool made by any other method.

    Class folders are named by class name, WordNet id, label index or ImageNet-1k index, all by the same; by label index
    only where labels follow the WordNet ids, or there are none: else such numbers could mean either order. Images are
    RGB, 8 bits a channel, square, of one size, and stored without loss: PNG or lossless WebP. The pool is known by its
    content, not by its path, which is resolved relative to the working directory.

    The images of a class are taken in natural order (``2.png`` before ``10.png``). Minimax's code takes the first files
    in the order of their names as text: of ``0.png`` to ``99.png`` its ten are 0, 1 and 10 to 17. For these, take
    ``order: lexicographic`` and the selector ``first``.
    """

    finite = True

    class Params(ddbench.Params):
        path: UserPath = unkeyed(description="the folder that holds one folder a class")
        order: Order = Field(
            "natural",
            description="natural has 2.png before 10.png; lexicographic after it, as subsets of Minimax's pools do",
        )

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """The training images as PNG files in ``scratch``."""
        from PIL import Image

        for image, label, name in zip(data.train.images, data.train.labels.tolist(), data.train.ids, strict=True):
            path = scratch / data.class_names[label] / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
        return {"path": scratch}

    params: Params
    _folders: list[Path]
    _size: int

    def fingerprint(self) -> str:
        """SHA-256 over the names and bytes of all images. Raises DataError where the folder is missing or unfit."""
        return pool_digest(self.params.path)

    def available(self, dataset: Dataset) -> tuple[int, ...]:
        """Files per class, counted and not decoded. Raises DataError where a class has none."""
        return tuple(len(image_files(folder)) for folder in match_classes(self.params.path, dataset.classes))

    def cost(self, work: Work) -> Cost | None:
        """Return no operations; the size of the images is not known before they are read."""
        return Cost(flops=0) if isinstance(work, Sample) else None

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Find each class's folder, and the size that all images must have: that of the first."""
        from ._files.lossless import read_rgb

        self._folders = match_classes(self.params.path, data.classes)
        self._size = len(read_rgb(image_files(self._folders[0])[0]))

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Every image of the class, in order. Raises DataError naming the first file that does not fit."""
        import numpy as np
        import torch

        files = image_files(self._folders[class_index], self.params.order)
        images = torch.from_numpy(np.stack([self._read(path) for path in files])).permute(0, 3, 1, 2).contiguous()
        return Samples(images, tuple(printable(f"{path.parent.name}/{path.name}") for path in files))

    def _read(self, path: Path) -> NDArray[np.uint8]:
        from ._files.lossless import read_rgb

        pixels = read_rgb(path)
        if len(pixels) != self._size:
            raise DataError(
                f"is {len(pixels)} px large, and the pool's first image {self._size} px",
                where=str(path),
                hint="all images of a pool have one size",
            )
        return pixels
