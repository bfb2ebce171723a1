"""GPUs as CUDA shows them: the masks of the CUDA programming guide, and a driver that does not answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ddbench.toolkit import gpus
from ddbench.toolkit.gpus import Gpu, ask_driver, gpu_models, listed, masked, visible_gpus

FOUR = [Gpu(i, f"model {i}", f"GPU-{i}a-{i}b") for i in range(4)]
PARTS = """\
GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-5d5b)
  MIG 3g.40gb     Device  0: (UUID: MIG-11aa)
  MIG 3g.40gb     Device  1: (UUID: MIG-22bb)
GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-6e6c)
"""


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        (None, [0, 1, 2, 3]),
        ("0,1,2,3", [0, 1, 2, 3]),
        ("2", [2]),
        ("3, 1", [3, 1]),
        ("-1", []),
        ("0,-1,1", [0]),
        ("1,9,0", [1]),
        ("0,0", []),
        ("NoDevFiles", []),
        ("none", []),
        ("GPU-2a-2b,0", [2, 0]),
        ("GPU-1", [1]),
        ("GPU-", []),
        ("GPU-9", []),
        ("", []),
        (" 1 ", [1]),
    ],
)
def test_masks(mask: str | None, shown: list[int]) -> None:
    assert [gpu.index for gpu in masked(FOUR, mask)] == shown


def test_parts_of_a_gpu() -> None:
    found = listed(PARTS)
    assert [(gpu.index, gpu.uuid) for gpu in found] == [
        (0, "GPU-5d5b"), (None, "MIG-11aa"), (None, "MIG-22bb"), (1, "GPU-6e6c")
    ]  # fmt: skip
    assert [gpu.uuid for gpu in masked(found, "MIG-22bb,MIG-11aa")] == ["MIG-22bb"]
    assert [gpu.uuid for gpu in masked(found, None)] == ["GPU-5d5b", "GPU-6e6c"]
    assert masked(found, "MIG-")[:1] == []


def tool(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_an_empty_mask_asks_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, f"echo asked >> {tmp_path}/asked", monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []
    assert not (tmp_path / "asked").exists()


def test_a_mask_of_the_process_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, "\n".join(f"echo '{line}'" for line in PARTS.splitlines()), monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpu_models() == ["NVIDIA A100-SXM4-80GB"]


@pytest.mark.parametrize("script", ["exec sleep 60", "sleep 60", "exit 9", "kill -9 $$"])
def test_a_driver_without_an_answer_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    tool(tmp_path, f"PATH=/usr/bin:/bin\n{script}", monkeypatch)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "_ANSWER_S", 0.3)
    began = time.monotonic()
    assert visible_gpus() == []
    assert ask_driver("-L") is None
    assert time.monotonic() - began < 20
