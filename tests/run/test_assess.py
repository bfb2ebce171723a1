"""Distilled sets are assessed on request: the values, near-duplicates, keys, and the ways into reports."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from ddbench_example.data import Dots, Noise
from scipy.spatial.distance import cdist

from ddbench import LabeledImages
from ddbench.plan import State
from ddbench.record import Assessment
from ddbench.report.export_files import united_assessments
from ddbench.report.results import results_of
from ddbench.report.set_scores import set_rows
from ddbench.stats.embeddings import NEAR
from ddbench.suite import load_suite
from tests.in_process import ddbench
from tests.run.runs import events, outcome, run_in_process, state_of

SUITE: dict[str, Any] = {
    "suite": "assessed",
    "dataset": "dots",
    "protocol": "smoke@1",
    "evaluator": "nearest-mean",
    "ipc": [1, 2],
    "students": ["pixels", {"use": "pixels", "name": "other"}],
    "seeds": {"generation": [0, 1], "selection": "generation", "training": [0]},
    "scorers": {"teacher": "colour"},
    "methods": {
        "Random": {"generator": "real", "selector": "random"},
        "Full": {"generator": "real", "selector": "all"},
        "Noise": {"generator": "noise", "selector": "first"},
        "Noise, soft": {"generator": "noise", "selector": "first", "labels": "soft", "protocol": "psr-kd@1"},
        "Dark": {"generator": "noise", "selector": "first", "refiner": "darken"},
    },
}
ASKING = {**SUITE, "set_scores": {"teacher": "teacher"}}


def write(folder: Path, values: dict[str, Any]) -> Path:
    path = folder / "suite.yaml"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Counter[str]]:
    """Return suite and store of a run that was first finished without assessments, and the stages that they took."""
    folder = tmp_path_factory.mktemp("assessed")
    store = folder / "store"
    assert run_in_process(write(folder, SUITE), store).returncode == 0
    before = len(events(store, "done"))
    assert run_in_process(write(folder, ASKING), store).returncode == 0
    return folder / "suite.yaml", store, Counter(event["stage"] for event in events(store, "done")[before:])


def assessed(state: State) -> dict[str, Assessment]:
    """Return the assessments by the labels of their nodes."""
    found = {state.graph.nodes[key].label: state.manifests[key].made.assessment for key in state.graph.assessments}
    return {label: one for label, one in found.items() if one is not None}


def test_a_finished_suite_only_assesses_each_set_once(finished: tuple[Path, Path, Counter[str]]) -> None:
    suite, store, ran = finished
    # Of one set of all images there is no assessment. Students and labels share the assessment of a set.
    assert ran == {"score": 2, "neighbours": 2, "assess": 3 * 2 * 2}
    assert "ran nothing" in run_in_process(suite, store).stderr
    assert state_of(suite, store).to_run() == set()


def test_they_are_equal_in_a_new_store_and_stay_without_files(
    finished: tuple[Path, Path, Counter[str]], tmp_path: Path
) -> None:
    suite, store, _ = finished
    assert run_in_process(suite, tmp_path).returncode == 0
    assert outcome(suite, tmp_path) == outcome(suite, store)
    before = ddbench("report", str(suite), "--store", str(tmp_path)).stdout
    assert "near-duplicates of" in ddbench("why", str(suite), "assess", "--store", str(tmp_path)).stdout
    assert ddbench("gc", "--delete", "--store", str(tmp_path)).returncode == 0
    assert ddbench("report", str(suite), "--store", str(tmp_path)).stdout == before


def small(images: torch.Tensor) -> np.ndarray:
    """Return the pixels of 8 × 8 images at 16 × 16: each pixel four times."""
    return (images.double() / 255).repeat_interleave(2, -1).repeat_interleave(2, -2).flatten(1).numpy()


def nearness(distances: np.ndarray) -> np.ndarray:
    return np.asarray(distances.min(1) / np.sort(distances, 1)[:, :50].mean(1))


def near(images: torch.Tensor, points: np.ndarray, split: LabeledImages, theirs: np.ndarray) -> np.ndarray:
    """Return the lower nearness of each image."""
    pixels = [nearness(cdist(small(own), small(split.images))) for own in (images, images.flip(-1))]
    return np.minimum.reduce([nearness(cdist(points, theirs)), *pixels])


def test_the_values_are_those_of_brute_force(finished: tuple[Path, Path, Counter[str]]) -> None:
    suite, store, _ = finished
    state, dots = state_of(suite, store), Dots()
    train, validation = dots.train(), dots.validation()
    centre = train.images.float().mean((0, 2, 3))

    def embed(images: torch.Tensor) -> np.ndarray:
        return (images.float().mean((2, 3)) - centre).double().numpy()

    for key in state.graph.assessments:
        node, made = state.graph.nodes[key], state.manifests[key].made.assessment
        assert made is not None
        artifact = state.store.artifact(state.action_keys[node.inputs.distilled or ""])
        images, labels = artifact.tensor("images"), artifact.tensor("labels").numpy()
        points, shares, kinds = embed(images), [], []
        for label in range(3):
            real, own = embed(train.images[train.labels == label]), points[labels == label]
            # 12 real images: half are covered by the 6 nearest of one image, and by the 4 nearest of two.
            radius = np.sort(cdist(real, real), axis=1)[:, {1: 6, 2: 4}[len(own)]]
            shares.append((cdist(real, own).min(1) <= radius + 1e-9).mean())
            values = np.linalg.eigvalsh((1 - cdist(own, own, "cosine")) / len(own)).clip(1e-12)
            kinds.append(math.exp(-(values * np.log(values)).sum()))
        assert made.coverage == pytest.approx(100 * np.mean(shares))
        assert made.diversity == pytest.approx(np.mean(kinds), abs=1e-4)
        assert (made.images, made.image_bytes) == (len(labels), len(labels) * 3 * 8 * 8)
        for split, told in ((validation, made.validation), (train, made.training)):
            lower = near(images, points, split, embed(split.images))
            assert told.closest == pytest.approx(lower.min(), abs=1e-5)
            assert told.count == (lower < NEAR).sum() == len(told.shown)
        lower = near(train.images, embed(train.images), validation, embed(validation.images))
        assert (made.expected, made.checked) == ((lower < NEAR).sum(), 36)


def test_a_set_of_real_images_is_its_own_nearest_training_image(finished: tuple[Path, Path, Counter[str]]) -> None:
    suite, store, _ = finished
    state = state_of(suite, store)
    key = next(key for key in state.graph.assessments if "Random" in state.graph.nodes[key].label)
    artifact = state.store.artifact(state.action_keys[key])
    content = artifact.content()
    assert content["training.embedding"] == content["training.pixels"] == content["ids"]
    assert artifact.tensor("training.pixels").tolist() == pytest.approx([0] * 3, abs=1e-6)
    assert set(content["validation.pixels"]) <= set(Dots().validation().ids)


def table(text: str) -> dict[tuple[str, int], list[str]]:
    """Return the cells of the table of distilled sets, by method and IPC."""
    part = text.split("## Distilled sets")[1].split("## Methods")[0]
    lines = [line.strip("| ").split("|") for line in part.splitlines() if line.startswith("|")][2:]
    rows = [[cell.strip() for cell in line] for line in lines]
    return {(row[0], int(row[2])): row[3:] for row in rows}


def test_a_report_shows_storage_scores_and_near_duplicates(finished: tuple[Path, Path, Counter[str]]) -> None:
    suite, store, _ = finished
    text = ddbench("report", str(suite), "--store", str(store)).stdout
    rows, found = table(text), assessed(state_of(suite, store))
    assert rows.keys() == {(name, ipc) for name in SUITE["methods"] if name != "Full" for ipc in (1, 2)}
    noise = [found[f"teacher · Noise · IPC 2 · generation {seed} · selection {seed}"] for seed in (0, 1)]
    sets, pixels, labels, covered, kinds, near_validation, _ = rows["Noise", 2]
    assert (sets, pixels, labels) == ("2 of 2", f"{6 * 192 / 1024:.1f}", "0.0")
    assert covered.startswith(f"{sum(one.coverage or 0 for one in noise) / 2:.1f} ± ")
    assert kinds.startswith(f"{sum(one.diversity for one in noise) / 2:.2f} ± ")
    assert near_validation == f"{sum(one.validation.count for one in noise)} of 12"
    # One vector of 3 float32 numbers for each image.
    assert rows["Noise, soft", 2] == ["2 of 2", pixels, f"{6 * 3 * 4 / 1024:.1f}", *rows["Noise", 2][3:]]
    shown = [near for one in found.values() for near in one.validation.shown]
    assert shown
    assert all(near.nearness < NEAR for near in shown)
    closest = min(shown, key=lambda near: near.nearness)
    listed = next(line for line in text.splitlines() if " is near validation image " in line)
    pair = f"- `{closest.image}` is near validation image `{closest.nearest}`"
    assert listed.startswith(f"{pair} ({closest.nearness:.3f})")
    board = json.loads(ddbench("report", str(suite), "--store", str(store), "--json").stdout)
    assert {(row["method"], row["ipc"]) for row in board["sets"]} == rows.keys()
    assert board["sets"][0]["image_bytes"] == 3 * 192
    near = [each for row in board["sets"] for each in row["shown"]]
    assert closest.model_dump() in near


def test_an_export_gives_the_same_report_and_grows(finished: tuple[Path, Path, Counter[str]], tmp_path: Path) -> None:
    suite, store, _ = finished
    plain = write(tmp_path, SUITE)
    for exported in (plain, suite, plain):  # the last one does not remove what the second added
        result = ddbench("export", str(exported), "--store", str(store), "--to", str(tmp_path / "out"))
        assert result.returncode == 0, result.stderr
    again = ddbench("report", str(tmp_path / "out" / "assessed")).stdout
    assert again == ddbench("report", str(suite), "--store", str(store)).stdout


def test_assessments_by_another_scorer_replace_all() -> None:
    def one(distilled: str, scorer: str, coverage: int) -> Any:
        return SimpleNamespace(distilled=distilled, scorer=scorer, coverage=coverage)

    old = [one("a", "x", 1), one("b", "x", 2)]
    assert united_assessments(old, [one("b", "x", 3), one("c", "x", 4)]) == [
        *(one("a", "x", 1), one("b", "x", 3), one("c", "x", 4))
    ]
    assert united_assessments(old, [one("b", "y", 3)]) == [one("b", "y", 3)]
    assert united_assessments(old, []) == old


@pytest.mark.parametrize(
    ("changes", "vectors"),
    [
        ({}, 0),
        ({"soft": True}, 6),
        # A teacher labels each image once in each epoch.
        ({"uses": {"teacher": None}, "epochs": 300}, 6 * 300),
        ({"uses": {"teacher": None}}, None),
    ],
)
def test_soft_labels_count_as_often_as_a_teacher_gives_them(
    finished: tuple[Path, Path, Counter[str]], changes: dict[str, Any], vectors: int | None
) -> None:
    state = state_of(*finished[:2])
    results = results_of(load_suite(finished[0]), state)
    measured = next(found[0] for found in results.measured.values() if found[0].images == 6 and not found[0].soft)
    (made,) = set_rows({("Noise", 2, "pixels", "smoke@1"): [replace(measured, **changes)]}, results)
    assert made.label_bytes == (None if vectors is None else vectors * 3 * 4)


def test_a_leak_that_no_digest_finds_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, stolen = Noise.sample_block, Dots().validation()

    def sample_block(self: Noise, class_index: int, block: int, ctx: Any) -> Any:
        samples = own(self, class_index, block, ctx)
        mirrored = stolen.images[6 * class_index].flip(-1).clone()
        mirrored[0, 0, 0] += 1
        samples.images[0] = mirrored
        return samples

    monkeypatch.setattr(Noise, "sample_block", sample_block)
    suite = write(tmp_path, {**ASKING, "ipc": [2], "methods": {"Noise": SUITE["methods"]["Noise"]}})
    assert run_in_process(suite, tmp_path / "store").returncode == 0
    for made in assessed(state_of(suite, tmp_path / "store")).values():
        found = {near.image: (near.nearest, near.nearness) for near in made.validation.shown}
        for class_index in range(3):
            nearest, share = found[f"{class_index}/0"]
            assert nearest == f"validation/{6 * class_index}"
            assert share < 0.1


def test_float_images_take_four_times_the_bytes_and_score_the_same(
    finished: tuple[Path, Path, Counter[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Noise.sample_block

    def sample_block(self: Noise, class_index: int, block: int, ctx: Any) -> Any:
        samples = own(self, class_index, block, ctx)
        return replace(samples, images=samples.images.float() / 255)

    monkeypatch.setattr(Noise, "sample_block", sample_block)
    suite = write(tmp_path, {**ASKING, "ipc": [2], "methods": {"Noise": SUITE["methods"]["Noise"]}})
    assert run_in_process(suite, tmp_path / "store").returncode == 0
    before = assessed(state_of(*finished[:2]))
    for label, made in assessed(state_of(suite, tmp_path / "store")).items():
        assert made.image_bytes == 4 * before[label].image_bytes
        assert (made.coverage, made.diversity) == (before[label].coverage, before[label].diversity)
        assert made.validation.closest == pytest.approx(before[label].validation.closest, abs=1e-5)
