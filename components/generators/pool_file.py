"""A pool made elsewhere, by any method, as tensors in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from ddbench import BorrowedPrior, Context, DataError, Dataset, Generator, Samples, TrainingData, component, unkeyed
from ddbench.cost import Cost, Sample, Work
from ddbench.toolkit import sha256_json

from .._class_names import ClassNames, given_names
from .._paths import UserPath
from ._files.borrowing import BorrowingParams
from ._files.content import content_digest
from ._files.pixels import Pixels
from ._files.tensor_pool import LOGITS, PROBABILITIES, Register, latent_shape, opened, teacher_in, tensor_names
from ._files.torch_layouts import LABELS, SavedSet, digest_of, read_dc, read_ddranking


@component("generator", "pool-file", version=1)
class PoolFile(Generator):
    """Images from one safetensors file: a pool made by any other method.

    The file holds ``images`` ``[N, 3, S, S]`` and ``labels``, int64 ``[N]``. Images are uint8, or floats with a
    normalisation: the metadata ``mean`` and ``std``, or the parameter ``pixels``. They are stored as pixels in [0, 1]
    without it; learnt images may exceed [0, 1]. The metadata may hold ``ids``, a JSON list of N different strings;
    otherwise the id of an image is its position.

    The names of the labels are a JSON list in the metadata ``classes``, or the parameter ``classes``. They are class
    names, WordNet ids or ImageNet-1k indices. Images of other classes are ignored. Without names, labels are class
    indices of the data set. Such a file is refused if the order of the classes is in doubt. The order is in doubt for
    folders of images, for Tiny ImageNet, and for labels that do not follow the WordNet ids.

    The file may hold soft labels ``[N, C]``, whose columns are the classes of its labels: ``soft_logits``, or
    ``soft_probabilities`` at the temperature in the metadata ``tau``. Rows with ``labels: stored`` use them. The
    metadata ``teacher`` names their teacher.

    The file may hold ``latents``, ``[N, …]``. Refiners use them with the ``prior`` of a generator of the suite, whose
    latents they are. ``encode: true`` encodes the images instead.

    Other projects' files have a ``layout``. ``dc`` is the result of DC, DSA or DM: ``path`` is the file
    ``res_….pt``, and the generation seed s takes the set of experiment s. ``ddranking`` is a folder with
    ``images.pt``, and with logits in ``labels.pt`` if there are soft labels. They have the class order of their
    authors. Torch reads them without running code.

    Images of a class are taken in the file's order. The pool is identified by its content. In a suite, its path is
    relative to the suite's folder.
    """

    finite = True

    class Params(BorrowingParams):
        path: UserPath = unkeyed(description="the file; with the layout ddranking, the folder")
        classes: ClassNames | None = unkeyed(
            None, description="the names of the labels 0, 1, …; by default those in the file's metadata"
        )
        layout: Literal["safetensors", "dc", "ddranking"] = unkeyed(
            "safetensors", description="the project that wrote the file, if it is not safetensors"
        )
        pixels: Pixels | None = unkeyed(
            None, description="the normalisation of float images; by default mean and std in the file's metadata"
        )
        encode: bool = unkeyed(
            False, description="encode the images with the VAE of `prior`, in place of latents in the file"
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
    _sets: tuple[SavedSet, ...] = ()

    @property
    def seeded(self) -> bool:
        """Return True for the layout ``dc``, whose files hold the sets of several experiments."""
        return self.params.layout == "dc"

    @property
    def borrowed_prior(self) -> BorrowedPrior | None:
        """Return the prior that the parameters name, or None."""
        return self.params.borrowed(encode=self.params.encode)

    @property
    def has_soft_labels(self) -> bool:
        """Return whether the file has soft labels."""
        match self.params.layout:
            case "safetensors":
                return not tensor_names(self.params.path).isdisjoint((LOGITS, PROBABILITIES))
            case "ddranking":
                return (self.params.path / LABELS).is_file()
        return False

    @property
    def soft_labels_of(self) -> str | None:
        """Return the teacher that the file's metadata names, or None."""
        return teacher_in(self.params.path) if self.params.layout == "safetensors" else None

    def latent_shape(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the shape of one of the file's latents, or None if it has none."""
        return latent_shape(self.params.path) if self.params.layout == "safetensors" else None

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file and of parameters that tell how to read it.

        Raises:
            DataError: the file is missing, or not of its layout.
        """
        params = self.params
        if params.layout == "safetensors":
            with opened(params.path):
                digest = content_digest(params.path)
            names = given_names(params.path, params.classes)
        else:
            digest, names = digest_of(params.path, params.layout), params.classes
        how = params.model_dump(mode="json", include={"layout", "pixels"}, exclude_defaults=True)
        if how:
            return sha256_json([digest, names and list(names), how])
        return digest if names is None else sha256_json([digest, list(names)])

    def check(self, dataset: Dataset) -> None:
        """Raise DataError if a prior is named, but the file has no latents and its images are not to be encoded."""
        params = self.params
        if params.prior is None or params.encode:
            return
        if params.layout != "safetensors" or "latents" not in tensor_names(params.path):
            hint = "add `encode: true` to encode its images"
            raise DataError(f"has no latents for the prior of '{params.prior}'", where=str(params.path), hint=hint)

    def available(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the number of images per class; None if torch must read them.

        Raises:
            DataError: the file is not a pool of these classes.
        """
        if self.params.layout != "safetensors":
            return None
        register = Register.read(self.params.path, self.params.classes, self.params.pixels, dataset)
        return tuple(len(register.positions(c)) for c in range(len(dataset.classes)))

    def cost(self, work: Work) -> Cost | None:
        """Return no operations; the size of the images is not known before they are read."""
        return Cost(flops=0) if isinstance(work, Sample) else None

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read labels and ids, and check the other tensors of the file."""
        given = (self.params.path, self.params.classes, self.params.pixels, data)
        match self.params.layout:
            case "dc":
                self._sets = read_dc(*given)
            case "ddranking":
                self._sets = read_ddranking(*given)
            case "safetensors":
                self._register = Register.read(*given)

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return every image of the class, in the file's order. No other images of safetensors are read.

        Raises:
            DataError: pixels are out of range, soft labels are wrong, or the file has no set for the generation seed.
        """
        import torch

        if self._sets:
            seed, sets = ctx.seed if self.seeded else 0, len(self._sets)
            if seed >= sets:
                hint = f"use generation seeds from 0 to {sets - 1}"
                raise DataError(f"holds {sets} sets, none for seed {seed}", where=str(self.params.path), hint=hint)
            return self._sets[seed].samples(class_index)
        positions = self._register.positions(class_index)
        with opened(self.params.path, "pt") as file:
            names = {"images", "latents", LOGITS, PROBABILITIES}.intersection(file.keys())
            rows = {name: torch.cat([file.get_slice(name)[i : i + 1] for i in positions]) for name in names}
        return self._register.samples(positions, rows)
