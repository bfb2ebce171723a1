"""Crop, flip, recolour and normalise images on a CPU in one pass.

Resampling and colour changes are affine, and the weights of bilinear interpolation sum to 1, so their order is free.
Each row of a crop is recoloured at its original width, then stretched. Rows are then interpolated with each other.
Only the bias contains the crop's mean grey, so it is added after the last row. That mean is the sum over the image's
own pixels, each times its share in the crop.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ddbench.toolkit.compilation import compiled
from ddbench.train.augment_params import AugmentParams
from ddbench.train.color import GREY

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_RED, _GREEN, _BLUE = (np.float32(weight) for weight in GREY)
_NEXT = np.uint64(1)


def change(pixels: Tensor, index: Tensor, draws: AugmentParams, mean: Tensor, std: Tensor) -> Tensor:
    """Return the images at ``index`` of ``pixels [N, 3, S, S]``, 0 to 255, augmented and normalised, as float32."""
    images = torch.empty(len(index), *pixels.shape[1:])
    arrays = [tensor.numpy() for tensor in (pixels, index, *draws, mean, std, images)]
    _change(*arrays)
    return images


@compiled
def _change(
    pixels: Array,
    index: Array,
    boxes: Array,
    flip: Array,
    strengths: Array,
    added: Array,
    mean: Array,
    std: Array,
    images: Array,
) -> None:
    size = pixels.shape[3]
    rows, columns = np.empty(size, np.uint64), np.empty(size, np.uint64)
    down, right = np.empty(size, np.float32), np.empty(size, np.float32)
    # Reading goes one pixel beyond the end, with weight 0.
    row_share, column_share = np.empty(size + 1, np.float32), np.empty(size + 1, np.float32)
    line, lines = np.zeros((3, size + 1), np.float32), np.zeros((size + 1, 3, size), np.float32)
    for i in range(len(index)):
        top, left, height, width = boxes[i]
        _locate(0, height, False, rows, down, row_share)
        _locate(left, width, flip[i], columns, right, column_share)
        brightness, contrast, saturation = strengths[i]
        kept = (1 - brightness) * (1 - contrast)
        own, grey = np.float32(kept * (1 - saturation) / 255), np.float32(kept * saturation / 255)
        total = 0.0
        for k in range(height):
            total += row_share[k] * _recolor(pixels, index[i], top + k, own, grey, std, column_share, line)
            _stretch(line, columns, right, lines, k)
        mean_grey = total / (size * size * 255)
        for c in range(3):
            bias = np.float32(((1 - brightness) * contrast * mean_grey + added[i, c] - mean[c]) / std[c])
            for y in range(size):
                _interpolate(lines, rows[y], down[y], bias, images, i, c, y)


@compiled
def _locate(start: int, length: int, mirrored: bool, first: Array, weight: Array, share: Array) -> None:
    """Fill, along one side, the pixel before each crop pixel, the weight of the next one, and each pixel's share."""
    size = len(first)
    share[:] = 0
    for i in range(size):
        at = min(max((i + 0.5) * length / size - 0.5, 0.0), length - 1.0)
        before = int(at)
        to = size - 1 - i if mirrored else i
        first[to] = start + before
        weight[to] = at - before
        share[start + before] += 1 - (at - before)
        share[start + before + 1] += at - before


@compiled
def _recolor(
    pixels: Array, image: int, row: int, own: np.float32, grey: np.float32, std: Array, share: Array, line: Array
) -> np.float32:
    """Write one recoloured row to ``line [3, S + 1]``; return the sum of its greys, each times its share."""
    total = np.float32(0)
    red_unit, green_unit, blue_unit = np.float32(1) / std[0], np.float32(1) / std[1], np.float32(1) / std[2]
    for x in range(pixels.shape[3]):
        red = np.float32(pixels[image, 0, row, x])
        green = np.float32(pixels[image, 1, row, x])
        blue = np.float32(pixels[image, 2, row, x])
        shade = _RED * red + _GREEN * green + _BLUE * blue
        total += share[x] * shade
        line[0, x] = (own * red + grey * shade) * red_unit
        line[1, x] = (own * green + grey * shade) * green_unit
        line[2, x] = (own * blue + grey * shade) * blue_unit
    return total


@compiled
def _stretch(line: Array, first: Array, weight: Array, lines: Array, k: int) -> None:
    """Interpolate within a row and store it as ``lines[k]`` of ``[S + 1, 3, S]``."""
    for x in range(len(first)):
        before, after = first[x], first[x] + _NEXT
        for c in range(3):
            lines[k, c, x] = line[c, before] + weight[x] * (line[c, after] - line[c, before])


@compiled
def _interpolate(
    lines: Array, k: int, weight: np.float32, bias: np.float32, images: Array, i: int, c: int, y: int
) -> None:
    """Interpolate between two rows, and add the bias of the channel."""
    for x in range(images.shape[3]):
        images[i, c, y, x] = lines[k, c, x] + weight * (lines[k + _NEXT, c, x] - lines[k, c, x]) + bias
