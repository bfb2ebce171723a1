"""The size of the built-in students, layer by layer. No torch here."""

from __future__ import annotations

from ddbench import NetworkCost

COLOURS = 3
CONVNET_WIDTH = 128
RESNET_STAGES = 4


class Layers:
    """A counter of the layers that one square image goes through.

    Attributes:
        kept: what the backward pass needs, in numbers of four bytes. A convolution and a norm keep their input. A ReLU
            keeps its output, which replaces the norm's. An average pool keeps nothing new. A maximum pool keeps its
            output and an index of eight bytes for each number.
        launches: kernels of a forward pass.
    """

    def __init__(self, side: int) -> None:
        self.channels, self.side = COLOURS, side
        self.flops = self.parameters = self.launches = 0
        self.kept = COLOURS * side**2

    def convolution(self, outputs: int, kernel: int, stride: int = 1, *, bias: bool = False) -> None:
        """A convolution padded so that only its stride makes the image smaller; its output is kept by what follows."""
        weights = kernel**2 * self.channels * outputs
        self.side = (self.side - 1) // stride + 1
        self.channels = outputs
        self.parameters += weights + bias * outputs
        self.flops += 2 * weights * self.side**2
        self.launches += 1
        self.keep()

    def norm(self, *, relu: bool) -> None:
        """A norm with scale and shift, and a ReLU in place."""
        self.parameters += 2 * self.channels
        self.launches += 1 + relu
        if relu:
            self.keep()

    def average_pool(self, size: int) -> None:
        """An average pool; its output is kept by what follows."""
        self.side //= size
        self.launches += 1
        self.keep()

    def max_pool(self) -> None:
        """A 3x3 maximum pool of stride 2."""
        self.side = (self.side - 1) // 2 + 1
        self.launches += 1
        self.keep(3)

    def add(self) -> None:
        """The sum of two maps, and a ReLU in place."""
        self.launches += 2
        self.keep()

    def keep(self, times: int = 1) -> None:
        """Keep as many numbers as the image now has, so many times."""
        self.kept += times * self.channels * self.side**2

    def classifier(self, embedding: int, num_classes: int) -> NetworkCost:
        """The sum, with a last linear layer."""
        weights = embedding * num_classes
        parameters = self.parameters + weights + num_classes
        return NetworkCost(self.flops + 2 * weights, parameters, self.kept, embedding, self.launches + 1)


def convnet_cost(*, depth: int, num_classes: int, image_size: int) -> NetworkCost:
    """A ConvNet of ``depth`` stages of 3x3 convolution, norm, ReLU and 2x2 average pool."""
    layers = Layers(image_size)
    for _ in range(depth):
        layers.convolution(CONVNET_WIDTH, 3, bias=True)
        layers.norm(relu=True)
        layers.average_pool(2)
    return layers.classifier(CONVNET_WIDTH * layers.side**2, num_classes)


def resnet_cost(*, blocks: int, pooled: bool, variant: str, num_classes: int, image_size: int) -> NetworkCost:
    """A ResNet of four stages with ``blocks`` basic blocks each; ``variant`` decides its stem and its widths."""
    layers, large = Layers(image_size), variant == "large"
    width = 32 if variant == "cifar" else 64
    layers.convolution(width, 7 if large else 3, 2 if large and not pooled else 1)
    layers.norm(relu=True)
    if variant in ("mid", "large"):
        if pooled:
            layers.average_pool(4 if large else 2)
        else:
            layers.max_pool()
    for stage in range(RESNET_STAGES):
        for block in range(blocks):
            _block(layers, width << stage, 2 if stage and not block else 1, pooled=pooled)
    return layers.classifier(layers.channels, num_classes)


def _block(layers: Layers, outputs: int, shrink: int, *, pooled: bool) -> None:
    """Two 3x3 convolutions beside a shortcut, and the ReLU of their sum."""
    inputs, side, stride = layers.channels, layers.side, 1 if pooled else shrink
    layers.convolution(outputs, 3, stride)
    layers.norm(relu=True)
    if pooled and shrink > 1:
        layers.average_pool(shrink)
    layers.convolution(outputs, 3)
    layers.norm(relu=False)
    if shrink > 1 or inputs != outputs:
        layers.channels, layers.side = inputs, side
        layers.convolution(outputs, 1, stride)
        if pooled and shrink > 1:
            layers.average_pool(shrink)
        layers.norm(relu=False)
    layers.add()
