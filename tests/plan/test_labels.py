"""Soft labels, live teachers and real images in a plan: who is asked about what, and what that changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddbench.plan import Graph
from tests.plan.plans import SUITE, Values, by_stage, plan

SOFT = {"use": "soft", "teacher": "teacher", "tau": 1.5}
NOISE = {"generator": "loud", "selector": "first"}


def rows(methods: dict[str, Any], **more: Any) -> Values:
    return {**SUITE, "methods": methods, **more}


def stages(graph: Graph) -> dict[str, dict[str, frozenset[str]]]:
    return {cell.row.name: by_stage(graph, key) for cell, key in graph.cells}


def evaluations(graph: Graph) -> dict[str, Any]:
    return {cell.row.name: graph.nodes[key] for cell, key in graph.cells}


def test_a_teacher_is_asked_once_about_the_images_that_were_chosen(tmp_path: Path) -> None:
    """Hard and soft students share everything up to the labels; the images before and after no refinement are equal."""
    graph = plan(
        tmp_path,
        rows(
            {
                "hard": NOISE,
                "before": {**NOISE, "labels": SOFT, "protocol": "psr-kd@1"},
                "after": {**NOISE, "labels": {**SOFT, "when": "after-refine"}, "protocol": "psr-kd@1"},
            }
        ),
    )
    found = stages(graph)
    assert "label" not in found["hard"]
    assert len(found["before"]["label"]) == 1
    assert found["before"] == found["after"]
    assert found["hard"]["distill"] == found["before"]["distill"]
    judged = evaluations(graph)
    assert judged["hard"].inputs.soft is None
    assert judged["before"].settings["tau"] == 1.5
    assert "tau" not in judged["hard"].settings


def test_before_and_after_differ_where_images_are_refined(tmp_path: Path) -> None:
    refined = {**NOISE, "refiner": "doubt", "protocol": "psr-kd@1"}
    graph = plan(
        tmp_path,
        rows(
            {
                "before": {**refined, "labels": SOFT},
                "after": {**refined, "labels": {**SOFT, "when": "after-refine"}},
                "hard students": {**NOISE, "refiner": "doubt", "labels": SOFT},
            }
        ),
    )
    found, judged = stages(graph), evaluations(graph)
    assert found["before"]["refine"] == found["after"]["refine"] == found["hard students"]["refine"]
    (refine,) = (graph.nodes[key] for key in found["before"]["refine"])
    assert refine.inputs.soft == judged["before"].inputs.soft
    assert judged["after"].inputs.soft != judged["before"].inputs.soft
    assert graph.nodes[judged["after"].inputs.soft].inputs.distilled == judged["after"].inputs.distilled
    assert {"refiner", "generator", "teacher", "dataset"} == set(refine.uses)
    assert set(refine.inputs.fitted) == {"teacher"}
    assert refine.settings["tau"] == 1.5
    assert judged["hard students"].inputs.soft is None


def test_the_temperature_is_a_setting_of_those_who_use_it(tmp_path: Path) -> None:
    """Logits are kept as they are, so another temperature asks no teacher again."""
    methods = {str(tau): {**NOISE, "refiner": "doubt", "labels": {**SOFT, "tau": tau}} for tau in (1.0, 2.0)}
    found = stages(plan(tmp_path, rows(methods)))
    assert found["1.0"]["label"] == found["2.0"]["label"]
    assert found["1.0"]["refine"] != found["2.0"]["refine"]


def test_the_ipc_is_a_setting_of_every_stage_with_a_distilled_set(tmp_path: Path) -> None:
    graph = plan(tmp_path, rows({"A": {**NOISE, "refiner": "doubt", "labels": SOFT}}, ipc=[3]))
    carried = {node.stage: node.settings.get("ipc") for node in graph.nodes.values()}
    assert {stage for stage, ipc in carried.items() if ipc == 3} == {"select", "distill", "refine", "evaluate"}


def test_a_live_teacher_is_part_of_the_evaluation_alone(tmp_path: Path) -> None:
    scorers = {**SUITE["scorers"], "kd": {"use": "colour", "seconds": 0.25}}
    graph = plan(tmp_path, rows({"hard": NOISE, "live": {**NOISE, "protocol": "rded-kd@1"}}, scorers=scorers))
    found, live = stages(graph), evaluations(graph)["live"]
    assert found["hard"]["distill"] == found["live"]["distill"]
    assert "label" not in found["live"]
    assert live.uses["teacher"].keyed["params"] == {"seconds": 0.25}
    assert graph.nodes[live.inputs.fitted["teacher"]].stage == "fit"


def test_a_role_can_be_renamed(tmp_path: Path) -> None:
    """The name of a scorer in a suite enters no key of its scores."""

    def named(role: str) -> Graph:
        labels = {**SOFT, "teacher": role}
        folder = tmp_path / role
        folder.mkdir()
        return plan(
            folder,
            rows(
                {"A": {**NOISE, "labels": labels, "protocol": "psr-kd@1", "refiner": "doubt"}},
                scorers={role: {"use": "colour"}},
            ),
        )

    assert list(named("judge").nodes) == list(named("oracle").nodes)


@pytest.mark.parametrize(("selector", "real"), [("typical", 1), ("brightest", 0)])
def test_real_images_are_scored_where_a_selector_asks(tmp_path: Path, selector: str, real: int) -> None:
    graph = plan(tmp_path, rows({"A": {"generator": "loud", "selector": selector, "pool": 4}}))
    scored = [node for node in graph.nodes.values() if node.stage == "score"]
    assert sorted(node.inputs.shard is not None for node in scored) == [False] * real + [True] * 2
    (select,) = (node for node in graph.nodes.values() if node.stage == "select")
    assert [(role, [(s.first_class, s.block) for s in shards]) for role, shards in select.inputs.real.items()] == [
        ("teacher", [(0, 0)])
    ] * real


def test_a_generator_that_asks_a_teacher_makes_its_pool_after_the_check(tmp_path: Path) -> None:
    """The pool depends on the teacher and its fit. Other pools do not, and the teacher is fitted and checked once."""
    methods = {"collages": {"generator": "rded", "selector": "first"}, "loud": NOISE}
    graph = plan(
        tmp_path, rows({**methods, "labelled": {**methods["collages"], "labels": SOFT, "protocol": "psr-kd@1"}})
    )
    found = stages(graph)
    (made,) = (graph.nodes[key] for key in found["collages"]["generate"])
    (fit,), (check,) = found["collages"]["fit"], found["collages"]["check"]
    assert set(made.uses) == {"generator", "teacher", "dataset"}
    assert made.inputs.fitted == {"teacher": fit}
    assert made.checks == {check}
    assert made.settings == {"classes": [0, 3], "block": 0, "seed": 0}
    assert found["labelled"]["generate"] == found["collages"]["generate"]
    assert found["labelled"]["fit"] == {fit}
    assert not {"fit", "check"} & found["loud"].keys()
    other = rows(methods, scorers={"teacher": {"use": "colour", "seconds": 0.5}})
    changed = stages(plan(tmp_path, other))
    assert changed["collages"]["generate"] != found["collages"]["generate"]
    assert changed["loud"] == found["loud"]
