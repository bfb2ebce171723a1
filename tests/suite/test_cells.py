"""Suites to cells: what is multiplied, what is left out, how large pools are."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ddbench
from ddbench import EvaluationSettings, Selector, component
from ddbench.registry import Catalogue
from ddbench.registry.plugins import installed
from ddbench.suite import PoolSize, ResolvedSuite, load_suite
from tests.suite.suites import write


def load(folder: Path, text: str) -> ResolvedSuite:
    return load_suite(write(folder, text)[0])


def pools(suite: ResolvedSuite) -> dict[tuple[str, int], int | None]:
    """For each row and IPC the candidates a class."""
    return {(cell.row.name, cell.ipc): cell.row.pool.count(cell.ipc) for cell in suite.cells}


def test_a_cell_is_one_choice_of_everything(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        """
ipc: [2, 1]
students: [pixels, {use: pixels, name: b}]
seeds: {generation: [3], selection: [0, 1], training: [7, 8, 9]}
methods: {A: {generator: real, selector: first}}
matrix: {generator: [noise, real], selector: [random, brightest]}
""",
    )
    cells = [
        (c.row.name, c.ipc, c.student.label, c.generation_seed, c.selection_seed, c.training_seed) for c in suite.cells
    ]
    rows = ["A", "noise + random", "noise + brightest", "real + random", "real + brightest"]
    assert cells == list(product(rows, [2, 1], ["pixels", "pixels (name=b)"], [3], [0, 1], [7, 8, 9]))


def test_a_set_is_selected_by_the_seed_that_it_was_generated_by(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        """
ipc: [1]
seeds: {generation: [3, 1], selection: generation, training: [7, 8]}
methods: {A: {generator: noise, selector: random}}
""",
    )
    cells = [(c.generation_seed, c.selection_seed, c.training_seed) for c in suite.cells]
    assert cells == [(3, 3, 7), (3, 3, 8), (1, 1, 7), (1, 1, 8)]


def test_a_cell_in_words(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        """
ipc: [2]
seeds: {generation: [3], selection: [4], training: [5]}
generators: {loud: {use: noise, block: 2}}
methods:
  A:
    generator: loud
    pool: 2.5x
    selector: {use: k-center, start: random}
    refiner: {use: darken, factor: 0.25}
""",
    )
    assert [cell.describe() for cell in suite.cells] == [
        {
            "method": "A",
            "generator": "loud",
            "selector": "k-center (start=random)",
            "refiner": "darken (factor=0.25)",
            "pool": 5,
            "labels": "hard",
            "protocol": "minimax-hard@1",
            "ipc": 2,
            "student": "pixels",
            "seeds": {"generation": 3, "selection": 4, "training": 5},
        }
    ]


def test_a_variant_may_have_the_name_of_what_it_configures(tmp_path: Path) -> None:
    text = "generators: {noise: {use: noise, block: 3}}\nmethods: {A: {generator: noise, selector: first}}"
    generator = load(tmp_path, text).cells[0].row.generator
    assert (generator.label, generator.component.block) == ("noise", 3)


def test_what_a_suite_does_not_say_has_a_default(tmp_path: Path) -> None:
    suite = load(tmp_path, "")
    (cell, *_) = suite.cells
    assert len(suite.cells) == 2
    assert (cell.generation_seed, cell.selection_seed, cell.training_seed) == (0, 0, 0)
    assert cell.row.refiner.label == "none"
    assert suite.evaluation == EvaluationSettings(numerics="fast", evaluate="last")
    assert suite.skipped == ()


def test_default_pools(tmp_path: Path) -> None:
    text = "ipc: [1, 3]\nmatrix: {generator: [real, noise], selector: [first, random, k-center]}"
    assert pools(load(tmp_path, text)) == {
        ("real + first", 1): None, ("real + first", 3): None,
        ("real + random", 1): None, ("real + random", 3): None,
        ("real + k-center", 1): None, ("real + k-center", 3): None,
        ("noise + first", 1): 1, ("noise + first", 3): 3,
        ("noise + random", 1): 4, ("noise + random", 3): 12,
        ("noise + k-center", 1): 4, ("noise + k-center", 3): 12,
    }  # fmt: skip


def test_the_nearest_word_on_a_pool_counts(tmp_path: Path) -> None:
    text = """
ipc: [2]
methods:
  default: {generator: noise, selector: random}
  own: {generator: noise, selector: random, pool: 7}
  real: {generator: real, selector: random, pool: 2x}
matrix: {generator: [noise], selector: [{selector: random, pool: 9}, random], pool: 1.25x}
"""
    assert pools(load(tmp_path, text)) == {
        ("default", 2): 8, ("own", 2): 7, ("real", 2): 4,
        ("noise + random @9", 2): 9, ("noise + random", 2): 3,
    }  # fmt: skip


@given(
    whole=st.integers(1, 99),
    decimals=st.text("0123456789", max_size=30),
    ipc=st.integers(1, 999),
    power=st.integers(0, 4),
)
def test_a_multiple_of_the_ipc_is_rounded_up_exactly(whole: int, decimals: str, ipc: int, power: int) -> None:
    ipc *= 10**power  # Such products may be whole numbers, which floats miss.
    digits, scale = int(f"{whole}{decimals}"), 10 ** len(decimals)
    expected = -(-digits * ipc // scale)
    assert PoolSize(f"{whole}.{decimals}x" if decimals else f"{whole}x").count(ipc) == expected


def test_binary_fractions_would_be_wrong_here() -> None:
    assert PoolSize("1.1x").count(50) == 55, "as floats it would be 55.00000000000001"
    assert PoolSize("1.15x").count(100) == 115
    assert PoolSize(200).count(10) == 200
    assert PoolSize(None).count(10) is None


@component("selector", "paddling", version=1)
class Paddling(Selector):
    """Has a parameter that is called as the pool of a suite is."""

    class Params(ddbench.Params):
        pool: int = 3

    params: Params


@pytest.mark.parametrize(
    "text",
    [
        "methods: {A: {generator: noise, selector: {use: paddling, pool: 7}, pool: 5}}",
        "matrix: {generator: [noise], selector: [{selector: {use: paddling, pool: 7}, pool: 5}]}",
    ],
)
def test_a_parameter_pool_is_the_selectors_own(tmp_path: Path, text: str) -> None:
    known = Catalogue(installed())
    known.add(Paddling, owner="this test")
    (cell,) = load_suite(write(tmp_path, f"ipc: [1]\n{text}")[0], known).cells
    assert cell.row.selector.component.params == Paddling.Params(pool=7)
    assert cell.row.pool.count(1) == 5


def test_exclude_leaves_out_what_matches_every_key(tmp_path: Path) -> None:
    text = """
ipc: [1, 2, 3]
students: [pixels, {use: pixels, name: b}]
matrix: {generator: [real, noise], selector: [first, {selector: random, pool: 4}]}
exclude:
  - {selector: random, ipc: [1, 2]}
  - {generator: noise, selector: first, student: pixels (name=b)}
  - {method: real + first, ipc: 3}
"""

    def wanted(generator: str, selector: str, ipc: int, student: str) -> bool:
        return not (
            (selector == "random @4" and ipc in (1, 2))
            or (generator == "noise" and selector == "first" and student == "pixels (name=b)")
            or (generator == "real" and selector == "first" and ipc == 3)
        )

    axes = product(["real", "noise"], ["first", "random @4"], [1, 2, 3], ["pixels", "pixels (name=b)"])
    found = load(tmp_path, text).cells
    assert [(c.row.generator.label, c.row.selector.label, c.ipc, c.student.label) for c in found] == [
        choice for choice in axes if wanted(*choice)
    ]


def test_a_component_is_excluded_by_its_name_in_every_form(tmp_path: Path) -> None:
    text = """
students: [pixels, {use: pixels, name: b}, convnet3]
exclude: [{student: pixels}]
"""
    assert {cell.student.label for cell in load(tmp_path, text).cells} == {"convnet3"}


def test_a_student_too_deep_for_the_images_may_be_excluded_with_them(tmp_path: Path) -> None:
    suite = load(tmp_path, "students: [pixels, convnet6]\nexclude: [{student: convnet6}]")
    assert {cell.student.label for cell in suite.cells} == {"pixels"}


def test_a_matrix_skips_what_cannot_be_and_says_why(tmp_path: Path) -> None:
    text = "matrix: {generator: [real, noise], selector: [first], refiner: [none, darken]}"
    suite = load(tmp_path, text)
    assert list(dict.fromkeys(c.row.name for c in suite.cells)) == [
        "real + first",
        "noise + first",
        "noise + first + darken",
    ]
    assert suite.skipped == ("refiner 'darken' needs latents, but generator 'real' has none",)


def test_rows_may_be_judged_by_different_protocols(tmp_path: Path) -> None:
    text = """
methods:
  A: {generator: real, selector: first}
  B: {generator: real, selector: first, protocol: smoke@1}
matrix: {generator: [noise], selector: [first], protocol: smoke@1}
"""
    found = {cell.row.name: cell.row.protocol.id for cell in load(tmp_path, text).cells}
    assert found == {"A": "minimax-hard@1", "B": "smoke@1", "noise + first": "smoke@1"}


def test_equal_entries_are_one_component(tmp_path: Path) -> None:
    suite = load(tmp_path, "matrix: {generator: [noise], selector: [first, random]}")
    assert len({id(cell.row.generator.component) for cell in suite.cells}) == 1
    assert Counter(type(c.row.selector.component).__name__ for c in suite.cells) == {"First": 2, "Random": 2}
