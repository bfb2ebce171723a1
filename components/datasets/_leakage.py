"""Training images without those that are validation images too."""

from __future__ import annotations

from ddbench import LabeledImages


def without_shared(train: LabeledImages, validation: LabeledImages) -> LabeledImages:
    """The training images, in their order, of which none equals a validation image pixel for pixel."""
    shown = {image.tobytes() for image in validation.images.numpy()}
    kept = [i for i, image in enumerate(train.images.numpy()) if image.tobytes() not in shown]
    if len(kept) == len(train):
        return train
    return LabeledImages(train.images[kept], train.labels[kept], tuple(train.ids[i] for i in kept))


def class_counts(images: LabeledImages, classes: int) -> tuple[int, ...]:
    """How many images each class has."""
    return tuple(images.labels.bincount(minlength=classes).tolist())
