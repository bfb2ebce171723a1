"""Write a distilled set as class folders of PNG files, or as one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ddbench.errors import DdbenchError
from ddbench.sets.layouts import class_names, image_files, minimax_folders, numbered_folders, own_folders

if TYPE_CHECKING:
    from ddbench.api import ClassInfo, DistilledSet

TENSORS: Final = "set.safetensors"
METADATA: Final = "metadata.jsonl"
CLASS_FILE: Final = "classes.txt"

# Write a set with these classes and the name of its teacher, if it is known, into a folder. Return the file of each
# image there.
Writer: TypeAlias = "Callable[[DistilledSet, Sequence[ClassInfo], str | None, Path], list[str]]"


def write_tensors(data: DistilledSet, classes: Sequence[ClassInfo], teacher: str | None, folder: Path) -> list[str]:
    """Write ``set.safetensors``, which the generator ``pool-file`` reads. Float images stay pixels in [0, 1]."""
    from safetensors.torch import save

    tensors = {"images": data.images, "labels": data.labels}
    metadata = {"classes": _json(class_names(classes)), "ids": _json(list(data.sample_ids))}
    if data.latents is not None:
        tensors["latents"] = data.latents
    if data.soft is not None:
        tensors["soft_logits"] = data.soft.logits.float()
        metadata["tau"] = _json(data.soft.tau)
    if teacher is not None:
        metadata["teacher"] = _json(teacher)
    if data.images.is_floating_point():
        metadata |= {"mean": _json([0, 0, 0]), "std": _json([1, 1, 1])}
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    (folder / TENSORS).write_bytes(_with_sorted_header(save(contiguous, metadata)))
    return [TENSORS] * len(data)


def _with_sorted_header(saved: bytes) -> bytes:
    """Return the bytes of a safetensors file with its header in order. The library writes metadata in random order."""
    end = 8 + int.from_bytes(saved[:8], "little")
    header = json.dumps(json.loads(saved[8:end]), ensure_ascii=False, sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + saved[end:]


@dataclass(frozen=True)
class Folders:
    """A writer of one folder of PNG files for each class, and of ``metadata.jsonl``.

    Attributes:
        folders: return the folder of each class.
        pattern: the name of an image's file, see ``image_files``. Sorted as text, files keep the order of the set.
        inside: the folder that holds the class folders and ``metadata.jsonl``.
        class_file: write a file with the folder of each label, one a line.
    """

    folders: Callable[[Sequence[ClassInfo]], list[str]]
    pattern: str = "{n:05d}.png"
    inside: str = "."
    class_file: bool = False

    def __call__(
        self, data: DistilledSet, classes: Sequence[ClassInfo], teacher: str | None, folder: Path
    ) -> list[str]:
        """Write the files. Raise DdbenchError if the images are not uint8, as PNG has no other exact form."""
        from PIL import Image

        if str(data.images.dtype) != "torch.uint8":
            dtype = str(data.images.dtype).removeprefix("torch.")
            message = f"the images are {dtype}, which PNG files would round"
            raise DdbenchError(message, hint="use --format safetensors, without --for")
        root, folders = folder / self.inside, self.folders(classes)
        files = image_files(data.labels.tolist(), folders, self.pattern)
        for image, file in zip(data.images, files, strict=True):
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as opened:
                Image.fromarray(image.permute(1, 2, 0).numpy()).save(opened, "PNG")
        lines = (_json(line) for line in _lines(data, files))
        (root / METADATA).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        if self.class_file:
            (folder / CLASS_FILE).write_text("".join(f"{name}\n" for name in folders), encoding="utf-8")
        return [(Path(self.inside) / file).as_posix() for file in files]


def _lines(data: DistilledSet, files: Sequence[str]) -> list[dict[str, Any]]:
    """Return the entry of each image in ``metadata.jsonl``. A float32 keeps its value as a decimal number."""
    named = zip(files, data.labels.tolist(), data.sample_ids, strict=True)
    lines: list[dict[str, Any]] = [{"file_name": file, "label": label, "id": own} for file, label, own in named]
    if data.soft is not None:
        for line, logits in zip(lines, data.soft.logits.float().tolist(), strict=True):
            line["soft_logits"] = logits
    return lines


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


# By the value of --format, or of --for.
FORMATS: Final[dict[str, Writer]] = {
    "folder": Folders(own_folders),
    "hf": Folders(own_folders, inside="train"),
    "safetensors": write_tensors,
    "minimax": Folders(minimax_folders, class_file=True),
    "rded": Folders(numbered_folders, "class{label:05d}_id{n:05d}.png"),
    "ddranking": Folders(numbered_folders),
}
