"""A pool made elsewhere, by any method, as tensors in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ddbench
from ddbench import Context, Dataset, Generator, Samples, TrainingData, component, unkeyed
from ddbench.cost import Cost, Sample, Work
from ddbench.toolkit import sha256_json

from .._class_names import ClassNames, given_names
from .._paths import UserPath
from ._files.content import content_digest
from ._files.tensor_pool import Register, opened


@component("generator", "pool-file", version=1)
class PoolFile(Generator):
    """Images from one safetensors file: a pool made by any other method.

    The file holds ``images``, uint8 ``[N, 3, S, S]``, and ``labels``, int64 ``[N]``. The file may hold ``latents``,
    ``[N, …]``, which are stored with the images. They come without a model, so no refiner can use them. The file's
    metadata may hold ``ids``, a JSON list of N different strings; otherwise the id of an image is its position.

    The names of the labels are a JSON list in the metadata ``classes``, or the parameter ``classes``. They are class
    names, WordNet ids or ImageNet-1k indices. Images of other classes are ignored. Without names, labels are class
    indices of the data set. Such a file is refused if the order of the classes is in doubt. The order is in doubt for
    folders of images, for Tiny ImageNet, and for labels that do not follow the WordNet ids.

    Images of a class are taken in the file's order. The pool is identified by its content. Its path is relative to the
    working directory.
    """

    finite = True

    class Params(ddbench.Params):
        path: UserPath = unkeyed(description="the safetensors file")
        classes: ClassNames | None = unkeyed(
            None, description="the names of the labels 0, 1, …; by default those in the file's metadata"
        )

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Save the training images as a file in ``scratch``, with the names of the classes."""
        from safetensors.torch import save_file

        path = scratch / "pool.safetensors"
        names = {"classes": json.dumps(data.class_names)}
        save_file({"images": data.train.images, "labels": data.train.labels}, path, names)
        return {"path": path}

    params: Params
    _register: Register

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file and of names of classes. Raise DataError if it is not safetensors."""
        with opened(self.params.path):
            digest = content_digest(self.params.path)
        names = given_names(self.params.path, self.params.classes)
        return digest if names is None else sha256_json([digest, list(names)])

    def available(self, dataset: Dataset) -> tuple[int, ...]:
        """Return the number of images per class. Raise DataError if the file is not a pool of these classes."""
        register = Register.read(self.params.path, self.params.classes, dataset)
        return tuple(int((register.labels == c).sum()) for c in range(len(dataset.classes)))

    def cost(self, work: Work) -> Cost | None:
        """Return no operations; the size of the images is not known before they are read."""
        return Cost(flops=0) if isinstance(work, Sample) else None

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read labels and ids, and check the other tensors of the file."""
        self._register = Register.read(self.params.path, self.params.classes, data)

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return every image of the class, in the file's order. No other images are read."""
        import torch

        positions = (self._register.labels == class_index).nonzero()[0].tolist()
        with opened(self.params.path, "pt") as file:
            rows = {
                name: torch.cat([file.get_slice(name)[i : i + 1] for i in positions])
                for name in {"images", "latents"}.intersection(file.keys())
            }
        return Samples(rows["images"], tuple(self._register.ids[i] for i in positions), rows.get("latents"))
