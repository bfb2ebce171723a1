"""The sizes of timm's networks. timm and torch measure each once; later calls do not import them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ddbench import DdbenchError, NetworkCost
from ddbench.toolkit import data_home, read_sealed, sha256_json, write_sealed

_FOLDER = "timm-networks"
# Raise it when `measure` counts in another way.
_COUNTED = 1


@cache
def timm_cost(wanted_by: str, model: str, num_classes: int, image_size: int) -> NetworkCost | None:
    """Return the size of a network of timm; None if timm is not installed.

    Args:
        wanted_by: the component, for messages.
        model: timm's name of the model.
        num_classes: number of logits.
        image_size: height and width of the images, in pixels.

    Raises:
        ComponentError: timm has no such model, or the model cannot take the images.
    """
    try:
        name = sha256_json([_COUNTED, version("timm"), model, num_classes, image_size])
    except PackageNotFoundError:
        return None
    kept = _kept(name)
    if kept is not None:
        return kept
    try:
        from ._timm_network import measure
    except ModuleNotFoundError:  # torch
        return None
    cost = measure(wanted_by, model, num_classes, image_size)
    with suppress(DdbenchError, OSError):
        file = _file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(file, asdict(cost))
    return cost


def _kept(name: str) -> NetworkCost | None:
    """Return a kept size; None if there is none that can be read."""
    with suppress(DdbenchError, TypeError):
        value = read_sealed(_file(name))
        return None if value is None else NetworkCost(**value)
    return None


def _file(name: str) -> Path:
    return data_home() / _FOLDER / f"{name}.json"
