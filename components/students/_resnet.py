"""ResNet-18 and ResNetAP-10 of the dataset distillation literature (arXiv:2205.14959).

ResNet-18 shrinks images by strides. ResNetAP uses average pools, and all its convolutions have stride 1. For CIFAR both
have four stages of half the usual width, unlike other networks of these names.
"""

from __future__ import annotations

from torch import Tensor, nn

from ._classifier import Classifier
from ._norm import norm_layer
from ._variants import Norm, Variant

STAGES = 4


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut. ``shrink`` divides height and width."""

    def __init__(self, inputs: int, outputs: int, shrink: int, *, pooled: bool, norm: Norm) -> None:
        super().__init__()
        stride = 1 if pooled else shrink
        pool = [nn.AvgPool2d(shrink)] if pooled and shrink > 1 else []
        self.residual = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
            norm_layer(norm, outputs),
            nn.ReLU(inplace=True),
            *pool,
            nn.Conv2d(outputs, outputs, kernel_size=3, padding=1, bias=False),
            norm_layer(norm, outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if shrink > 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(projection, *pool, norm_layer(norm, outputs))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[n, inputs, H, W]`` to ``[n, outputs, H / shrink, W / shrink]``."""
        out: Tensor = self.relu(self.residual(x) + self.shortcut(x))
        return out


def _stem(variant: Variant, channels: int, width: int, *, pooled: bool, norm: Norm) -> nn.Sequential:
    """Return the first convolution, 7x7 for large images, otherwise 3x3, with a pool for large and mid images."""
    large = variant == "large"
    conv = nn.Conv2d(
        channels,
        width,
        kernel_size=7 if large else 3,
        stride=2 if large and not pooled else 1,
        padding=3 if large else 1,
        bias=False,
    )
    layers: list[nn.Module] = [conv, norm_layer(norm, width), nn.ReLU(inplace=True)]
    if variant in ("mid", "large"):
        layers.append(nn.AvgPool2d(4 if large else 2) if pooled else nn.MaxPool2d(3, stride=2, padding=1))
    return nn.Sequential(*layers)


def resnet(*, blocks: int, pooled: bool, variant: Variant, num_classes: int, channels: int, norm: Norm) -> Classifier:
    """Return four stages of ``blocks`` basic blocks, a global average pool and a linear layer.

    Convolutions have He-normal (fan-out) initialisation.
    """
    width = 32 if variant == "cifar" else 64
    layers: list[nn.Module] = [_stem(variant, channels, width, pooled=pooled, norm=norm)]
    inputs = width
    for stage in range(STAGES):
        outputs = width << stage
        for block in range(blocks):
            shrink = 2 if stage > 0 and block == 0 else 1
            layers.append(BasicBlock(inputs, outputs, shrink, pooled=pooled, norm=norm))
            inputs = outputs
    net = Classifier(
        nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(inputs, num_classes),
    )
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return net
