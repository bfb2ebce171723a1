"""The forecast of a run, from the plan's timings and from what the run has measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.plan import Graph, State
from ddbench.plan.estimate.estimate import estimate
from ddbench.registry import Catalogue
from ddbench.run.forecast import Forecast, Progress
from ddbench.store import Store
from ddbench.toolkit.hardware import KNOWN
from tests.plan.estimate.priced import SUITE, wall
from tests.plan.plans import edited, plan, set_
from tests.plan.recorded import record_all

H100 = KNOWN["h100"]


@pytest.fixture
def state(tmp_path: Path, known: Catalogue, small: Graph) -> State:
    """Return the state of a suite for two IPCs, the first of which was run on an H100."""
    record_all(small, tmp_path / "store", wall)
    graph = plan(tmp_path, edited(set_("ipc")([1, 8]), SUITE), known)
    return State(graph, Store(tmp_path / "store")).resolve_all()


def of(state: State, stage: str) -> list[str]:
    return sorted(key for key in state.to_run() if state.graph.nodes[key].stage == stage)


def test_before_anything_ran_it_is_the_estimate_of_the_plan(state: State) -> None:
    left = Forecast(state, H100, 1).left(state.to_run(), {})
    planned = estimate(state, "h100").total("seconds_left").known
    assert planned is not None
    assert left.known == pytest.approx(planned)
    assert not left.unknown, "what only chooses or copies takes no time"


def test_workers_share_the_nodes_but_not_the_longest_one(state: State) -> None:
    trainings = of(state, "evaluate")
    one = Forecast(state, H100, 1).left(trainings, {}).known
    assert one is not None
    assert Forecast(state, H100, 3).left(trainings, {}).known == pytest.approx(one / 3)
    assert Forecast(state, H100, 1000).left(trainings, {}).known == pytest.approx(one / len(trainings))


def test_measured_nodes_of_a_kind_correct_the_others(state: State) -> None:
    first, *others = of(state, "evaluate")
    forecast = Forecast(state, H100, 1)
    before = forecast.left(others, {}).known
    each = forecast.left([first], {}).known
    assert before is not None
    assert each is not None
    forecast.finished(first, 3 * each)
    assert forecast.left(others, {}).known == pytest.approx(3 * before)


def test_measured_nodes_of_one_stage_correct_other_stages_until_they_have_their_own(state: State) -> None:
    trainings, made = of(state, "evaluate"), of(state, "generate")
    forecast = Forecast(state, H100, 1)
    before, each = forecast.left(trainings, {}).known, forecast.left(made[:1], {}).known
    assert before is not None
    assert each is not None
    forecast.finished(made[0], 5 * each)
    assert forecast.left(trainings, {}).known == pytest.approx(5 * before)


def test_a_running_node_has_its_own_pace_if_it_tells_its_progress(state: State) -> None:
    first = of(state, "evaluate")[0]
    forecast = Forecast(state, H100, 1)
    assert forecast.left([first], {first: Progress(30.0, 0.25)}).known == pytest.approx(90.0)
    whole = forecast.left([first], {}).known
    assert whole is not None
    assert forecast.left([first], {first: Progress(10.0)}).known == pytest.approx(whole - 10)
    assert forecast.left([first], {first: Progress(whole + 10)}).known == 0


def test_nodes_of_unknown_time_take_as_long_as_those_of_their_stage(tmp_path: Path, known: Catalogue) -> None:
    graph = plan(tmp_path, SUITE, known)
    state = State(graph, Store(tmp_path / "store")).resolve_all()
    first, *others = of(state, "evaluate")
    forecast = Forecast(state, H100.__class__("unheard-of", "unheard-of"), 1)
    left = forecast.left(others, {})
    assert (left.known, left.unknown) == (None, len(others))
    forecast.finished(first, 7.0)
    assert forecast.left(others, {}).known == pytest.approx(7.0 * len(others))
