"""The settings of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .autoencoder import Autoencoder
from .classifiers import Classifier
from .learning import Course
from .transformer import Transformer


@dataclass(frozen=True)
class Recipe:
    """The networks that are trained.

    Attributes:
        teacher: the classifier whose features the autoencoder's loss uses.
        autoencoder: the autoencoder.
        transformer: the transformer.
        judge: an independent classifier that measures samples.
        guidance: guidance of the samples in the model card.
    """

    teacher: Classifier
    autoencoder: Autoencoder
    transformer: Transformer
    judge: Classifier
    guidance: float


RECIPE: Final = Recipe(
    teacher=Classifier("convnet3", epochs=5),
    autoencoder=Autoencoder(
        course=Course(steps=5000, batch=64, learning_rate=1e-3, warmup=200, weight_decay=1e-4, ema=0.999),
        channels=(32, 64, 64),
        latent_channels=8,
        likeness=0.1,
        divergence=0.03,
        compile=True,
    ),
    transformer=Transformer(
        course=Course(steps=50000, batch=128, learning_rate=1e-3, warmup=1000, weight_decay=0.01, ema=0.9995),
        layers=6,
        heads=3,
        head_channels=64,
        patch=2,
        label_dropout=0.1,
        bound=5.0,
        compile=True,
    ),
    judge=Classifier("resnetap10", epochs=12),
    guidance=2.0,
)
