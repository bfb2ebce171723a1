"""Generators that differ in nothing that a fit knows of are fitted once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import ddbench_components.generators
import pytest
from diffusers import DDIMScheduler

import ddbench
from ddbench import Context, LabeledImages, TrainingData
from ddbench.plan import Graph
from ddbench.plan.node import Node
from tests.plan.plans import Values, plan

NANO = {"model": "ddbench/dit-nano", "classes": "dataset"}
MINIMAX = {"use": "minimax", **NANO}
MODES = {"use": "mode-guidance", **NANO, "modes": 5}


def plan_suite(folder: Path, **generators: dict[str, Any]) -> Graph:
    values: Values = {
        "suite": "fits",
        "dataset": "tiny-cifar",
        "protocol": "smoke@1",
        "ipc": [1, 10],
        "students": ["convnet3"],
        "generators": generators,
        "methods": {name: {"generator": name, "selector": "first"} for name in generators},
    }
    return plan(folder, values)


def of(graph: Graph, stage: str) -> list[Node]:
    return [node for node in graph.nodes.values() if node.stage == stage]


@pytest.mark.parametrize(
    ("one", "sampled_otherwise"),
    [
        (
            MINIMAX,
            [
                {"scheduler": "ddim"},
                {"sampling_steps": 20},
                {"guidance": 2.0},
                {"guided_channels": "all"},
                {"compile": True},
                {"block": 5},
                {"batch": 2},
            ],
        ),
        ({**MINIMAX, "use": "inversion-matching"}, [{"guidance": 2.0}]),
        (MODES, [{"strength": 0.3}, {"stop": 10}, {"precision": "bf16"}, {"guidance": 2.0}]),
        ({"use": "ddpm", "label_dropout": 0.1}, [{"sampler": "ddim"}, {"sampling_steps": 20}, {"guidance": 2.0}]),
    ],
)
def test_sampling_otherwise_asks_for_no_other_fit(
    tmp_path: Path, one: dict[str, Any], sampled_otherwise: list[dict[str, Any]]
) -> None:
    graph = plan_suite(tmp_path, one=one, **{f"other {i}": {**one, **o} for i, o in enumerate(sampled_otherwise)})
    (fit,), made = of(graph, "fit"), of(graph, "generate")
    assert fit.label == "one"
    pools = {node.inputs.fitted["generator"] for node in made}
    assert pools == {fit.recipe_key}
    kinds = {str(node.uses["generator"].keyed) for node in made}
    assert len(kinds) == 1 + len(sampled_otherwise), "but each has a pool of its own"


@pytest.mark.parametrize(
    ("one", "fitted_otherwise"),
    [
        (MINIMAX, [{"epochs": 2}, {"diversity": 0.0}, {"precision": "bf16"}, {"frequencies": "dit"}, {"memory": 8}]),
        (MODES, [{"modes": 6}, {"modes": "ipc"}]),
        ({"use": "ddpm"}, [{"steps": 20}, {"label_dropout": 0.1}]),
    ],
)
def test_training_otherwise_does(tmp_path: Path, one: dict[str, Any], fitted_otherwise: list[dict[str, Any]]) -> None:
    graph = plan_suite(tmp_path, one=one, **{f"other {i}": {**one, **o} for i, o in enumerate(fitted_otherwise)})
    asked = 1 + sum(2 if other.get("modes") == "ipc" else 1 for other in fitted_otherwise)
    assert len(of(graph, "fit")) == asked


def test_a_fit_does_not_ask_for_the_steps_of_a_sampling(tmp_path: Path) -> None:
    """Of a pipeline with fewer timesteps than the default has steps."""
    shipped = Path(ddbench_components.generators.__file__).with_name("_dit_nano")
    pipeline = Path(shutil.copytree(shipped, tmp_path / "pipeline"))
    DDIMScheduler(num_train_timesteps=20).save_pretrained(pipeline / "scheduler")
    data: TrainingData = ddbench.create("dataset", "tiny-cifar").training()  # type: ignore[attr-defined]
    few = replace(data, train=LabeledImages(data.train.images[:40], data.train.labels[:40], data.train.ids[:40]))
    made: Any = ddbench.create(
        "generator", "minimax", model=str(pipeline), classes="dataset", sampling_steps=20, epochs=1, stop_after=1
    )
    (tmp_path / "fit").mkdir()
    made.for_fit().fit(few, tmp_path / "fit", Context())
    made.load(tmp_path / "fit", few, Context())
