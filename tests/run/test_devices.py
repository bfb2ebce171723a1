"""Devices of a run: a GPU that no worker can open is retired."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ddbench.errors import DataError
from ddbench.run import devices as devices_module
from ddbench.run.devices import Devices
from ddbench.toolkit.gpus import Gpu
from tests.run.runs import run


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "visible_gpus", lambda: [Gpu(i, "model", f"GPU-{i}") for i in range(2)])


@pytest.mark.usefixtures("two_gpus")
def test_gpus_are_taken_in_turn() -> None:
    devices = Devices("auto", print)
    assert (len(devices), devices.is_cpu) == (2, False)
    assert [devices.at(i) for i in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert devices.free({"cuda:0"}) == "cuda:1"
    assert devices.free({"cuda:0", "cuda:1"}) is None


@pytest.mark.usefixtures("two_gpus")
def test_a_retired_gpu_gets_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    devices = Devices("auto", said.append)
    devices.retire("cuda:0", "broken")
    devices.retire("cuda:0", "broken")
    assert devices.free(set()) == "cuda:1"
    devices.retire("cuda:1", "broken")
    assert (len(devices), devices.is_cpu, devices.free({"cpu"})) == (0, True, "cpu")
    assert said == [
        "cuda:0 cannot be used: broken; continuing with cuda:1",
        "cuda:1 cannot be used: broken; continuing with cpu",
    ]


@pytest.mark.usefixtures("two_gpus")
def test_the_cpu_is_used_only_where_ddbench_chooses() -> None:
    devices = Devices("cuda", print)
    devices.retire("cuda:0", "broken")
    with pytest.raises(DataError, match="no GPU can be used: broken; use --device cpu"):
        devices.retire("cuda:1", "broken")


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "visible_gpus", list)
    assert Devices("auto", print).is_cpu
    with pytest.raises(DataError, match="this process has no GPU"):
        Devices("cuda", print)
    monkeypatch.setattr(devices_module, "visible_gpus", lambda: 1 / 0)  # nobody asks the driver
    assert Devices("cpu", print).is_cpu


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without GPUs")
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_driver_that_lists_what_torch_cannot_open(
    example_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    text = example_suite.read_text().replace("[real, noise]", "[real]")
    example_suite.write_text(text.replace("[first, random, k-center, herding, brightest]", "[first]"))
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nfor i in 0 1; do echo "GPU $i: NVIDIA H200 (UUID: GPU-$i)"; done\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    ended = run(example_suite, tmp_path / "store", "--device", device)
    if device == "auto":
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.count("cannot be used: torch") == 2
        assert "continuing with cpu" in ended.stderr
    else:
        assert ended.returncode == 2
        assert "error: no GPU can be used: torch" in ended.stderr
