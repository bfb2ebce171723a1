"""The published numbers and the suites of papers agree: every number has a row or a reason."""

from __future__ import annotations

from collections import Counter

import pytest

from ddbench.plan import build_graph
from ddbench.suite import load_suite
from tests.suite.coverage import PAGES, REASONS, covered, renewed, suites, tables

# Entries with a number, counted in the papers; "N/A" is none.
PRINTED = {
    "psr": {2: 123, 3: 30, 4: 23, 5: 6, 6: 10},
    "sas": {1: 72, 2: 24, 3: 9, 4: 9, 5: 12, 6: 18},
    "dgs": {1: 81, 2: 24, 3: 15, 4: 15},
}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_tables_in_the_documents_are_current(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    assert text == renewed(name, text), "run `python -m tests.suite.coverage`"


def test_every_printed_number_is_there_once() -> None:
    printed = {f"{paper}-table{n}": count for paper, counts in PRINTED.items() for n, count in counts.items()}
    assert {name: len(numbers) for name, numbers in tables().items()} == printed
    assert sum(printed.values()) == 471
    for name, numbers in tables().items():
        places = Counter((n.method, n.dataset, n.student, n.ipc) for n in numbers)
        assert set(places.values()) == {1}
        assert {n.table for n in numbers} == {name[-1]}


def test_numbers_that_a_paper_prints_twice_are_equal() -> None:
    """SAS prints one row in tables 1, 4, 5 and 6; the others two rows each."""

    def row(table: str, method: str, student: str = "resnetap10") -> dict[int, tuple[float, float | None]]:
        found = (n for n in tables()[table] if (n.method, n.student) == (method, student))
        return {n.ipc: (n.mean, n.std) for n in found}

    sas = row("sas-table1", "Minimax + SAS")
    assert sas == row("sas-table4", "4 × IPC") == row("sas-table5", "SAS") == row("sas-table6", "All")
    assert row("dgs-table1", "Ours") == row("dgs-table3", "Scale") == row("dgs-table4", "5 × IPC")
    for student in ("convnet6", "resnetap10", "resnet18"):
        (mean, _) = row("psr-table5", "Minimax-Ours", student)[100]
        assert mean == row("psr-table2", "Minimax-Ours", student)[100][0]


def test_a_number_has_a_row_or_a_reason() -> None:
    without = {(one.table, one.number.method) for one in covered() if one.suite is None}
    assert without == set(REASONS)


@pytest.mark.parametrize("name", sorted(suites()))
def test_rows_are_named_as_printed_measured_as_printed_and_drawn_five_times(name: str) -> None:
    suite = suites()[name]
    for row in {cell.row.name: cell.row for cell in suite.cells}.values():
        methods = {number.method for number in row.published}
        assert methods == {row.name.replace("Mixed score", "Mixed Score")} or not methods
    assert suite.evaluation.evaluate == "papers"
    assert len({(cell.generation_seed, cell.selection_seed) for cell in suite.cells}) >= 5
    quick = load_suite(name, quick=True)
    assert len({cell.seeds["generation"] for cell in quick.cells}) == 1


def test_one_row_that_several_tables_print_is_one_training() -> None:
    def keys(suite: str, method: str) -> set[str]:
        cells = build_graph(suites()[suite]).cells
        return {key for cell, key in cells if (cell.row.name, cell.student.label) == (method, "resnetap10")}

    sas = keys("papers/sas-table1", "Minimax + SAS")
    assert len(sas) == 3 * 5
    assert sas == keys("ablations/sas-pool-size", "4 × IPC") == keys("ablations/sas-components", "All")
    assert sas == keys("ablations/sas-mixed-score", "SAS")
    ours = keys("papers/dgs-table1", "Ours")
    assert ours == keys("ablations/dgs-pool-size", "5 × IPC") == keys("ablations/dgs-distributions", "Scale")
    assert keys("papers/psr-table5", "Minimax-Ours") < keys("papers/psr-table2", "Minimax-Ours")
