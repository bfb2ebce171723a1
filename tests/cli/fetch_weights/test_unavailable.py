"""Weights that cannot be had: each is one line that says what to do, and the rest is fetched."""

from __future__ import annotations

import re
from errno import ENOSPC
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ddbench
from ddbench import ComponentError
from tests.cli.fetch_weights.hub import COMMIT, Hub
from tests.cli.fetch_weights.suites import PIPELINE, VAE, WEIGHTS, Fetch, dit, errors, parts, placed


def test_each_thing_that_cannot_be_had_is_one_line_and_the_rest_is_fetched(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes], tmp_path: Path
) -> None:
    hub.repositories |= {"some/gated": pipeline, "some/damaged": pipeline, "some/empty": {"README.md": b""}}
    hub.repositories["some/vae"] = hub.repositories[VAE]
    (tmp_path / "runs" / "dit").mkdir(parents=True)
    hub.gated.add("some/gated")
    hub.damaged.add(f"vae/{WEIGHTS}.safetensors")
    generators = {
        "a": dit("some/body"),
        "b": dit("some/body", use="minimax"),
        "c": dit("some/gated", vae="some/empty"),
        "d": dit("some/damaged"),
        "e": dit(vae=VAE),
        "f": dit("some/gated", vae="some/vae"),
        "g": dit("runs/dit", vae=VAE),
    }
    ended = fetch(generators, dataset={"use": "image-folder", "path": str(own_images(tmp_path)), "image_size": 8})
    assert ended.returncode == 2
    assert re.search(r"image-folder \(sha256 [0-9a-f]{8}, image_size=8\): fetched and checked", ended.stderr)
    assert list((tmp_path / "data" / "cache" / "image-folder").rglob("*.safetensors"))
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler")
    assert f"vae/{WEIGHTS}.safetensors" not in placed(env, "some/damaged")
    # What another generator lacks beside the same gated parts.
    assert placed(env, "some/vae") == hub.repositories["some/vae"]
    assert errors(ended) == [
        f"{hub.endpoint} has no repository some/body, or it is private; check the name; for a private "
        "repository, run `hf auth login`",
        "some/gated is available only to users who accepted its terms; accept them at "
        f"{hub.endpoint}/some/gated and run `hf auth login`",
        "some/empty on the Hugging Face Hub has no config.json; name another repository",
        f"vae/{WEIGHTS}.safetensors of some/damaged arrived damaged and was deleted; fetch it again",
        f"{hub.endpoint} has no repository runs/dit, or it is private; write './runs/dit' for the folder of this name",
    ]
    # Two generators lack the same, and two lack the same among others.
    assert sum("some/body" in path for _, path in hub.asked) == 1
    assert sum("some/gated/resolve" in path for _, path in hub.asked) == 1


def own_images(folder: Path) -> Path:
    for split in ("train", "val"):
        for name in ("cats", "dogs", "eels"):
            path = folder / "own" / split / name / "0.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    return folder / "own"


def test_without_a_network(fetch: Fetch, env: dict[str, str], tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    ended = fetch({"a": dit(vae=VAE)}, dataset="imagewoof", HF_ENDPOINT=nowhere)
    assert ended.returncode == 2
    data, *weights = errors(ended)
    assert "ImageNet cannot be fetched" in data
    for said, repository in zip(weights, (PIPELINE, VAE), strict=True):
        folder = tmp_path / "data" / "weights" / repository
        assert said.startswith(f"{repository} could not be fetched from {nowhere} (")
        assert "HF_ENDPOINT" in said
        assert f"`hf download {repository} --local-dir {folder}`" in said
    assert len(ended.stderr.splitlines()) == 3


def test_a_full_disk_and_a_folder_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ddbench_components._hub import Repository

    def full(*args: Any, **kwargs: Any) -> str:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", full)
    with pytest.raises(
        ComponentError, match=r"no space is left for .*someone/tiny-dit; free disk space, or set DDBENCH_DATA"
    ):
        Repository(PIPELINE, COMMIT, {"config.json": None}).fetch("config.json", lambda *_: None)
    absent = ddbench.create("generator", "dit-xl2", model=str(tmp_path / "absent"))
    with pytest.raises(
        ComponentError, match=r"finds no transformer: .* has no config\.json; give the parameter 'model'"
    ):
        absent.fetch(lambda *_: None)
