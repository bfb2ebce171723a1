"""A fake Hub with a pipeline, and the command that fetches from it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fetch_weights.hub import Hub, serving
from tests.cli.fetch_weights.suites import PIPELINE, TEACHER, VAE, WEIGHTS, Fetch, contents, saved, write_suite
from tests.conftest import Cli


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return a pipeline of the classes of `dots` in single files, and the other files of such repositories."""
    from ddbench_components.generators._dit.tiny_pipeline import save_tiny_pipeline

    folder = tmp_path_factory.mktemp("pipeline")
    save_tiny_pipeline(folder, 3, 8)
    others = {
        "README.md": b"Tiny.",
        f"transformer/{WEIGHTS}.fp16.safetensors": b"?",
        "safety_checker/config.json": b"?",
    }
    return {**contents(folder), **others}


@pytest.fixture(scope="session")
def sharded(pipeline: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the same with a transformer in shards, in torch's format, without an index of the pipeline."""
    import torch
    from safetensors.torch import load

    folder = tmp_path_factory.mktemp("sharded") / "transformer"
    folder.mkdir()
    weights = load(pipeline[f"transformer/{WEIGHTS}.safetensors"])
    halves = {"a.bin": list(weights)[::2], "b.bin": list(weights)[1::2]}
    for shard, names in halves.items():
        torch.save({name: weights[name] for name in names}, folder / shard)
    places = {name: shard for shard, names in halves.items() for name in names}
    (folder / f"{WEIGHTS}.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    left = {name: data for name, data in pipeline.items() if name not in ("model_index.json",)}
    del left[f"transformer/{WEIGHTS}.safetensors"]
    return {**left, **contents(folder.parent)}


@pytest.fixture
def hub(pipeline: dict[str, bytes]) -> Iterator[Hub]:
    vae = {name.removeprefix("vae/"): data for name, data in pipeline.items() if name.startswith("vae/")}
    teacher = {"config.json": b"{}", "pytorch_model.bin": saved()}
    with serving({PIPELINE: pipeline, VAE: vae, TEACHER: teacher}) as served:
        yield served


@pytest.fixture
def env(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """Return the environment of an empty data folder, an empty Hugging Face cache and this test's Hub."""
    own = {"DDBENCH_DATA": str(tmp_path / "data"), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.endpoint}
    return {**own, "HF_HUB_OFFLINE": "0", "NO_PROXY": "*", "HF_TOKEN": "", "OMP_NUM_THREADS": "1"}


@pytest.fixture
def fetch(cli_process: Cli, env: dict[str, str], tmp_path: Path) -> Fetch:
    """Fetch a suite of these generators. The Hub's library reads its environment when it is imported."""

    def run(
        generators: Mapping[str, Any], selector: str = "first", dataset: Any = "dots", verb: str = "fetch", **more: str
    ) -> subprocess.CompletedProcess[str]:
        write_suite(tmp_path / "suite.yaml", generators, selector, dataset)
        return cli_process(verb, "suite.yaml", *(["--json"] if verb == "plan" else []), env_extra={**env, **more})

    return run
