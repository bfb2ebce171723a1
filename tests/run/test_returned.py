"""A component that returns something else than it declares is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ddbench import ComponentError, DataError, DistilledSet, LabeledImages, Samples
from ddbench.plan import STAGES, Graph, State
from ddbench.run.job import make_job
from ddbench.run.worker import run_job
from ddbench.run.worker_cache import new_worker_cache
from ddbench.store import Store
from ddbench.toolkit import ignore
from tests.plan.plans import plan

SUITE = {
    "suite": "returned",
    "dataset": "dots",
    "protocol": "psr-kd@1",
    "evaluator": "nearest-mean",
    "ipc": [2],
    "students": ["pixels"],
    "scorers": {"teacher": "colour"},
    "methods": {"A": {"generator": "noise", "selector": "typical", "refiner": "doubt", "labels": "soft"}},
}
Change = Callable[[Any], Any]


def run_until_refined(graph: Graph, store: Store, last: str = "refine") -> None:
    state, cache = State(graph, store), new_worker_cache(store.root, "cpu")
    for key, node in graph.nodes.items():
        if STAGES[node.stage].order <= STAGES[last].order:
            state.resolve(key)
            run_job(make_job(graph, state, key), cache, ignore)
            assert state.resolve(key)


def wrong_from(graph: Graph, stage: str, part: str, method: str, change: Change, patch: pytest.MonkeyPatch) -> None:
    """Let a component of the first node of a stage return ``change`` of what it returns."""
    cls = type(next(node for node in graph.nodes.values() if node.stage == stage).uses[part].component)
    right = getattr(cls, method)
    patch.setattr(cls, method, lambda *args: change(right(*args)))


def same_ids(samples: Samples) -> Samples:
    """Return samples that are numbered from 0 in each class. A class would get the images of another."""
    return replace(samples, ids=tuple(map(str, range(len(samples)))))


def as_floats(made: Any) -> Any:
    return replace(made, images=made.images.float() / 255)


def undivided(made: Any) -> Any:
    return replace(made, images=made.images.float())


def standardised(made: Any) -> Any:
    return replace(made, images=made.images.float() / 255 * 40 - 20)


def with_nan(made: Any) -> Any:
    images = made.images.float() / 255
    images[0, 0, 0, 0] = float("nan")
    return replace(made, images=images)


def doubles(made: Any) -> Any:
    return replace(made, images=made.images.double() / 255)


def shifted(split: LabeledImages) -> LabeledImages:
    return replace(split, labels=split.labels - 1)


def unlabelled(split: LabeledImages) -> LabeledImages:
    return replace(split, labels=split.labels[:-1])


def one_row_more(fields: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: torch.cat([rows, rows[-1:]]) for name, rows in fields.items()}


def without_latents(made: DistilledSet) -> DistilledSet:
    assert made.latents is not None
    return replace(made, latents=made.latents[1:])


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        (("dataset", "dataset", "train"), shifted, "has the label -1 in the split 'train', not one of 0 … 2"),
        (("dataset", "dataset", "validation"), unlabelled, "labels and .* ids for .* images of the split 'validation'"),
        (("dataset", "dataset", "validation"), as_floats, "has images of torch.float32 in the split .*, not uint8"),
        (("generate", "generator", "sample_block"), same_ids, "returned two samples with the id '0'"),
        (("generate", "generator", "sample_block"), undivided, r"pixels from .* not in \[0, 1\]; divide bytes by 255"),
        (("generate", "generator", "sample_block"), standardised, "pixels from -.* undo their normalisation"),
        (("generate", "generator", "sample_block"), with_nan, "NaN or infinite values in 'images'"),
        (("generate", "generator", "sample_block"), doubles, "images of torch.float64, not uint8 or float32"),
        (("generate", "generator", "sample_block"), lambda made: made[:3], "returned 3 samples in a block of 4"),
        (("generate", "generator", "sample_block"), lambda made: replace(made, ids=made.ids[1:]), "for 3 ids"),
        (("score", "scorer", "score_block"), one_row_more, "rows of 'embedding' for"),
        (
            ("score", "scorer", "score_block"),
            lambda fields: {},
            "did not return the field 'embedding' that it declares",
        ),
        (("refine", "refiner", "refine"), undivided, "divide bytes by 255"),
        (("refine", "refiner", "refine"), lambda made: replace(made, images=made.images[1:]), "images of shape"),
        (("refine", "refiner", "refine"), without_latents, "returned 5 latents for 6 images"),
    ],
)
def test_a_broken_promise_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[str, str, str], change: Change, said: str
) -> None:
    graph = plan(tmp_path, SUITE)
    wrong_from(graph, *place, change, monkeypatch)
    with pytest.raises(ComponentError, match=said) as raised:
        run_until_refined(graph, Store.open(tmp_path / "store"))
    assert "\n" not in str(raised.value)
    assert f"this is a mistake in the {place[1]}" in str(raised.value)


@pytest.mark.parametrize("predictions", [[], [0] * 17, [3] * 18, [-1] * 18, [0.5] * 18])
def test_wrong_predictions_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, predictions: list[int]
) -> None:
    graph, store = plan(tmp_path, {**SUITE, "protocol": "smoke@1"}), Store.open(tmp_path / "store")
    wrong_from(
        graph, "evaluate", "evaluator", "evaluate", lambda made: replace(made, predictions=predictions), monkeypatch
    )
    said = f"evaluator 'nearest-mean' returned {len(predictions)} predictions for 18 validation images of 3 classes"
    with pytest.raises(ComponentError, match=said):
        run_until_refined(graph, store, "evaluate")
    assert not list((store.root / "results").glob("*/*"))


def test_a_pool_that_is_replaced_while_it_is_read_is_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker loads a generator once for many nodes. Some images would be of the old file and some of the new."""
    graph, store = plan(tmp_path, SUITE), Store.open(tmp_path / "store")

    def replaced(samples: Samples) -> Samples:
        monkeypatch.setattr(generator, "fingerprint", lambda self: "of the new file")
        return samples

    generator = type(next(n for n in graph.nodes.values() if n.stage == "generate").uses["generator"].component)
    wrong_from(graph, "generate", "generator", "sample_block", replaced, monkeypatch)
    with pytest.raises(DataError, match="generator 'noise' has changed since the run was planned; run it again"):
        run_until_refined(graph, store)
    assert "generate" not in {manifest.stage for manifest in store.manifests()}


def test_what_keeps_its_promise_is_stored(tmp_path: Path) -> None:
    run_until_refined(plan(tmp_path, SUITE), Store.open(tmp_path / "store"))
