"""The size of the built-in students, layer by layer. Torch is not imported here."""

from __future__ import annotations

from ddbench import NetworkCost

COLOURS = 3
CONVNET_WIDTH = 128
RESNET_STAGES = 4


class Layers:
    """A counter of the cost of layers for one square image.

    Attributes:
        channels: channels of the current image.
        side: height and width of the current image.
        flops: floating-point operations so far.
        parameters: parameters so far.
        kept: numbers of four bytes that the backward pass needs. Convolutions and norms keep their inputs. A ReLU keeps
            its output, which replaces that of the norm. Average pools keep nothing more. Maximum pools also keep an
            index of eight bytes for each output.
        launches: kernels of a forward pass.
    """

    def __init__(self, side: int) -> None:
        self.channels, self.side = COLOURS, side
        self.flops = self.parameters = self.launches = 0
        self.kept = COLOURS * side**2

    def convolution(self, outputs: int, kernel: int, stride: int = 1, *, bias: bool = False) -> None:
        """Add a convolution padded so that only its stride shrinks the image; the next layer keeps its output."""
        weights = kernel**2 * self.channels * outputs
        self.side = (self.side - 1) // stride + 1
        self.channels = outputs
        self.parameters += weights + bias * outputs
        self.flops += 2 * weights * self.side**2
        self.launches += 1
        self.keep()

    def norm(self, *, relu: bool) -> None:
        """Add a norm with scale and shift, and optionally an in-place ReLU."""
        self.parameters += 2 * self.channels
        self.launches += 1 + relu
        if relu:
            self.keep()

    def average_pool(self, size: int) -> None:
        """Add an average pool; the next layer keeps its output."""
        self.side //= size
        self.launches += 1
        self.keep()

    def max_pool(self) -> None:
        """Add a 3x3 maximum pool of stride 2."""
        self.side = (self.side - 1) // 2 + 1
        self.launches += 1
        self.keep(3)

    def add(self) -> None:
        """Add the sum of two maps and an in-place ReLU."""
        self.launches += 2
        self.keep()

    def keep(self, times: int = 1) -> None:
        """Keep ``times`` as many numbers as the current image has."""
        self.kept += times * self.channels * self.side**2

    def classifier(self, embedding: int, num_classes: int) -> NetworkCost:
        """Return the total cost with a final linear layer."""
        weights = embedding * num_classes
        parameters = self.parameters + weights + num_classes
        return NetworkCost(self.flops + 2 * weights, parameters, self.kept, embedding, self.launches + 1)


def convnet_cost(*, depth: int, num_classes: int, image_size: int) -> NetworkCost:
    """Return the cost of a ConvNet of ``depth`` stages of 3x3 convolution, norm, ReLU and 2x2 average pool."""
    layers = Layers(image_size)
    for _ in range(depth):
        layers.convolution(CONVNET_WIDTH, 3, bias=True)
        layers.norm(relu=True)
        layers.average_pool(2)
    return layers.classifier(CONVNET_WIDTH * layers.side**2, num_classes)


def resnet_cost(*, blocks: int, pooled: bool, variant: str, num_classes: int, image_size: int) -> NetworkCost:
    """Return the cost of a ResNet of four stages of ``blocks`` basic blocks; ``variant`` sets its stem and widths."""
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
    """Add two 3x3 convolutions with a shortcut, and the ReLU of their sum."""
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
