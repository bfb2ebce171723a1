"""Canonical JSON and SHA-256 digests, from which all keys and seeds are computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

SEED_BITS = 63


def canonical_json(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys and without spaces. Raise ``ValueError`` for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_json(value: Any) -> str:
    """Return the hex SHA-256 of the canonical JSON of ``value``.

    File names that are not valid UTF-8 enter the digest as their bytes.
    """
    return hashlib.sha256(canonical_json(value).encode(errors="surrogateescape")).hexdigest()


def derive_seed(*parts: Any) -> int:
    """Return a seed of 63 bits that depends only on ``parts``, the same on every machine.

    >>> derive_seed("pool", 0, 3) == derive_seed("pool", 0, 3) != derive_seed("pool", 0, 4)
    True
    """
    return int(sha256_json(list(parts))[:16], 16) >> (64 - SEED_BITS)


def tensor_digest(tensor: Tensor) -> str:
    """Return the hex SHA-256 of dtype, shape and values. It does not depend on how the tensor is stored."""
    import torch

    header = f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"
    digest = hashlib.sha256(header.encode())
    digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def image_digests(images: Tensor) -> list[str]:
    """Return the hex SHA-256 of each image of a tensor ``[N, C, H, W]``."""
    return [tensor_digest(image) for image in images]


def combine_digests(digests: Mapping[str, str]) -> str:
    """Return one digest for named parts from their own digests. It does not depend on their order."""
    return sha256_json(dict(digests))
