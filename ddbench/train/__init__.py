"""The student trainer: batched augmentation, losses, one seeded training. Importing it imports torch."""

from ddbench.train.evaluate import class_accuracies, predict
from ddbench.train.images import ResidentImages, cut, denormalize, normalize, resize, unit
from ddbench.train.numerics import Numerics
from ddbench.train.siamese import siamese as siamese_augment
from ddbench.train.trainer import Trained, train

__all__ = [
    "Numerics",
    "ResidentImages",
    "Trained",
    "class_accuracies",
    "cut",
    "denormalize",
    "normalize",
    "predict",
    "resize",
    "siamese_augment",
    "train",
    "unit",
]
