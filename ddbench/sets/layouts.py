"""Names of class folders and image files, as ddbench and other programs read them.

Facts about other programs are from their public code: Minimax diffusion (vimar-gu/MinimaxDiffusion, data.py), RDED
(LINs-lab/RDED, validation/utils.py) and DD-Ranking (NUS-HPC-AI-Lab/DD-Ranking, metrics/soft_label.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ddbench.api import ClassInfo
from ddbench.errors import DdbenchError

_NAME_BYTES: Final = 255


def class_names(classes: Sequence[ClassInfo]) -> list[str]:
    """Return a different name for each class: its name, or its WordNet id if two classes have the same name."""
    names = [info.name for info in classes]
    wnids = [info.wnid for info in classes if info.wnid]
    return wnids if len(set(names)) < len(names) and len(wnids) == len(names) else names


def own_folders(classes: Sequence[ClassInfo]) -> list[str]:
    """Return the folder of each class for the generator ``folder``: its WordNet id if every class has one, or its name.

    Raises:
        DdbenchError: a name cannot be that of a folder, or two folders would be one on some file systems.
    """
    wnids = [info.wnid for info in classes if info.wnid]
    if len(wnids) == len(classes):
        return wnids
    names = [info.name for info in classes]
    alike = Counter(name.casefold() for name in names)
    for name in names:
        whole = name.strip() == name and 0 < len(name.encode()) <= _NAME_BYTES
        if not whole or "/" in name or "\0" in name or name.startswith(".") or alike[name.casefold()] > 1:
            hint = "use --format safetensors"
            raise DdbenchError(f"the class name {name!r} cannot be that of a folder of its own", hint=hint)
    return names


def minimax_folders(classes: Sequence[ClassInfo]) -> list[str]:
    """Return the WordNet ids. Minimax's code labels them in the order of its class file.

    Raises:
        DdbenchError: a class has no WordNet id.
    """
    for info in classes:
        if info.wnid is None:
            message = f"class '{info.name}' has no WordNet id, which Minimax's code expects as the name of its folder"
            raise DdbenchError(message, hint="leave out --for minimax")
    return [str(info.wnid) for info in classes]


def numbered_folders(classes: Sequence[ClassInfo]) -> list[str]:
    """Return the labels with five digits. Sorted as text, they are in the order of the labels."""
    return [f"{label:05d}" for label in range(len(classes))]


def image_files(labels: Iterable[int], folders: Sequence[str], pattern: str) -> list[str]:
    """Return the path of each image below the folder of the set.

    Args:
        labels: the label of each image.
        folders: the folder of each class.
        pattern: the name of a file, with ``{label}`` and ``{n}``, the number of the image within its class.
    """
    counts: Counter[int] = Counter()
    files = []
    for label in labels:
        files.append(f"{folders[label]}/{pattern.format(label=label, n=counts[label])}")
        counts[label] += 1
    return files
