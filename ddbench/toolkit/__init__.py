"""Tools for authors of components.

Importing this package does not import torch or numba. ``Checkpoint``, ``KeptPart``, ``KeptParts`` and
``compiled``, which need them, are imported at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ddbench.api.canonical import derive_seed, image_digests, sha256_json, tensor_digest
from ddbench.api.context import ignore
from ddbench.api.pixels import nearest_bytes, unit_floats, wrong_pixels
from ddbench.toolkit.environment import environment
from ddbench.toolkit.files import (
    CorruptError,
    file_sha256,
    read_sealed,
    settled,
    sync_file,
    sync_folder,
    write_sealed,
    write_whole,
)
from ddbench.toolkit.hardware import device_in_use
from ddbench.toolkit.home import data_home
from ddbench.toolkit.memory import enough_memory, in_pieces
from ddbench.toolkit.pictures import ImportedPictures, Survey

if TYPE_CHECKING:
    from ddbench.toolkit.checkpoint import Checkpoint
    from ddbench.toolkit.compilation import compiled
    from ddbench.toolkit.kept_parts import KeptPart, KeptParts

__all__ = [
    "Checkpoint",
    "CorruptError",
    "ImportedPictures",
    "KeptPart",
    "KeptParts",
    "Survey",
    "compiled",
    "data_home",
    "derive_seed",
    "device_in_use",
    "enough_memory",
    "environment",
    "file_sha256",
    "ignore",
    "image_digests",
    "in_pieces",
    "nearest_bytes",
    "read_sealed",
    "settled",
    "sha256_json",
    "sync_file",
    "sync_folder",
    "tensor_digest",
    "unit_floats",
    "write_sealed",
    "write_whole",
    "wrong_pixels",
]

# The modules of names that are imported at first use.
LAZY = {
    "Checkpoint": "ddbench.toolkit.checkpoint",
    "KeptPart": "ddbench.toolkit.kept_parts",
    "KeptParts": "ddbench.toolkit.kept_parts",
    "compiled": "ddbench.toolkit.compilation",
}


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(LAZY[name]), name)
