"""Suites whose components need weights of the fake Hub, and what a fetch of them left behind."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PIPELINE, VAE, TEACHER = "someone/tiny-dit", "someone/its-vae", "timm/resnet18.tv_in1k"
WEIGHTS = "diffusion_pytorch_model"
Fetch = Callable[..., "subprocess.CompletedProcess[str]"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def saved(**how: Any) -> bytes:
    """Return a file of weights, as torch saves it."""
    import torch

    file = io.BytesIO()
    torch.save({"a": torch.arange(1000)}, file, **how)
    return file.getvalue()


def write_suite(path: Path, generators: Mapping[str, Any], selector: str = "first", dataset: Any = "dots") -> None:
    values = {
        "suite": "fetched",
        "dataset": dataset,
        "protocol": "smoke@1",
        "evaluator": "nearest-mean",
        "ipc": [1],
        "students": ["pixels"],
        "scorers": {"teacher": {"use": "timm", "model": TEACHER.removeprefix("timm/"), "classes": "dataset"}},
        "generators": dict(generators),
        "matrix": {"generator": list(generators), "selector": [selector]},
    }
    path.write_text(json.dumps(values))


def dit(model: str = PIPELINE, use: str = "dit-xl2", **params: Any) -> dict[str, Any]:
    return {"use": use, "model": model, "classes": "dataset", **params}


def placed(env: dict[str, str], repository: str) -> dict[str, bytes]:
    """Return the files that a fetch put into the data folder, without those of the Hub's library."""
    found = contents(Path(env["DDBENCH_DATA"]) / "weights" / repository)
    return {name: data for name, data in found.items() if not name.startswith(".cache/")}


def parts(files: Mapping[str, bytes], *kinds: str) -> dict[str, bytes]:
    """Return the needed files of these parts."""
    unused = (f"transformer/{WEIGHTS}.fp16.safetensors",)
    wanted = {name: data for name, data in files.items() if name.partition("/")[0] in kinds and name not in unused}
    return {**wanted, **{name: files[name] for name in ("model_index.json",) if name in files}}


def errors(ended: subprocess.CompletedProcess[str]) -> list[str]:
    assert "Traceback" not in ended.stderr
    return [line.removeprefix("error: ") for line in ended.stderr.splitlines() if line.startswith("error: ")]
