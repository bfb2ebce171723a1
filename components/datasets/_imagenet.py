"""What the subsets of ImageNet-1k share: where their images lie, in which order they are taken, in which form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

from ddbench import ClassInfo, DataError, Dataset, LabeledImages
from ddbench.store.home import data_home

PAPER: Final = "arXiv:1409.0575"
SUFFIX: Final = ".JPEG"
# The folders of the splits, by our names of them.
_FOLDERS: Final = {"train": "train", "validation": "val"}
_LAYOUT: Final = f"imagenet/{{train,val}}/<WordNet id>/*{SUFFIX}"


class ImagenetSubset(Dataset):
    """Some classes of ImageNet-1k, with ImageNet's own split.

    The images lie where the user has put them: ``imagenet/train/<WordNet id>/*.JPEG`` and
    ``imagenet/val/<WordNet id>/*.JPEG`` in the data folder; ``imagenet`` may be a link, and folders of other classes
    may lie beside those that are used. Class follows class, and within a class file follows file in the order of their
    names. An image's id is its class folder and its file's name without the suffix: ``n02096294/n02096294_1234``.

    Each image is decoded once. It is made RGB, Pillow's bilinear filter brings its shorter side to 256 pixels, and the
    256 × 256 pixels in the middle are kept, as torchvision's ``Resize`` and ``CenterCrop`` do. The distillation
    literature names no size for stored real images; this is the size that its generators make. The pixels are kept in
    ``cache`` in the data folder, and made again when the names or sizes of the files have changed.

    Attributes:
        validation_count: validation images of each class.
    """

    image_size = 256
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)
    validation_count: ClassVar[int] = 50

    def train(self) -> LabeledImages:
        """ImageNet's training images of the classes."""
        return self._read("train")

    def validation(self) -> LabeledImages:
        """ImageNet's validation images of the classes."""
        return self._read("validation")

    def missing(self) -> str | None:
        """None if every class has its images in both splits, else the first gap. Files are counted and not read."""
        counts = {"train": self.train_counts, "validation": (self.validation_count,) * len(self.classes)}
        for split, folder in _FOLDERS.items():
            problem = _gap(data_home() / "imagenet" / folder, self.classes, counts[split])
            if problem:
                return f"{self.info.name}: {problem}; lay ImageNet out as {data_home()}/{_LAYOUT}"
        return None

    def fetch(self, progress: Callable[[str, int, int], None]) -> None:
        """Raise DataError that says where ImageNet is to be had: its terms must be agreed to by a person."""
        raise DataError(
            "ImageNet cannot be fetched: get ILSVRC 2012 from https://image-net.org/download-images, "
            f"and lay it out as {data_home()}/{_LAYOUT}"
        )

    def _read(self, split: str) -> LabeledImages:
        import torch

        from ._imagenet_cache import DecodedImages

        problem = self.missing()
        if problem:
            raise DataError(problem)
        source = data_home() / "imagenet" / _FOLDERS[split]
        names = [_names(source / str(c.wnid)) for c in self.classes]
        files = [f"{c.wnid}/{name}" for c, own in zip(self.classes, names, strict=True) for name in own]
        cache = DecodedImages(data_home() / "cache" / self.info.name, split, source, files, self.image_size)
        return LabeledImages(
            images=cache.read(),
            labels=torch.arange(len(names)).repeat_interleave(torch.tensor([len(own) for own in names])),
            ids=tuple(file.removesuffix(SUFFIX) for file in files),
        )


def _gap(folder: Path, classes: Sequence[ClassInfo], counts: Sequence[int] | None) -> str | None:
    """What a split's folder lacks, in one clause. ``counts`` are the images of each class, where they are known."""
    if not folder.is_dir():
        return f"there is no folder {folder}"
    for label, info in enumerate(classes):
        own = folder / str(info.wnid)
        if not own.is_dir():
            if _names(folder):
                return f"the images in {folder} are not sorted into a folder a class"
            return f"there is no folder {own} ({info.name})"
        found = len(_names(own))
        if not found:
            return f"{own} ({info.name}) holds no {SUFFIX} files"
        if counts is not None and found != counts[label]:
            return f"{own} ({info.name}) holds {found} {SUFFIX} files, not {counts[label]}"
    return None


def _names(folder: Path) -> list[str]:
    """The names of the images directly in a folder, in their order."""
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(SUFFIX))
