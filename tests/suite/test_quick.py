"""``quick``: a part of the complete suite, with one distilled set and one training a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.plan import build_graph
from ddbench.suite import load_suite
from tests.conftest import Cli
from tests.suite.suites import write

ROWS = """
generators: {loud: {use: noise, block: 2}}
methods:
  A: {generator: loud, selector: first}
  B: {generator: loud, selector: random}
"""


@pytest.mark.parametrize(
    ("seeds", "first"),
    [
        ("{generation: [7, 8], selection: generation, training: [1, 2]}", (7, 7, 1)),
        ("{generation: [7, 8], selection: [3, 4], training: [1, 2]}", (7, 3, 1)),
        ("{selection: [3, 4]}", (0, 3, 0)),
    ],
)
def test_it_has_the_first_seed_of_each_axis_and_the_same_keys(
    tmp_path: Path, seeds: str, first: tuple[int, int, int]
) -> None:
    path, _ = write(tmp_path, f"seeds: {seeds}\n{ROWS}")
    whole, quick = load_suite(path), load_suite(path, quick=True)
    assert {(c.generation_seed, c.selection_seed, c.training_seed) for c in quick.cells} == {first}
    assert len(quick.cells) == 2 * 2
    assert build_graph(quick).nodes.keys() < build_graph(whole).nodes.keys()


def test_the_verb_plans_it(tmp_path: Path, cli: Cli) -> None:
    path, _ = write(tmp_path, f"seeds: {{generation: [0, 1, 2], selection: generation}}\n{ROWS}")
    told = [cli("plan", str(path), *more).stdout for more in ((), ("--quick",))]
    assert ["12 cells, 0 with results" in told[0], "4 cells, 0 with results" in told[1]] == [True, True]
    assert ["12 sets" in told[0], "4 sets" in told[1]] == [True, True]
