"""``ddbench fetch SUITE`` gets published weights: the Hub's own library, against a Hub on this machine."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from errno import ENOSPC
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ddbench
from ddbench import ComponentError, Context
from tests.cli.hub import COMMIT, Hub, serving
from tests.conftest import Cli

PIPELINE, VAE, TEACHER = "someone/tiny-dit", "someone/its-vae", "timm/resnet18.tv_in1k"
WEIGHTS = "diffusion_pytorch_model"

Fetch = Callable[..., "subprocess.CompletedProcess[str]"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


def saved(**how: Any) -> bytes:
    """Return a file of weights, as torch saves it."""
    import torch

    file = io.BytesIO()
    torch.save({"a": torch.arange(1000)}, file, **how)
    return file.getvalue()


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


def test_all_weights_land_where_they_are_looked_for_and_are_got_once(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With another VAE, the pipeline's own is needed by nobody; the second generator lacks nothing by its turn.
    own_vae = {"a": dit(vae=VAE), "b": dit(use="minimax", vae=VAE)}
    ended = fetch(own_vae, "brightest")
    assert ended.returncode == 0, ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.endswith(("already complete", "fetched and checked"))]
    assert sorted(said) == [
        "dots: already complete",
        "generator 'dit-xl2': fetched and checked",
        "generator 'minimax': already complete",
        "scorer 'timm': fetched and checked",
    ]
    assert said[0].startswith("dots")
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler")
    assert placed(env, VAE) == hub.repositories[VAE]
    assert placed(env, TEACHER) == {"pytorch_model.bin": hub.repositories[TEACHER]["pytorch_model.bin"]}
    asked = [request for request in hub.asked if request[0] == "GET"]
    assert len(asked) == len(set(asked))
    hub.asked.clear()
    again = fetch(own_vae, "brightest")
    assert (again.returncode, again.stdout) == (0, "")
    assert "fetched and checked" not in again.stderr
    assert json.loads(fetch(own_vae, "brightest", verb="plan").stdout)["missing"] == []
    assert hub.asked == []
    # What is missing now is got, and nothing else.
    assert fetch({"c": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler", "vae")
    assert hub.sent(f"transformer/{WEIGHTS}.safetensors") == 0
    monkeypatch.setenv("DDBENCH_DATA", env["DDBENCH_DATA"])
    made: Any = ddbench.create("generator", "dit-xl2", model=PIPELINE, classes="dataset", sampling_steps=2, block=1)
    made.load(None, ddbench.create("dataset", "dots").training(), Context())
    assert made.sample_block(0, 0, Context()).images.shape == (1, 3, 8, 8)


def test_shards_are_got_by_their_index_and_bin_where_there_is_nothing_else(
    fetch: Fetch, hub: Hub, env: dict[str, str], sharded: dict[str, bytes]
) -> None:
    hub.repositories[PIPELINE] = sharded
    ended = fetch({"a": dit()})
    assert ended.returncode == 0, ended.stderr
    assert placed(env, PIPELINE) == parts(sharded, "transformer", "scheduler", "vae")
    assert {"transformer/a.bin", "transformer/b.bin"} < set(placed(env, PIPELINE))
    hub.asked.clear()
    assert fetch({"a": dit()}).returncode == 0
    assert hub.asked == []


def test_what_was_cut_off_since_is_said_and_got_anew(
    fetch: Fetch, hub: Hub, env: dict[str, str], sharded: dict[str, bytes]
) -> None:
    """A copy or a disk that is full leaves such files, with the time that the whole ones had."""
    hub.repositories[PIPELINE] = sharded
    assert fetch({"a": dit()}, "brightest").returncode == 0
    weights = Path(env["DDBENCH_DATA"]) / "weights"
    teacher, vae = weights / TEACHER / "pytorch_model.bin", f"vae/{WEIGHTS}.safetensors"
    ends = {f"transformer/{WEIGHTS}.bin.index.json": 100, vae: -1, "scheduler/scheduler_config.json": 0}
    cut = {**{weights / PIPELINE / name: end for name, end in ends.items()}, teacher: 500}
    for path, end in cut.items():
        times = path.stat()
        path.write_bytes(path.read_bytes()[:end])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    missing = json.loads(fetch({"a": dit()}, "brightest", verb="plan").stdout)["missing"]
    assert len(missing) == 2
    assert all(f"{path} is cut off or damaged" in "\n".join(missing) for path in cut)
    hub.asked.clear()
    ended = fetch({"a": dit()}, "brightest")
    assert (ended.returncode, ended.stderr.count("fetched and checked")) == (0, 2), ended.stderr
    assert placed(env, PIPELINE) == parts(sharded, "transformer", "scheduler", "vae")
    assert teacher.read_bytes() == hub.repositories[TEACHER]["pytorch_model.bin"]
    got = [path.partition(f"/{COMMIT}/")[2] for method, path in hub.asked if method == "GET" and COMMIT in path]
    assert sorted(got) == sorted([*ends, teacher.name])


def test_a_file_is_whole_where_its_library_reads_it(tmp_path: Path) -> None:
    import torch
    from ddbench_components._hub import is_complete
    from safetensors.torch import load_file, save

    tensors = {"a": torch.zeros(7), "b": torch.ones(2, 3, dtype=torch.float16)}
    files: dict[str, tuple[bytes, Callable[[Path], object]]] = {
        "a.safetensors": (save(tensors, {"format": "pt"}), load_file),
        "none.safetensors": (save({}), load_file),
        "a.bin": (saved(), lambda path: torch.load(path, weights_only=True)),
        "a.json": (b'{"a": [1, 2]}', lambda path: json.loads(path.read_text())),
    }
    for name, (content, read) in files.items():
        path = tmp_path / name
        assert not is_complete(path)
        ends = {0, 1, 8, 9, len(content) // 2, len(content) - 1, len(content)}
        damaged = [b"\xff" * 20, b"<html>", *(content[:end] for end in sorted(ends)), content]
        for data in [*damaged, *([content + b"?"] if name.endswith(".safetensors") else [])]:
            path.write_bytes(data)
            assert is_complete(path) == reads(read, path), (name, data)
        assert is_complete(path) == (not name.endswith(".safetensors"))
    former, index = tmp_path / "former.pt", tmp_path / "a.bin.index.json"
    former.write_bytes(saved(_use_new_zipfile_serialization=False))
    assert is_complete(former)
    for text, whole in (("{", False), ("[]", False), ("{}", False), ('{"weight_map": {"a": "a.bin"}}', True)):
        index.write_text(text)
        assert is_complete(index) == whole


def reads(read: Callable[[Path], object], path: Path) -> bool:
    try:
        read(path)
    # What a library raises of a damaged file is its own affair.
    except Exception:
        return False
    return True


def test_what_the_cache_has_is_left_alone(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes]
) -> None:
    """The VAE is in the cache; of the transformer the weights are, which alone are no part."""
    cache = Path(env["HF_HOME"]) / "hub" / f"models--{PIPELINE.replace('/', '--')}"
    names = [name for name in pipeline if name.startswith("vae/")] + [f"transformer/{WEIGHTS}.safetensors"]
    for name in names:
        path = cache / "snapshots" / COMMIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pipeline[name])
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(COMMIT)
    assert fetch({"a": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler")
    assert hub.sent(f"transformer/{WEIGHTS}.safetensors") == 1  # it is never copied, which a kill could leave half done
    assert json.loads(fetch({"a": dit()}, verb="plan").stdout)["missing"] == []


def test_a_download_that_breaks_is_not_taken_for_whole(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes]
) -> None:
    file = f"transformer/{WEIGHTS}.safetensors"
    hub.breaks[file] = 1
    hub.refused.add(file)
    ended = fetch({"a": dit()})
    assert ended.returncode == 2
    (said,) = errors(ended)
    assert said.startswith(f"{PIPELINE} could not be fetched from {hub.endpoint} (")
    assert "503" in said
    assert file not in placed(env, PIPELINE)
    (missing,) = json.loads(fetch({"a": dit()}, verb="plan").stdout)["missing"]
    assert f"has no {WEIGHTS}.safetensors" in missing
    # The next one goes on, over a connection that breaks but comes back, and gets nothing anew that was whole.
    hub.breaks[file] = 1
    hub.refused.clear()
    assert fetch({"a": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler", "vae")
    assert (hub.sent(file), hub.sent("transformer/config.json"), hub.sent(f"vae/{WEIGHTS}.safetensors")) == (4, 1, 1)


def test_a_fetch_that_is_killed_leaves_nothing_that_passes_for_whole(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes], tmp_path: Path
) -> None:
    file = f"transformer/{WEIGHTS}.safetensors"
    write_suite(tmp_path / "suite.yaml", {"a": dit()})
    hub.stalls.add(file)
    command = [sys.executable, "-m", "ddbench", "fetch", "suite.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **env}, stderr=subprocess.DEVNULL) as running:
        assert hub.half_sent.wait(60)
        running.kill()
    assert file not in placed(env, PIPELINE)
    hub.stalls.clear()
    assert fetch({"a": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler", "vae")


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
    assert f"image-folder (path={tmp_path}/own, image_size=8): fetched and checked" in ended.stderr
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


def test_a_suite_that_needs_no_weights_needs_no_network(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes], tmp_path: Path
) -> None:
    """One has none, the other has them in a folder of the user's."""
    for name, data in pipeline.items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    ended = fetch({"noise": {"use": "noise"}, "own": dit(str(tmp_path / "own"))}, HF_ENDPOINT="http://127.0.0.1:9")
    assert (ended.returncode, errors(ended)) == (0, [])
    assert ended.stderr.splitlines() == ["dots: already complete", "generator 'dit-xl2': already complete"]
    assert hub.asked == []


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
