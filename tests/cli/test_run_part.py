"""``ddbench run --only``, ``--limit`` and ``--against``: what is trained, what the table has, and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.suite.suites import write

ROWS = """
seeds: {generation: [0, 1, 2], selection: generation}
ipc: [1]
methods:
  First: {generator: real, selector: first}
  Random: {generator: real, selector: random}
  Noise: {generator: noise, selector: random}
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a suite in the working directory whose rows have three, three and one distilled sets."""
    write(tmp_path, ROWS)
    monkeypatch.chdir(tmp_path)
    return "suite.yaml"


def trained(cli: Cli, suite: str, *options: str) -> str:
    """Run a part; return what the last line says about it."""
    told = cli("run", suite, *options).stderr.splitlines()
    line = next(line for line in told if "results; ran" in line)
    return line.partition("s ")[2].partition("; store")[0]  # without the time and the folder


def test_a_part_is_run_and_the_table_has_the_rest(cli: Cli, suite: str) -> None:
    assert trained(cli, suite, "--only", "Random").startswith("3 of 3 cells have results; ran")
    ran = cli("run", suite, "--only", "First")
    assert ran.stdout.count("| Random ") >= 1
    assert ran.stdout.count("| First ") >= 1
    assert "ran nothing" in trained(cli, suite, "--only", "First or Random")


def test_a_limit_counts_trainings_without_results(cli: Cli, suite: str) -> None:
    for _ in range(3):
        assert trained(cli, suite, "--only", "Random", "--limit", "1").startswith("1 of 1 cell has results; ran")
    assert trained(cli, suite, "--only", "Random", "--limit", "1").startswith("0 of 0 cells have results; ran nothing")
    assert trained(cli, suite, "--only", "Random") == "3 of 3 cells have results; ran nothing"


def test_rows_that_run_are_compared(cli: Cli, suite: str) -> None:
    cli("run", suite, "--only", "Noise")
    ran = cli("run", suite, "--only", "Random", "--against", "Noise or First")
    line = next(line for line in ran.stdout.splitlines() if line.startswith("Random") and "Noise" in line)
    assert ran.stdout.splitlines()[-2].split()[:3] == ["method", "against", "IPC"]
    assert line.split()[:3] == ["Random", "Noise", "1"]
    assert "Random against First: the two sides have no results at one IPC and of one student" in ran.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--only", "Randon"), "the suite has no cell with 'Randon'; did you mean 'Random'?"),
        (("--against", "Frist"), "the suite has no cell with 'Frist'; did you mean 'First'?"),
    ],
)
def test_mistakes_stop_before_anything_runs(cli: Cli, suite: str, options: tuple[str, ...], message: str) -> None:
    ran = cli("run", suite, *options)
    assert ran.returncode == 2
    assert message.lower() in ran.stderr.lower()
    assert not Path(".ddbench").exists()
