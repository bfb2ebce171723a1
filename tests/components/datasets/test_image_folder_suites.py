"""image-folder in suites: from the plan to a result, and what stops them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from image_folders import SUITE, flip

from ddbench import DataError
from ddbench.errors import SuiteError
from ddbench.plan.graph import build_graph
from ddbench.plan.state import State
from ddbench.run.job import make_job
from ddbench.run.worker_cache import LruCache, WorkerCache
from ddbench.store import Store
from ddbench.suite import load_suite

pytestmark = pytest.mark.usefixtures("empty_data_home")

LABEL = r"image-folder \(sha256 [0-9a-f]{8}, image_size=32\)"
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_suite_is_planned_without_torch_and_its_keys_are_of_the_content(pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets))
    code = (
        "import sys; from ddbench.suite import load_suite; from ddbench.plan.graph import build_graph;"
        "g = build_graph(load_suite(sys.argv[1])); assert len(g.cells) == 1;"
        "print([m for m in ('torch', 'PIL') if m in sys.modules])"
    )
    for heavy in ("['PIL']", "[]"):  # Pillow examines new images, once
        run = subprocess.run([sys.executable, "-c", code, str(suite)], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == heavy
    keys = list(build_graph(load_suite(suite)).nodes)
    assert re.fullmatch(LABEL, load_suite(suite).dataset.label)
    pets.rename(tmp_path / "moved")
    suite.write_text(SUITE.format(path=tmp_path / "moved"))
    assert list(build_graph(load_suite(suite)).nodes) == keys
    flip(tmp_path / "moved" / "val" / "dog" / "b.bmp")
    assert not set(build_graph(load_suite(suite)).nodes) & set(keys)


def test_a_suite_with_a_missing_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"^image-folder: the folder .*nowhere does not exist; store images as"):
        load_suite(suite)


def test_a_suite_asks_for_no_more_images_than_there_are(pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets).replace("ipc: [2]", "ipc: [7]"))
    with pytest.raises(SuiteError, match="needs 7 images per class, but generator 'real' has 6"):
        load_suite(suite)


def test_images_that_change_after_planning_stop_the_run(pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets))
    graph = build_graph(load_suite(suite))
    store = Store.open(tmp_path / "store")
    job = make_job(graph, State(graph, store).resolve_all(), next(iter(graph.nodes)))
    assert len(WorkerCache(store, "cpu", LruCache()).dataset(job).train()) == 12
    flip(pets / "train" / "dog" / "b.bmp")
    with pytest.raises(DataError, match="'image-folder' has changed since the run was planned; run it again"):
        WorkerCache(store, "cpu", LruCache()).dataset(job)


def test_from_the_folder_to_a_result(cli: Cli, pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    text = SUITE.format(path=pets).replace("convnet3", "pixels").replace("ipc:", "evaluator: nearest-mean\nipc:")
    suite.write_text(text)
    fetched = cli("fetch", str(suite))
    assert fetched.returncode == 0, fetched.stderr
    assert re.fullmatch(f"{LABEL}: fetched and checked", fetched.stderr.splitlines()[-1])
    again = cli("fetch", "image-folder", f"path={pets}", "image_size=32")
    assert again.stderr == f"image-folder (path={pets}, image_size=32): already complete\n"
    ended = cli("run", str(suite), "--device", "cpu")
    assert ended.returncode == 0, ended.stderr
    page = cli("report", str(suite)).stdout
    assert re.search(f"Data set {LABEL}", page.replace("\\", ""))
    assert str(pets) not in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["image-folder"], "parameter 'path' is required"),
        (["image-folder", "path"], "'path' is not a parameter; write NAME=VALUE"),
        (["image-folder", "path=nowhere"], "image-folder: the folder nowhere does not exist; store images as"),
        (["imagewoof", "split=mine"], "parameter 'split' is 'mine': input should be 'imagenet' or 'fastai'"),
        (["suite.yaml", "split=fastai"], "suite suite.yaml sets the parameters of its data set"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_wrong_fetch_is_one_line(arguments: list[str], said: str, cli: Cli) -> None:
    ended = cli("fetch", *arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert said in ended.stderr
