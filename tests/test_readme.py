"""Tests that the statements of the README and the contributing guide are true."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from ddbench_components.generators import dit_nano
from ddbench_components.recipes.dit_nano.card import table

from ddbench.report import leaderboard_of, read_exported
from tests.benchmarks import equality, generation, objective, refinement, students
from tests.benchmarks.test_students import LEAST, reached
from tests.conftest import ROOT, Cli

DIT_NANO = Path(dit_nano.__file__).with_name("_dit_nano")
README = (ROOT / "README.md").read_text()


def block(name: str) -> list[str]:
    """Return the lines of the code block after the mark ``<!-- name -->``."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1].splitlines()


def fenced(path: Path, language: str) -> list[str]:
    """Every code block of a language."""
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(), re.DOTALL)


@pytest.mark.parametrize("line", block("look"))
def test_the_verbs_shown_work(line: str, tmp_path: Path) -> None:
    arguments = shlex.split(line, comments=True)
    assert arguments[0] == "ddbench"
    env = {**os.environ, "DDBENCH_HOME": str(tmp_path)}
    command = [sys.executable, "-m", *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    if arguments[1] in ("report", "gc"):
        assert ended.returncode == 2, "before the first run there is nothing to report or to remove"
        assert len(ended.stderr.splitlines()) == 1
    else:
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout


def test_the_suite_shown_plans(cli: Cli, tmp_path: Path) -> None:
    suite, method = fenced(ROOT / "README.md", "yaml")
    (tmp_path / "shown.yaml").write_text(suite.replace("\nmethods:", f"\nmethods:\n{method}#"))
    ended = cli("plan", "shown.yaml")
    assert ended.returncode == 0, ended.stderr
    assert "cells, 0 with a result" in ended.stdout
    assert "refine " in ended.stdout


@pytest.mark.slow
def test_the_ablation_shown_runs(tmp_path: Path) -> None:
    """In the store of the smoke suite, where there is one: they have fits and pools in common."""
    (line,) = block("ablation")
    store = os.environ.get("DDBENCH_SMOKE_STORE", str(tmp_path))
    command = [sys.executable, "-m", *shlex.split(line, comments=True), "--store", store]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "| Soft labels " in ended.stdout


def test_the_component_shown_selects(tmp_path: Path) -> None:
    (code,) = fenced(ROOT / "CONTRIBUTING.md", "python")
    check = """
from ddbench import Pool
pool = Pool.from_arrays(labels=[0, 0, 0], class_names=["a"], fields={"teacher.embedding": [[1.0], [3.0], [2.0]]})
assert Brightest().select(pool, 2, Context()).indices == (1, 2)
"""
    (tmp_path / "shown.py").write_text(code + check)
    ended = subprocess.run([sys.executable, tmp_path / "shown.py"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("figures", [students, equality, generation, refinement, objective])
def test_the_figures_are_those_that_were_measured(figures: ModuleType) -> None:
    name = {students: "speed"}.get(figures, figures.__name__.rpartition(".")[2])
    (shown,) = re.findall(rf"<!-- {name} -->\n\n(.*?)\n\n", README, re.DOTALL)
    assert shown == figures.table(json.loads(figures.FILE.read_text()))


def test_the_figures_of_dit_nano_are_those_of_its_card() -> None:
    about = json.loads((DIT_NANO / "figures.json").read_text())
    (shown,) = re.findall(r"<!-- dit-nano -->\n\n(.*?)\n\n", README, re.DOTALL)
    assert shown == table(about["figures"])
    board = leaderboard_of(read_exported(ROOT / "leaderboard" / "results" / "cifar10-mini"))
    last = {e.method: e.last for e in board.entries if e.ipc == 10}
    ours, random = last["DiT-nano"], last["Random"]
    assert ours is not None
    assert random is not None
    assert f"to {ours} % of" in README
    assert f"random real ones to {random} (" in README
    assert ours.n == random.n == 5
    assert ours.mean >= random.mean + 4
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert (ROOT / picture).samefile(DIT_NANO / "samples.png")


def test_students_are_as_fast_and_as_good_as_is_said() -> None:
    """The least that is wanted, in the figures that were kept."""
    kept = json.loads(students.FILE.read_text())
    assert kept["environment"]["device_model"].split()[0] in README
    for student, least in LEAST.items():
        assert all(ratio >= wanted for ratio, wanted in zip(reached(kept["students"][student]), least, strict=True))
    equal = json.loads(equality.FILE.read_text())
    assert equal.keys() == LEAST.keys()
    for figures in equal.values():
        assert min(len(figures["plain"]), len(figures["fast"])) >= 10
        _, low, high = equality.difference(figures["fast"], figures["plain"])
        assert -equality.MARGIN <= low <= high <= equality.MARGIN


def test_the_two_commands_differ_in_what_they_install() -> None:
    """Both are run as they stand by ``.ci/run``."""
    (run,), (tests,) = block("run"), block("tests")
    assert run.endswith("&& .venv/bin/ddbench run suites/smoke.yaml")
    assert tests.endswith("&& .venv/bin/pytest")
