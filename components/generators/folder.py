"""A pool made elsewhere, by any method, as a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from ddbench import (
    BorrowedPrior,
    Context,
    DataError,
    Dataset,
    Generator,
    Progress,
    Samples,
    TrainingData,
    component,
    unkeyed,
)
from ddbench.cost import Cost, Sample, Work
from ddbench.limits import POOL_SIDES
from ddbench.toolkit import ImportedPictures, sha256_json

from .._class_names import ClassNames
from .._paths import UserPath, printable
from ._files.borrowing import BorrowingParams
from ._files.class_folders import LOSSY, Layout, Order, check_layout, image_files, match_classes, pool_digest
from ._files.content import content_digest
from ._files.listed import NAME as METADATA
from ._files.listed import Listed
from ._files.soft_labels import to_logits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@component("generator", "folder", version=1)
class Folder(Generator):
    """Images from a folder, ``<class>/<n>.png``: a pool made by any other method.

    All class folders are named by one scheme: class name, WordNet id, label index or ImageNet-1k index. Label indices
    are refused if the order of the classes is in doubt. The order is in doubt for folders of images, for Tiny ImageNet,
    and for labels that do not follow the WordNet ids. Images are square, of one size, RGB with 8 bits per channel,
    stored as PNG, lossless WebP or JPEG. The record notes images that are JPEG. Any other entry of a class folder is
    refused, except hidden files and text files. The pool is identified by its content. In a suite, its path is
    relative to the suite's folder.

    The images of a class are taken in natural order (``2.png`` before ``10.png``). Minimax's code sorts file names as
    text instead. Its first ten of ``0.png`` to ``99.png`` are 0, 1 and 10 to 17. To get these, use ``layout: minimax``
    and the selector ``first``.

    Other projects' folders have a ``layout``, and other names are refused. ``minimax`` is ``<WordNet id>/<n>.png``, in
    the order of text. ``rded`` is ``<number>/class<number>_id<n>.jpg``. Its authors number the classes of ImageNet's
    subsets in an order that is not published, so ``classes`` must list the names there.

    With ``metadata: true``, ids and soft labels are those in ``metadata.jsonl``, which `ddbench sets` writes.

    `ddbench pool` makes such a folder from pictures of any size.

    Refiners change the images with the ``prior`` of a generator of the suite, which encodes them first.
    """

    finite = True

    class Params(BorrowingParams):
        path: UserPath = unkeyed(description="the folder that holds one folder for each class")
        order: Order = Field(
            "natural",
            description="natural puts 2.png before 10.png; lexicographic after it, as layout minimax does by default",
        )
        layout: Layout | None = unkeyed(None, description="the project that wrote the folder; by default any")
        classes: ClassNames | None = unkeyed(None, description="the names of the folders 0, 1, …, if they are numbered")

        metadata: bool = unkeyed(False, description="take ids and soft labels from metadata.jsonl in the folder")

        @model_validator(mode="before")
        @classmethod
        def _order_of_layout(cls, values: Any) -> Any:
            if isinstance(values, dict) and values.get("layout") == "minimax":
                return {"order": "lexicographic", **values}
            return values

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Save the training images as PNG files in ``scratch``."""
        from PIL import Image

        for image, label, name in zip(data.train.images, data.train.labels.tolist(), data.train.ids, strict=True):
            path = scratch / data.class_names[label] / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
        return {"path": scratch}

    params: Params
    _folders: list[Path]
    _size: int
    _listed: Listed | None = None

    def fingerprint(self) -> str:
        """Return the SHA-256 of all names and images, and of listed names of classes.

        Raises:
            DataError: the folder is missing, holds other files, or is not of its layout.
        """
        digest, names = pool_digest(self.params.path), self.params.classes
        if self.params.layout is not None:
            check_layout(self.params.path, self.params.layout)
        if self.params.metadata:
            return sha256_json([digest, names and list(names), content_digest(self.params.path / METADATA)])
        return digest if names is None else sha256_json([digest, list(names)])

    @property
    def has_soft_labels(self) -> bool:
        """Return whether the metadata are used and have soft labels."""
        return self.params.metadata and Listed.read(self.params.path).has_soft_labels

    @property
    def borrowed_prior(self) -> BorrowedPrior | None:
        """Return the prior that the parameters name, which encodes the images, or None."""
        return self.params.borrowed(encode=True)

    def available(self, dataset: Dataset) -> tuple[int, ...]:
        """Return the number of files per class, without decoding them. Raise DataError if a class has none."""
        return tuple(len(image_files(folder)) for folder in self._matched(dataset))

    def import_pictures(self, dataset: Dataset, target: Path, progress: Progress) -> ImportedPictures:
        """Write a pool to an empty folder from the pictures in ``path``, which may have any size.

        Raises:
            DataError: a class has no folder or two, or no pictures.
            OSError: the target cannot be written.
        """
        from ._files.pictures import import_pictures

        return import_pictures(self.params.path, dataset, target, progress)

    def _matched(self, data: Dataset | TrainingData) -> list[Path]:
        """Return the folder of each class."""
        return match_classes(self.params.path, data, self.params.classes)

    def cost(self, work: Work) -> Cost | None:
        """Return no operations; the size of the images is not known before they are read."""
        return Cost(flops=0) if isinstance(work, Sample) else None

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Find the folder of each class. Read the first image, whose size all others must have."""
        from ._files.square_rgb import read_rgb

        self._folders = self._matched(data)
        self._listed = Listed.read(self.params.path) if self.params.metadata else None
        first = image_files(self._folders[0])[0]
        self._size = len(read_rgb(first))
        if self._size > POOL_SIDES * data.image_size:
            message = f"is {self._size} px large, more than {POOL_SIDES} times the data set's {data.image_size} px"
            raise DataError(message, where=str(first), hint="make the images of the pool smaller")

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return every image of the class, in order. Raise DataError that names the first unsuitable file."""
        import numpy as np
        import torch

        files = image_files(self._folders[class_index], self.params.order)
        images = torch.from_numpy(np.stack([self._read(path) for path in files])).permute(0, 3, 1, 2).contiguous()
        ids = tuple(printable(f"{path.parent.name}/{path.name}") for path in files)
        lossy = sum(path.suffix.lower() in LOSSY for path in files)
        folder = printable(self._folders[class_index].name)
        notes = (f"{lossy} of {len(files)} images in '{folder}' are JPEG",) if lossy else ()
        if self._listed is None:
            return Samples(images, ids, notes=notes)
        entries, soft = self._listed.of(files), None
        if self._listed.has_soft_labels:
            logits = torch.tensor([entry.soft_logits for entry in entries])
            soft = to_logits(logits, self._listed.columns(self._folders), None, self._listed.path)
        return Samples(images, tuple(entry.id for entry in entries), notes=notes, soft_logits=soft)

    def _read(self, path: Path) -> NDArray[np.uint8]:
        from ._files.square_rgb import read_rgb

        pixels = read_rgb(path)
        if len(pixels) != self._size:
            raise DataError(
                f"is {len(pixels)} px large, and the pool's first image {self._size} px",
                where=str(path),
                hint="resize the images of the pool to one size",
            )
        return pixels
