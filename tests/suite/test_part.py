"""A part of a suite: which cells an expression chooses, against Python's own ``and``, ``or`` and ``not``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.errors import DdbenchError
from ddbench.plan import build_graph
from ddbench.suite import ResolvedSuite, load_suite
from ddbench.suite.part import part_of
from tests.suite.suites import write

ROWS = """
seeds: {generation: [7, 8], selection: generation, training: [1, 2]}
methods:
  Pool-Select: {generator: real, selector: first}
  Pool-Select, soft labels: {generator: real, selector: first, protocol: minimax-soft@1}
  Random: {generator: real, selector: random}
  and (or not): {generator: real, selector: random}
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> ResolvedSuite:
    path, _ = write(tmp_path_factory.mktemp("part"), ROWS.replace(", protocol: minimax-soft@1", ""))
    return load_suite(path)


def chosen(suite: ResolvedSuite, expression: str) -> set[tuple[str, int, int]]:
    return {(cell.row.name, cell.ipc, cell.training_seed) for cell in part_of(suite, expression).cells}


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("Pool-Select", {"Pool-Select"}),
        ("pool-select", {"Pool-Select"}),
        ("pool", {"Pool-Select", "Pool-Select, soft labels"}),
        ("Pool-Select, soft labels", {"Pool-Select, soft labels"}),
        ("'Pool-Select, soft labels' or RANDOM", {"Pool-Select, soft labels", "Random"}),
        ("not pool", {"Random", "and (or not)"}),
        ("pool and not (soft or random)", {"Pool-Select"}),
        ("pixels and random", {"Random"}),
        ("and (or not)", {"and (or not)"}),
        ("method='and (or not)'", {"and (or not)"}),
        ("method=Random or method=pool-select", {"Random", "Pool-Select"}),
    ],
)
def test_words_are_names_or_parts_of_names(suite: ResolvedSuite, expression: str, rows: set[str]) -> None:
    assert {row for row, _, _ in chosen(suite, expression)} == rows


def test_facts_are_compared_whole(suite: ResolvedSuite) -> None:
    assert chosen(suite, "Random and ipc=1 and training=2") == {("Random", 1, 2)}
    assert {cell.generation_seed for cell in part_of(suite, "generation=8").cells} == {8}
    assert len(part_of(suite, "student=Pixels").cells) == len(suite.cells) == 4 * 2 * 2 * 2


def test_a_part_has_the_keys_of_the_whole(suite: ResolvedSuite) -> None:
    whole, part = build_graph(suite), build_graph(part_of(suite, "random and ipc=2"))
    assert part.nodes.keys() < whole.nodes.keys()
    assert {key for _, key in part.cells} < {key for _, key in whole.cells}


ATOMS = ["pool", "random", "soft", "ipc=1", "training=2"]
TREES = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        inner.map("not {}".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]} {0[1]} {0[2]})".format),
    ),
    max_leaves=6,
)


@given(TREES)
def test_operators_are_those_of_python(suite: ResolvedSuite, expression: str) -> None:
    def value(row: str, ipc: int, training: int) -> bool:
        facts = {
            "pool": "Pool" in row, "random": row == "Random", "soft": "soft" in row,
            "ipc=1": ipc == 1, "training=2": training == 2,
        }  # fmt: skip
        text = expression
        for atom in ATOMS:
            text = text.replace(atom, str(facts[atom]))
        return bool(eval(text))

    cells = {(cell.row.name, cell.ipc, cell.training_seed) for cell in suite.cells}
    expected = {cell for cell in cells if value(*cell)}
    if expected:
        assert chosen(suite, expression) == expected
    else:
        with pytest.raises(DdbenchError, match="no cell is chosen"):
            part_of(suite, expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("randon", "the suite has no cell with 'randon'; did you mean 'Random'?"),
        ("Random or herding", "no cell with 'herding'"),
        ("ipc=50", "no cell with 'ipc=50'; known: 1, 2"),
        ("Random and ipc=1 and ipc=2", "no cell is chosen"),
        ("Random pool", "it does not join words by and, or, not and parentheses"),
        ("Random and (pool", "it does not join words"),
        ("Random (pool)", "it does not join words"),
        ("Random, (pool)", "no cell with 'random,'"),
        ("()", "it does not join words"),
        ("", "it does not join words"),
        ("and", "it does not join words"),
        ("'Random", "a quote is not closed"),
        ("(" * 500 + "pool" + ")" * 500, "it does not join words"),
        ("not " * 20_000 + "pool", "it does not join words"),
    ],
)
def test_mistakes_are_one_line(suite: ResolvedSuite, expression: str, message: str) -> None:
    with pytest.raises(DdbenchError) as error:
        part_of(suite, expression)
    assert message.lower() in str(error.value).lower()
    assert "\n" not in str(error.value)
