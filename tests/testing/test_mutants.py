"""Each check is killed by one broken component, of which every other check finds nothing wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.testing import findings
from ddbench.testing.checks import CHECKS
from tests.testing.mutants import MUTANTS, NOTED, select


@pytest.mark.parametrize(("kind", "name"), MUTANTS)
def test_a_mutant_is_killed_by_its_check_alone(kind: str, name: str, tmp_path: Path) -> None:
    found = {f.check: f for f in findings(MUTANTS[kind, name](), tmp_path)}
    assert [f.check for f in found.values() if f.outcome == "failed"] == [name]
    assert found[name].reason
    assert found[name].fix


@pytest.mark.parametrize("name", NOTED)
def test_a_remark_is_no_failure(name: str, tmp_path: Path) -> None:
    outcomes = {f.check: f.outcome for f in findings(select(NOTED[name]), tmp_path)}
    assert outcomes[name] == "noted"
    assert "failed" not in outcomes.values()


def test_each_check_has_a_mutant() -> None:
    assert {(one.kind, one.name) for one in CHECKS} == set(MUTANTS) | {("selector", name) for name in NOTED}
