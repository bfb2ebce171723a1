"""The verb ``sets``: a set is written, and read back by a suite it is the same set; mistakes are one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import save_file

from ddbench.api import tensor_digest
from ddbench.plan.state import plan_suite
from ddbench.sets.card import licences
from ddbench.sets.chosen import ChosenSet
from ddbench.suite import load_suite
from tests.in_process import ddbench
from tests.run.runs import run_in_process
from tests.sets.scene import SUITE, Finished, read_back


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("sets")
    made = Finished(folder / "exported.yaml", folder / "store")
    made.suite.write_text(SUITE)
    assert run_in_process(made.suite, made.store).returncode == 0
    return made


@pytest.mark.parametrize("method", ["Doubt", "Real"])
def test_a_tensor_file_is_read_back_as_the_same_set_in_every_bit(
    method: str, finished: Finished, tmp_path: Path
) -> None:
    folder = finished.write(tmp_path / "out", method, "--format", "safetensors")
    back = read_back(tmp_path / "back", {"use": "pool-file", "path": str(folder / "set.safetensors")})
    assert back.distilled("Back") == finished.distilled(method)


@pytest.mark.parametrize(
    ("arguments", "inside"),
    [((), "."), (("--format", "hf"), "train"), (("--for", "rded"), "."), (("--for", "ddranking"), ".")],
)
def test_folders_are_read_back_as_the_same_images(
    arguments: tuple[str, ...], inside: str, finished: Finished, tmp_path: Path
) -> None:
    folder = finished.write(tmp_path / "out", "Doubt", *arguments)
    before = finished.distilled("Doubt")
    back = read_back(tmp_path / "back", {"use": "folder", "path": str(folder / inside)}).distilled("Back")
    assert (back["images"], back["labels"]) == (before["images"], before["labels"])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["images"]["digest"] == before["images"]
    assert [sample["id"] for sample in manifest["samples"]] == before["ids"]
    assert [Path(sample["file"]).relative_to(inside).as_posix() for sample in manifest["samples"]] == back["ids"]


def test_the_manifest_has_keys_recipes_and_digests_of_all_work_behind_the_set(
    finished: Finished, tmp_path: Path
) -> None:
    manifest = json.loads((finished.write(tmp_path / "out", "Doubt") / "manifest.json").read_text())
    assert manifest["digest"] == finished.distilled("Doubt")["whole"]
    assert (manifest["suite"], manifest["method"], manifest["ipc"]) == ("exported", "Doubt", 2)
    assert manifest["seeds"] == {"generation": 0, "selection": 0}
    stages = {stage["stage"]: stage for stage in manifest["stages"]}
    assert set(stages) == {"dataset", "fit", "check", "generate", "score", "select", "distill", "label", "refine"}
    assert stages["refine"]["recipe_key"] == manifest["recipe_key"]
    assert stages["refine"]["digest"] == manifest["digest"]
    assert stages["generate"]["recipe"]["settings"]["seed"] == 0
    assert "torch" in stages["generate"]["environment"]["versions"]
    soft = manifest["soft_labels"]
    assert (soft["teacher"], soft["tau"], soft["when"]) == ("teacher: colour", 1.5, "before-refine")
    _, state = plan_suite(finished.suite, finished.store)
    logits = state.store.artifact(stages["label"]["action_key"]).tensor("logits")
    assert soft["digest"] == tensor_digest(logits)


def test_the_card_has_the_numbers_of_the_table(finished: Finished, tmp_path: Path) -> None:
    page = (finished.write(tmp_path / "out", "Noise") / "README.md").read_text()
    board = json.loads(ddbench("report", str(finished.suite), "--store", str(finished.store), "--json").stdout)
    (entry,) = [entry for entry in board["entries"] if entry["method"] == "Noise"]
    last = entry["last"]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("|")]
    assert last["n"] == 4
    assert ["all 2 sets", "pixels", "4", f"{last['mean']:.1f} ± {last['std']:.1f}", ""] in [
        [*row[:4], ""] for row in rows if len(row) == 5
    ]
    assert [row[2] for row in rows if row[0] == "this set"] == ["2"]
    assert ["dataset 'dots'", "", "unknown"] in rows
    assert "Top-1 accuracy in % on the 18 validation images of dots" in page


@pytest.mark.parametrize("arguments", [(), ("--format", "hf"), ("--format", "safetensors")])
def test_the_card_names_soft_labels_only_if_there_are_some(
    arguments: tuple[str, ...], finished: Finished, tmp_path: Path
) -> None:
    for method, has in (("Doubt", True), ("Noise", False)):
        page = (finished.write(tmp_path / method, method, *arguments) / "README.md").read_text()
        assert ("`soft_logits`" in page.split("## Read it")[1]) == has
        assert f"# {method}: 2 images per class of dots" in page


def test_the_generator_that_refined_an_imported_pool_is_among_the_licences(tmp_path: Path) -> None:
    pool = tmp_path / "pool.safetensors"
    save_file({"images": torch.zeros(10, 3, 32, 32, dtype=torch.uint8), "labels": torch.arange(10)}, pool)
    values = {
        "suite": "lent",
        "dataset": "tiny-cifar",
        "protocol": "smoke-kd@1",
        "ipc": [1],
        "students": ["convnet3"],
        "generators": {"pool": {"use": "pool-file", "path": str(pool), "prior": "dit-nano", "encode": True}},
        "scorers": {"teacher": "trained-teacher"},
        "methods": {
            name: {"generator": "pool", "selector": "first", "labels": "soft", "refiner": refiner}
            for name, refiner in (("Refined", "soft-label-latent"), ("Plain", "none"))
        },
    }
    (tmp_path / "lent.yaml").write_text(json.dumps(values))
    suite = load_suite(tmp_path / "lent.yaml")
    told = {cell.row.name: [line[0] for line in licences(suite, ChosenSet(cell, "", None))] for cell in suite.cells}
    own = ["dataset 'tiny-cifar'", "generator 'pool-file'"]
    assert told == {"Refined": [*own, "generator 'dit-nano'"], "Plain": own}


def test_a_set_that_all_seeds_share_is_one(finished: Finished, tmp_path: Path) -> None:
    code, out, _ = finished.sets("Real", "--to", str(tmp_path / "out"), "--all")
    assert (code, out) == (0, f"{tmp_path / 'out'}: 1 set, 6 images, folder\n")
    page = (tmp_path / "out" / "generation-0-selection-0" / "README.md").read_text()
    assert "all " not in page.split("## Accuracy")[1].split("## Read it")[0].replace("all evaluations", "")


def test_all_sets_have_a_folder_each(finished: Finished, tmp_path: Path) -> None:
    code, out, _ = finished.sets("Noise", "--to", str(tmp_path / "out"), "--all")
    assert (code, out) == (0, f"{tmp_path / 'out'}: 2 sets, 12 images, folder\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"generation-{seed}-selection-0" for seed in (0, 1)
    ]
    for seed in (0, 1):
        manifest = json.loads((tmp_path / "out" / f"generation-{seed}-selection-0" / "manifest.json").read_text())
        assert manifest["images"]["digest"] == finished.distilled("Noise", seed)["images"]


def test_equal_exports_have_equal_bytes(finished: Finished, tmp_path: Path) -> None:
    folders = [finished.write(tmp_path / name, "Doubt", "--format", "hf") for name in ("a", "b")]
    contents = [{path.relative_to(f): path.read_bytes() for path in f.rglob("*") if path.is_file()} for f in folders]
    assert contents[0] == contents[1]


def test_the_library_datasets_loads_images_labels_and_names(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder of tests has the name of the library, but no such module.
    pytest.importorskip("datasets.config", reason="datasets is not installed: pip install 'ddbench[hf]'")
    import datasets
    import numpy as np
    import torch

    folder = finished.write(tmp_path / "out", "Doubt", "--format", "hf")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    data = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    before = finished.distilled("Doubt")
    images = torch.from_numpy(np.stack([np.array(image) for image in data["image"]])).permute(0, 3, 1, 2)
    assert tensor_digest(images) == before["images"]
    assert data.features["label"].names == ["red", "green", "blue"]
    assert tensor_digest(torch.tensor(data["label"])) == before["labels"]
    assert list(data["id"]) == before["ids"]
    soft = json.loads((folder / "manifest.json").read_text())["soft_labels"]
    assert tensor_digest(torch.tensor(data["soft_logits"][:])) == soft["digest"]


def test_the_head_of_the_card_is_yaml(finished: Finished, tmp_path: Path) -> None:
    page = (finished.write(tmp_path / "out", "Doubt", "--format", "hf") / "README.md").read_text()
    (config,) = YAML(typ="safe").load(page.split("---\n")[1])["configs"]
    assert config["data_files"] == [{"split": "train", "path": "train/**"}]
    names = config["features"][1]["dtype"]["class_label"]["names"]
    assert names == {"0": "red", "1": "green", "2": "blue"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("Nois",), "error: suite 'exported' has no method 'Nois'; did you mean 'Noise'?"),
        (("Noise", "--ipc", "3"), "error: 'Noise' has no set at IPC 3; choose one with --ipc: 2"),
        (
            ("Noise", "--for", "rded", "--format", "hf"),
            "error: --for rded writes PNG files, not --format hf; leave one of them out",
        ),
        (
            ("Noise", "--for", "minimax"),
            "error: class 'red' has no WordNet id, which Minimax's code expects as the name of its folder; "
            "leave out --for minimax",
        ),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    arguments: tuple[str, ...], line: str, finished: Finished, tmp_path: Path
) -> None:
    assert finished.sets(*arguments, "--to", str(tmp_path / "out")) == (2, "", f"{line}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_content_is_left_alone(finished: Finished, tmp_path: Path) -> None:
    kept = tmp_path / "out" / "kept"
    kept.parent.mkdir()
    kept.write_text("mine")
    line = f"error: cannot write {kept.parent}: it is not empty; choose another folder with --to\n"
    assert finished.sets("Noise", "--to", str(kept.parent)) == (2, "", line)
    assert kept.read_text() == "mine"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot write" in finished.sets("Noise", "--to", str(tmp_path / "loop"))[2]
    code, _, err = finished.sets("Noise", "--to", str(kept))
    assert (code, err) == (2, f"error: cannot write {kept}: Not a directory; choose another folder with --to\n")


def test_an_empty_folder_is_filled_but_not_the_working_directory(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    finished.write(tmp_path / "out", "Noise")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert finished.sets("Noise", "--to", ".") == (
        2,
        "",
        "error: --to . is the working directory; name a new folder\n",
    )


def test_a_row_of_several_sizes_or_without_all_results_is_told(finished: Finished, tmp_path: Path) -> None:
    larger = Finished(tmp_path / "exported.yaml", finished.store)
    larger.suite.write_text(SUITE.replace("ipc: [2]", "ipc: [2, 1]"))
    code, _, err = larger.sets("Noise", "--to", str(tmp_path / "out"))
    assert (code, err) == (2, "error: 'Noise' has sets of several sizes; choose one with --ipc: 1, 2\n")
    code, _, err = larger.sets("Noise", "--ipc", "1", "--to", str(tmp_path / "out"))
    hint = f"finish it first: `ddbench run {larger.suite}`"
    assert (code, err) == (2, f"error: 'Noise' at IPC 1 has 0 of 4 results; {hint}\n")
    finished_part = larger.write(tmp_path / "out", "Noise", "--ipc", "2")
    assert (finished_part / "manifest.json").is_file()


def test_removed_and_damaged_sets_are_told(finished: Finished, tmp_path: Path) -> None:
    copy = Finished(finished.suite, tmp_path / "store")
    shutil.copytree(finished.store, copy.store)
    _, state = plan_suite(copy.suite, copy.store)
    key = next(key for cell, key in state.graph.cells if cell.row.name == "Noise")
    folder = copy.store / "artifacts" / "*" / state.action_keys[str(state.graph.nodes[key].inputs.distilled)]
    (images,) = Path("/").glob(str(folder / "tensors" / "images.safetensors").lstrip("/"))
    images.write_bytes(images.read_bytes()[:-1] + b"\0")
    code, _, err = copy.sets("Noise", "--to", str(tmp_path / "out"))
    assert (code, err) == (2, f"error: {images}: the file is damaged\n")
    images.unlink()
    code, _, err = copy.sets("Noise", "--to", str(tmp_path / "out"))
    line = f"error: {copy.store}: the files of the set were removed; make them again in an empty store: "
    assert (code, err) == (2, f"{line}`ddbench run SUITE --store DIR`\n")
    assert not (tmp_path / "out").exists()


def test_no_folder_of_this_machine_is_in_what_is_written(finished: Finished, tmp_path: Path) -> None:
    secret = tmp_path / "secret-place"
    finished.write(secret / "out", "Noise", "--format", "safetensors")
    back = read_back(tmp_path / "back", {"use": "pool-file", "path": str(secret / "out" / "set.safetensors")})
    for format_ in ("safetensors", "hf"):
        folder = back.write(tmp_path / format_, "Back", "--format", format_)
        for path in folder.rglob("*"):
            assert path.is_dir() or b"secret-place" not in path.read_bytes(), path
            assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path
