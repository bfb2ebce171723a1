"""`ddbench plan` prints the number of images of each class in the user's own folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddbench.cli.image_counts import counts_line
from tests.conftest import Cli

COUNTS = {"train/coat": 3, "train/skirt": 2, "train/top": 5, "val/coat": 1, "val/skirt": 1, "val/top": 1}
POOL = {"pool/coat": 4, "pool/skirt": 4, "pool/top": 1}
SUITE = """
suite: clothes
dataset: {{use: image-folder, path: {0}, image_size: 8}}
protocol: smoke@1
ipc: [1]
students: [convnet3]
generators: {{mine: {{use: folder, path: {0}/pool}}}}
methods: {{real: {{generator: real, selector: first}}, own: {{generator: mine, selector: first}}}}
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    rng = np.random.default_rng(0)
    for folder, count in (COUNTS | POOL).items():
        (tmp_path / folder).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / folder / f"{i}.png")
    (tmp_path / "s.yaml").write_text(SUITE.format(tmp_path))
    return tmp_path / "s.yaml"


def test_plan_prints_the_counts(cli: Cli, suite: Path) -> None:
    shown = cli("plan", str(suite)).stdout.splitlines()
    assert "train: 10 images, 2–5 a class (fewest: skirt 2)" in shown
    assert "validation: 3 images, 1 a class" in shown
    assert "pool mine: 9 images, 1–4 a class (fewest: top 1)" in shown
    found = json.loads(cli("plan", str(suite), "--json").stdout)
    assert found["images"] == {"train": [3, 2, 5], "validation": [1, 1, 1], "pool mine": [4, 4, 1]}


def test_data_sets_with_a_name_have_no_line(cli: Cli) -> None:
    assert json.loads(cli("plan", "smoke", "--json").stdout)["images"] == {}


def test_a_large_set_is_one_line() -> None:
    assert counts_line("train", (400, 112, 2556), ("a", "skirt", "c")) == (
        "train: 3,068 images, 112–2,556 a class (fewest: skirt 112)"
    )
