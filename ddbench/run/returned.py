"""Check what components return, before it is stored. Conformance tests do not see every plug-in and every data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ddbench.api.pixels import wrong_pixels
from ddbench.errors import ComponentError

if TYPE_CHECKING:
    from torch import Tensor

    from ddbench.api import Component, Dataset, DistilledSet, Generator, LabeledImages, Samples


def check_finite(component: Component, tensors: Mapping[str, Tensor]) -> None:
    """Raise ComponentError if a tensor of a component has NaN or infinite values."""
    import torch

    for name, values in tensors.items():
        if values.is_floating_point() and not torch.isfinite(values).all():
            raise ComponentError(f"{component.label()} returned NaN or infinite values in '{name}'")


def check_split(dataset: Dataset, name: str, split: LabeledImages) -> None:
    """Raise ComponentError unless a split has images of 3 channels with one label and one id each."""
    count, classes = len(split.images), len(dataset.classes)
    if str(split.images.dtype) != "torch.uint8":
        raise _mistake(dataset, f"has images of {split.images.dtype} in the split '{name}', not uint8")
    _check_images(dataset, split.images, None, count)
    if (len(split.labels), len(split.ids)) != (count, count):
        problem = f"has {len(split.labels)} labels and {len(split.ids)} ids for {count} images of the split '{name}'"
        raise _mistake(dataset, problem)
    outside = (split.labels < 0) | (split.labels >= classes)
    if outside.any():
        wrong = int(split.labels[outside][0])
        raise _mistake(dataset, f"has the label {wrong} in the split '{name}', not one of 0 … {classes - 1}")


def check_samples(generator: Generator, samples: Samples) -> None:
    """Raise ComponentError unless the samples of a class are images, and as many as the generator declares."""
    _check_images(generator, samples.images, samples.latents, len(samples))
    soft = samples.soft_logits
    if soft is not None and (soft.ndim != 2 or len(soft) != len(samples)):
        raise _mistake(generator, f"returned soft labels of shape {list(soft.shape)} for {len(samples)} images")
    if not generator.finite and len(samples) != generator.block:
        raise _mistake(generator, f"returned {len(samples)} samples in a block of {generator.block}")


def check_ids(generator: Generator, samples: Samples) -> None:
    """Raise ComponentError if two samples have one id. Images are found by their ids, so one would hide the other."""
    seen: set[str] = set()
    for one in samples.ids:
        if one in seen:
            raise _mistake(generator, f"returned two samples with the id '{one}'")
        seen.add(one)


def check_refined(component: Component, refined: DistilledSet) -> None:
    """Raise ComponentError unless a refined set has one image and at most one latent for each sample."""
    _check_images(component, refined.images, refined.latents, len(refined))


def _check_images(component: Component, images: Tensor, latents: Tensor | None, count: int) -> None:
    shape = tuple(images.shape)
    if (problem := wrong_pixels(images)) is not None:
        raise _mistake(component, problem)
    if len(shape) != 4 or shape[:2] != (count, 3) or shape[2] != shape[3]:
        raise _mistake(component, f"returned images of shape {list(shape)} for {count} ids")
    if latents is not None and len(latents) != count:
        raise _mistake(component, f"returned {len(latents)} latents for {count} images")


def _mistake(component: Component, problem: str) -> ComponentError:
    return ComponentError(f"{component.label()} {problem}", hint=f"this is a mistake in the {component.kind}")
