"""Removal of training images that are validation images too."""

from __future__ import annotations

from ddbench import LabeledImages


def without_validation_images(train: LabeledImages, validation: LabeledImages) -> LabeledImages:
    """Return the training images, in order, without those that equal a validation image pixel by pixel."""
    held_out = {image.tobytes() for image in validation.images.numpy()}
    kept = [i for i, image in enumerate(train.images.numpy()) if image.tobytes() not in held_out]
    if len(kept) == len(train):
        return train
    return LabeledImages(train.images[kept], train.labels[kept], tuple(train.ids[i] for i in kept))


def class_counts(images: LabeledImages, classes: int) -> tuple[int, ...]:
    """Return the number of images of each class."""
    return tuple(images.labels.bincount(minlength=classes).tolist())
