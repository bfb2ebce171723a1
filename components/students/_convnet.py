"""ConvNet-D of the dataset condensation literature (Gidaris & Komodakis 2018; arXiv:2006.05929)."""

from __future__ import annotations

from torch import nn

from ._classifier import Classifier
from ._norm import norm_layer
from ._variants import Norm

WIDTH = 128


def convnet(*, depth: int, num_classes: int, image_size: int, channels: int, norm: Norm) -> Classifier:
    """Return ``depth`` stages of 3x3 convolution, norm, ReLU and 2x2 average pool, followed by a linear layer.

    Weights have torch's default initialisation. Images of one channel (28 px digits) are padded to 32 px.
    """
    padding = 3 if channels == 1 else 1
    side = image_size + 2 * (padding - 1)
    stages: list[nn.Module] = []
    for stage in range(depth):
        inputs = WIDTH if stage else channels
        stages += [
            nn.Conv2d(inputs, WIDTH, kernel_size=3, padding=1 if stage else padding),
            norm_layer(norm, WIDTH),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(2),
        ]
        side //= 2
    return Classifier(nn.Sequential(*stages, nn.Flatten()), nn.Linear(WIDTH * side * side, num_classes))
