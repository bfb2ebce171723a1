"""A pool of floats goes through all stages as it is; scores, leaks and accuracies are those of the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ddbench import Context, Generator, Samples
from ddbench.registry import catalogue
from ddbench.store import Store
from tests.conftest import EXAMPLE_SUITE
from tests.run.runs import run_in_process, state_of

TEXT = EXAMPLE_SUITE.replace("[real, noise]", "[noise]").replace(
    "[first, random, k-center, herding, brightest]", "[k-center]"
)


def make_floats(monkeypatch: pytest.MonkeyPatch, add: float = 0.0) -> None:
    """Let the generator return float images, with ``add`` added to the last image of each block."""
    cls = catalogue().get("generator", "noise")
    right = cls.sample_block

    def sample_block(self: Generator, class_index: int, block: int, ctx: Context) -> Samples:
        samples = right(self, class_index, block, ctx)
        images = samples.images.float() / 255
        images[-1] += add
        return replace(samples, images=images)

    monkeypatch.setattr(cls, "sample_block", sample_block)


def write(folder: Path, text: str = TEXT) -> Path:
    (folder / "suite.yaml").write_text(text)
    return folder / "suite.yaml"


def accuracies(suite: Path, store: Path) -> dict[str, float]:
    return {key: records[0].result.last for key, records in state_of(suite, store).results.items()}


def test_floats_reach_the_student_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = write(tmp_path)
    assert run_in_process(suite, tmp_path / "bytes").returncode == 0
    make_floats(monkeypatch)
    assert run_in_process(suite, tmp_path / "floats").returncode == 0
    assert accuracies(suite, tmp_path / "floats") == accuracies(suite, tmp_path / "bytes")
    state, forms = state_of(suite, tmp_path / "floats"), {}
    store = Store.open(tmp_path / "floats")
    for manifest in state.manifests.values():
        artifact = store.artifact(manifest.action_key)
        if "images" in artifact.tensor_names:
            forms[manifest.stage] = artifact.tensor("images").dtype
    assert forms == {"generate": torch.float32, "distill": torch.float32}


def test_values_outside_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_floats(monkeypatch, add=2.0)
    suite = write(tmp_path)
    assert run_in_process(suite, tmp_path / "store").returncode == 0
    notes = [m.made.notes for m in state_of(suite, tmp_path / "store").manifests.values() if m.stage == "generate"]
    assert notes
    assert all(note == ["25.0 % of the values of float images lie outside [0, 1]"] for note in notes)


def test_a_validation_image_as_floats_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_floats(monkeypatch)
    leaky = TEXT.replace("[noise]", "[leaky]").replace(
        "scorers:", "generators: {leaky: {use: noise, leak: true}}\nscorers:"
    )
    ended = run_in_process(write(tmp_path, leaky), tmp_path / "store")
    assert ended.returncode == 2
    assert "'0/0' of generator 'noise' is a validation image of data set 'dots'" in ended.stderr


def test_a_pool_of_bytes_and_floats_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block is a stage of its own, which cannot see the others."""
    cls = catalogue().get("generator", "noise")
    right = cls.sample_block

    def sample_block(self: Generator, class_index: int, block: int, ctx: Context) -> Samples:
        samples = right(self, class_index, block, ctx)
        return replace(samples, images=samples.images.float() / 255) if block else samples

    monkeypatch.setattr(cls, "sample_block", sample_block)
    suite = write(tmp_path, TEXT.replace("ipc: [1, 2]", "ipc: [5]").replace("k-center", "first"))
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode != 0
    assert "a pool mixes values of float32 and uint8; its images must all be uint8 or all float32" in ended.stderr
