"""Values that are not finite stop the node that made them; images of one colour are counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from ddbench_components._pixels import to_bytes

from ddbench.errors import ComponentError
from ddbench.run.stages import _one_colour
from tests.in_process import ddbench

DDPM = """\
suite: diverging
dataset: tiny-cifar
protocol: smoke@1
ipc: [1]
students: [convnet3]
generators:
  g: {use: ddpm, block_out_channels: [32, 32], layers_per_block: 1, attention_levels: [], steps: 4, batch: 8,
      learning_rate: 1e30, sampling_steps: 4}
methods: {A: {generator: g, selector: first}}
"""


def test_a_diverging_training_stops_at_its_step(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(DDPM)
    ended = ddbench("run", "suite.yaml", "--store", "store", folder=tmp_path)
    assert ended.returncode == 2
    said = r"the loss of the DDPM is (nan|inf) in step [234] of 4; lower the parameter 'learning_rate'"
    assert re.search(said, ended.stderr)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_image_is_made_of_values_that_are_not_finite(value: float) -> None:
    images = torch.full((1, 3, 2, 2), 0.5)
    assert to_bytes(images).eq(128).all()
    images[0, 1, 0, 0] = value
    with pytest.raises(ComponentError, match="decoded images have NaN or infinite values"):
        to_bytes(images)


def test_images_of_one_colour_are_counted() -> None:
    images = torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images[1] = 7
    images[3] = torch.tensor([1, 2, 3], dtype=torch.uint8)[:, None, None]
    assert _one_colour(images) == 2
