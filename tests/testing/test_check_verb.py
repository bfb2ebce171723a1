"""`ddbench check` and its pytest plug-in, and the mistakes of a first component that they tell in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli

SELECTOR = '''\
from ddbench import Selector, component


@component("selector", "mine", version=1)
class Mine(Selector):
    """Select the first images."""

    def select_class(self, pool, ipc, ctx):
        return range(ipc)
'''


def test_a_good_file_passes_each_check(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SELECTOR)
    done = cli("check", "mine.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "selector/mine"
    assert "  exact IPC ok" in done.stdout.splitlines()
    assert "FAILED" not in done.stdout


def test_a_crash_is_a_failure_with_its_place(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SELECTOR.replace("return range(ipc)", "return ipc / 0"))
    done = cli("check", "mine.py", "--json")
    assert done.returncode == 1
    found = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert found["exact IPC"] == {
        "component": "selector/mine",
        "check": "exact IPC",
        "outcome": "failed",
        "reason": "ZeroDivisionError: division by zero",
        "place": "mine.py:9",
        "fix": "return exactly `ipc` different positions below `len(pool)`",
    }
    assert found["seeded"]["outcome"] == "skipped"
    assert found["seeded"]["reason"] == "needs 'exact IPC'"


@pytest.mark.parametrize("target", ["selector/careless", "careless"])
def test_a_name_is_a_target(target: str, cli: Cli) -> None:
    done = cli("check", target)
    assert done.returncode == 1
    assert "exact IPC FAILED: " in done.stdout
    assert "chose the same sample twice" in done.stdout


@pytest.mark.parametrize("target", ["carelss", "absent.py", "selector/absent"])
def test_an_absent_target_is_a_mistake(target: str, cli: Cli) -> None:
    done = cli("check", target)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


BREAKS = {
    "no annotation": (
        ("def select", "class Params(__import__('ddbench').Params):\n        width = 3\n\n    def select"),
        ["mine.py: cannot be loaded: mine.py:8: ", "width = 3", "require a type annotation"],
    ),
    "wrong signature": (
        ("pool, ipc, ctx", "pool, ipc"),
        [
            "mine.py:8: Mine.select_class(self, pool, ipc) has the wrong arguments",
            "write select_class(self, pool, ipc, ctx)",
        ],
    ),
    "wrong name": (
        ("select_class", "select_clas"),
        ["mine.py:4: ", "Mine: does not implement select_class or choose; rename 'select_clas' to 'select_class'"],
    ),
    "async": (
        ("    def select", "    async def select"),
        ["mine.py:8: Mine.select_class is async, and nothing awaits it; write `def`"],
    ),
    "an attribute hides a method": (
        ("    def select_class", "    choose = 3\n\n    def select_class"),
        ["mine.py:4: Mine.choose hides the method choose of selectors; give the attribute another name"],
    ),
    "a parameter hides a method": (
        ("    def select_class", "    choose: int = 3\n\n    def select_class"),
        ["mine.py:4: Mine.choose hides the method choose of selectors; give the attribute another name"],
    ),
    "wrong kind": (
        ('"selector", "mine"', '"scorer", "mine"'),
        ["mine.py:4: ", "Mine: declared as a scorer, but the class does not derive from that kind"],
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_told_in_one_line(name: str, cli: Cli, tmp_path: Path) -> None:
    (before, after), said = BREAKS[name]
    (tmp_path / "mine.py").write_text(SELECTOR.replace(before, after))
    done = cli("check", "mine.py")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    for part in said:
        assert part in done.stderr
    assert "further information" not in done.stderr


def test_none_instead_of_positions_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SELECTOR.replace("return range(ipc)", "range(ipc)"))
    done = cli("check", "mine.py")
    assert done.returncode == 1
    assert "exact IPC FAILED: mine.py:8: returned NoneType, not positions, for class 'class 0'" in done.stdout


@pytest.mark.parametrize(
    ("positions", "said"),
    [
        ("[True] * ipc", "chose True, which is not a position,"),
        ("[i + 0.5 for i in range(ipc)]", "chose 0.5, which is not a position,"),
        ("[f'a{i}' for i in range(ipc)]", "chose 'a0', which is not a position,"),
        ("[-1 - i for i in range(ipc)]", "chose a position outside 0…19"),
        ("(i for i in range(ipc))", "returned generator, not positions,"),
    ],
)
def test_what_is_no_position_is_told(positions: str, said: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SELECTOR.replace("range(ipc)", positions))
    done = cli("check", "mine.py")
    assert done.returncode == 1
    assert f"exact IPC FAILED: mine.py:8: {said} for class 'class 0'" in done.stdout


@pytest.mark.parametrize("positions", ["numpy.arange(ipc)", "torch.arange(ipc)", "list(numpy.arange(ipc))"])
def test_whole_numbers_of_numpy_and_torch_are_positions(positions: str, cli: Cli, tmp_path: Path) -> None:
    text = SELECTOR.replace("return range(ipc)", f"import numpy, torch\n        return {positions}")
    (tmp_path / "mine.py").write_text(text)
    assert "  exact IPC ok" in cli("check", "mine.py").stdout


def test_pytest_has_an_item_for_each_check(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SELECTOR.replace("ipc, ctx):", "ipc, ctx):\n        ctx.seed"))
    command = [sys.executable, "-m", "pytest", "-p", "ddbench.pytest_plugin", "--ddbench-check", "mine.py", "-q", "-rA"]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stdout
    assert "PASSED mine.py::selector/mine::exact IPC" in done.stdout
    assert "FAILED mine.py::selector/mine::seeded" in done.stdout
    assert "mine.py:9: uses the seed, but does not declare it" in done.stdout
