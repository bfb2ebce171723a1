"""The results that a leaderboard counts, from a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

import ddbench
from ddbench import Context, Generator, Samples, component, unkeyed
from ddbench.plan import Node, State
from ddbench.plan.state import plan_suite
from ddbench.record import RunRecord
from ddbench.report.leaderboard import Entry, Leaderboard, leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.report.results import describe_generator, results_of
from ddbench.stats.summary import Summary
from tests.plan.plans import Values, edited, plan, set_
from tests.plan.pretend import pretend, record, write_unsynced

SEEDS = 3


def with_seeds(values: Values) -> None:
    values["seeds"]["training"] = list(range(SEEDS))
    values["ipc"] = [1, 2]
    methods = values["methods"]
    values["methods"] = {name: methods[name] for name in ("real first", "loud random")}


VALUES = edited(with_seeds)


def accuracy(node: Node) -> float:
    """10, 20, 30 for the training seeds 0, 1, 2 of ``real first``; 5 more for the other row."""
    return 10.0 * (node.settings["seed"] + 1) + 5.0 * ("loud" in node.label)


def board_of(
    folder: Path, values: Values = VALUES, done: Callable[[Node], bool] = lambda node: True, **more: Any
) -> Leaderboard:
    pretend(plan(folder, values), folder / "store", last=more.pop("last", accuracy), done=done, **more)
    return leaderboard_of(results_of(*plan_suite(folder / "suite.yaml", folder / "store")))


def entry(board: Leaderboard, method: str, ipc: int) -> Entry:
    (found,) = (e for e in board.entries if (e.method, e.ipc) == (method, ipc))
    return found


def test_one_entry_for_each_method_ipc_and_student_in_the_suites_order(tmp_path: Path) -> None:
    board = board_of(tmp_path)
    places = [(e.method, e.ipc, e.student, e.protocol) for e in board.entries]
    student, protocol = "pixels (name=p)", "minimax-hard@1"
    assert places == [(m, ipc, student, protocol) for m in ("real first", "loud random") for ipc in (1, 2)]


def test_the_numbers_are_over_training_seeds(tmp_path: Path) -> None:
    found = entry(board_of(tmp_path), "real first", 1)
    assert found.expected == SEEDS
    assert found.last is not None
    assert (found.last.n, found.last.mean, found.last.std) == (3, 20.0, 10.0)
    assert found.evaluations == 100
    assert str(entry(board_of(tmp_path), "loud random", 2).last) == "25.0 ± 10.0"


def test_a_mean_over_two_of_three_says_so_and_none_is_a_dash(tmp_path: Path) -> None:
    def done(node: Node) -> bool:
        if node.stage != "evaluate" or "IPC 2" not in node.label:
            return True
        return node.settings["seed"] != 1 and "loud" not in node.label

    board = board_of(tmp_path, done=done)
    partial, missing = entry(board, "real first", 2), entry(board, "loud random", 2)
    assert partial.last is not None
    assert (partial.last.n, partial.last.mean, partial.expected) == (2, 20.0, 3)
    assert (missing.last, missing.best, missing.evaluations, missing.expected) == (None, None, None, 3)
    rows = [line for line in to_markdown(board).splitlines() if line.startswith("| real first")]
    assert "20.0 ± 14.1 (2 of 3)" in rows[0]
    loud = [cell.strip() for cell in headline_row(board, "loud random")]
    assert (loud[0], loud[1][:11], loud[2]) == ("loud random", "25.0 ± 10.0", "– b")
    assert "\n- b: no result yet\n" in to_markdown(board)


def headline_row(board: Leaderboard, method: str) -> list[str]:
    first = next(line for line in to_markdown(board).splitlines() if line.startswith(f"| {method} "))
    return first.strip("|").split("|")


def test_best_is_blank_where_it_was_not_looked_for(tmp_path: Path) -> None:
    graph = plan(tmp_path, VALUES)
    state = pretend(graph, tmp_path / "store", done=lambda node: node.stage != "evaluate")
    for _, key in graph.cells:
        action_key = state.action_keys[key]
        made = record(action_key, 10.0)
        made["result"]["best"] = None
        write_unsynced(state.store.root / "results" / action_key[:2] / action_key / "f1.json", made)
    board = leaderboard_of(results_of(*plan_suite(tmp_path / "suite.yaml", tmp_path / "store")))
    assert all(e.best is None and e.last is not None for e in board.entries)
    assert "| –      |" in to_markdown(board)


def test_best_is_the_mean_of_each_trainings_best(tmp_path: Path) -> None:
    graph = plan(tmp_path, VALUES)
    state = pretend(graph, tmp_path / "store", done=lambda node: node.stage != "evaluate")
    for cell, key in graph.cells:
        action_key = state.action_keys[key]
        made = record(action_key, 10.0, best=20.0 + 2 * cell.training_seed)
        write_unsynced(state.store.root / "results" / action_key[:2] / action_key / "f1.json", made)
    board = leaderboard_of(results_of(*plan_suite(tmp_path / "suite.yaml", tmp_path / "store")))
    best, last = entry(board, "real first", 1).best, entry(board, "real first", 1).last
    assert best is not None
    assert last is not None
    assert (best.mean, best.std, last.mean, last.std) == (22.0, 2.0, 10.0, 0.0)


def test_seeds_that_a_row_does_not_use_are_no_repeats(tmp_path: Path) -> None:
    """Three generation and two selection seeds: the real images and their first ones know neither."""

    def more(values: Values) -> None:
        values["seeds"] = {"generation": [0, 1, 2], "selection": [0, 1], "training": [0]}

    board = board_of(tmp_path, edited(more, VALUES))
    assert board.seeds == {"generation": 3, "selection": 2, "training": 1}
    assert entry(board, "real first", 1).expected == 1
    assert entry(board, "loud random", 1).expected == 6


def test_seeds_that_vary_together_are_told_together(tmp_path: Path) -> None:
    values = edited(set_("seeds")({"generation": [0, 1, 2], "selection": "generation", "training": [0]}), VALUES)
    board = board_of(tmp_path, values)
    assert board.seeds == {"generation and selection": 3, "training": 1}
    assert "over 3 generation and selection seeds." in to_markdown(board)
    assert entry(board, "loud random", 1).expected == 3


def test_trainings_that_turn_out_equal_count_once(tmp_path: Path) -> None:
    """Two selection seeds that chose the same images: one training, though the plan could not know."""
    values = edited(set_("seeds")({"generation": [0], "selection": [0, 1], "training": [0, 1]}), VALUES)

    def content(node: Node) -> str:
        settings = {k: v for k, v in node.settings.items() if k != "seed" or node.stage != "select"}
        label = [part for part in node.label.split(" · ") if not part.startswith("selection")]
        return f"{node.stage} {json.dumps(settings, sort_keys=True)} {label}"

    found = entry(board_of(tmp_path, values, digest=content), "loud random", 1)
    assert found.expected == 2
    assert found.last is not None
    assert found.last.n == 2


def test_until_then_they_are_expected(tmp_path: Path) -> None:
    values = edited(set_("seeds")({"generation": [0], "selection": [0, 1], "training": [0, 1]}), VALUES)
    found = entry(board_of(tmp_path, values, done=lambda node: node.stage == "dataset"), "loud random", 1)
    assert (found.expected, found.last) == (4, None)


def test_replicates_from_another_machine_are_no_further_seeds(tmp_path: Path) -> None:
    board_of(tmp_path)
    state: State = plan_suite(tmp_path / "suite.yaml", tmp_path / "store")[1]
    before = leaderboard_of(results_of(*plan_suite(tmp_path / "suite.yaml", tmp_path / "store")))
    for key, action_key in state.action_keys.items():
        if key in state.results:
            (own,) = state.results[key]
            put = record(action_key, own.result.last + 4, fingerprint="f2")
            state.store.put_result(RunRecord.parse(put))
    after = leaderboard_of(results_of(*plan_suite(tmp_path / "suite.yaml", tmp_path / "store")))
    for old, new in zip(before.entries, after.entries, strict=True):
        assert old.last is not None
        # The mean of both counts. So the deviation over seeds stays.
        assert new.last == Summary(old.last.n, pytest.approx(old.last.mean + 2), pytest.approx(old.last.std))
    assert after.environment_spread is not None
    assert (after.environment_spread.environments, after.environment_spread.largest) == (2, pytest.approx(4))


def test_a_page_is_the_same_bytes_for_the_same_results(tmp_path: Path) -> None:
    page = to_markdown(board_of(tmp_path))
    reordered = dict(reversed(VALUES.items()))
    pretend(plan(tmp_path, reordered), tmp_path / "other", last=accuracy)
    assert to_markdown(leaderboard_of(results_of(*plan_suite(tmp_path / "suite.yaml", tmp_path / "other")))) == page


def test_what_the_numbers_rest_on_is_said(tmp_path: Path) -> None:
    board = board_of(tmp_path)
    assert board.validation == (("d" * 64, 18),)
    assert board.environments == ("Abacus 3000 (reference), torch 2.9.0, ddbench 0.1.0",)
    assert (board.dataset, board.numerics, board.ddof) == ("dots", "reference", 1)
    assert json.loads(json.dumps(board.to_json()))["entries"][0]["last"] == {"n": 3, "mean": 20.0, "std": 10.0}


def test_a_board_without_results_is_all_dashes(tmp_path: Path) -> None:
    plan(tmp_path, VALUES)
    board = leaderboard_of(results_of(*plan_suite(tmp_path / "suite.yaml", tmp_path / "none")))
    assert all(e.last is None for e in board.entries)
    page = to_markdown(board)
    assert "no result yet" in page
    assert page.count("–") >= 4


def test_mixed_protocols_are_told_apart(tmp_path: Path) -> None:
    values = edited(set_("methods", "loud random", "protocol")("smoke@1"), VALUES)
    board = board_of(tmp_path, values)
    assert board.protocols == ["minimax-hard@1", "smoke@1"]
    assert headline_row(board, "loud random")[1].strip() == "smoke@1"


def test_named_variants_are_explained_where_rows_use_them(tmp_path: Path) -> None:
    def more(values: Values) -> None:
        values["generators"]["unused"] = {"use": "noise", "block": 3}
        values["generators"]["noise"] = {"use": "noise", "block": 4}
        values["methods"]["plain"] = {"generator": "noise", "selector": "first"}

    board = board_of(tmp_path, edited(more, VALUES))
    assert board.generators == {"loud": "noise (block=2)", "noise": "noise"}, "no leak and blocks of 4 are the defaults"
    page = to_markdown(board)
    assert "\n- generator `loud`: noise (block=2)\n- generator `noise`: noise\n- scorer `teacher`: " in page


@component("generator", "parted", version=1)
class Parted(Generator):
    """Of parts that lie somewhere."""

    shown: ClassVar[tuple[str, ...]] = ("profile",)

    class Params(ddbench.Params):
        model: str = unkeyed("owner/usual")
        decoder: str | None = unkeyed(None)
        weights: Path | None = unkeyed(None)
        seconds: float = unkeyed(60.0)
        levels: tuple[int, ...] = (1, 2)
        guidance: float = 4.0
        profile: str = "paper"

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        raise AssertionError("nothing is made here")


def told(**values: Any) -> str:
    return describe_generator(Parted(Parted.Params(**values)))


def test_what_is_not_at_its_default_is_said_and_where_it_lies_is_not(tmp_path: Path) -> None:
    assert told() == told(guidance=4, levels=[1, 2]) == "parted (profile=paper)"
    assert told(seconds=5) == told(), "what decides nothing says nothing"
    said = "parted (model=owner/name, levels=[3], guidance=2.0, profile=paper)"
    assert told(model="owner/name", guidance=2, levels=[3]) == said
    for place in (str(tmp_path), "/a/model", "./model", "../model", "~/model"):
        last = Path(place).name
        assert told(model=place) == f"parted (model={last}, profile=paper)"
        assert told(decoder=place, weights=place) == f"parted (decoder={last}, weights={last}, profile=paper)"
    assert told(weights="weights.pt") == "parted (weights=weights.pt, profile=paper)"


class ReadParted(Parted):
    def fingerprint(self) -> str:
        return "0123456789abcdef"


def test_the_digest_of_its_content_stands_for_a_path(tmp_path: Path) -> None:
    read = ReadParted(Parted.Params(model=str(tmp_path), weights=tmp_path / "weights.pt"))
    assert describe_generator(read) == "parted (sha256 01234567, profile=paper)"
