"""A broken plug-in stops no verb that does not need it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import forked
from tests.registry.packages import PROTOCOLS, package, selector

Ddbench = Callable[..., "subprocess.CompletedProcess[str]"]
SUITE = """\
suite: broken
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
methods:
  One: {generator: real, selector: NAME}
"""
COST = """
    def cost(self, work):
        return 1 / 0
"""
GENERATOR = (
    selector("costly")
    .replace("selector", "evaluator")
    .replace("Selector", "Evaluator")
    .replace("select_class", "evaluate")
    .replace("pool, ipc, ctx", "distilled, dataset, student, protocol, teacher, ctx")
)


@pytest.fixture
def ddbench(tmp_path: Path) -> Ddbench:
    """Return a function that runs the command line beside one whole and several broken plug-ins."""
    folder = tmp_path / "plugins"
    package(folder, "bad_syntax", {"m.py": "\ndef\n"})
    package(folder, "bad_empty", {"__init__.py": ""})
    package(folder, "bad_twice", {"m.py": selector("first"), "n.py": selector("whole")})
    package(folder, "bad_torch", {"m.py": "import torch\n" + selector("heavy")})
    package(folder, "bad_protocol", {"__init__.py": PROTOCOLS, "own@1.yaml": "batch_size: many\n"})
    package(folder, "bad_schema", {"m.py": GENERATOR + COST})
    paths = [str(folder), os.environ["PYTHONPATH"]]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "DDBENCH_HOME": str(tmp_path / "store")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*forked.command(), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert "Traceback" not in done.stderr
        return done

    return run


TOLD = (
    "plug-in 'plugin' (bad_syntax 1.0) cannot be loaded: m.py:2: SyntaxError: invalid syntax",
    "plug-in 'plugin' (bad_empty 1.0) has no components; return them from the hook ddbench_components",
    "selector 'first' is declared twice: by ddbench ",
    "protocol 'own@1': ",
)


def suite(folder: Path, name: str, evaluator: str = "nearest-mean") -> str:
    (folder / "suite.yaml").write_text(SUITE.replace("NAME", name).replace("nearest-mean", evaluator))
    return "suite.yaml"


def test_list_and_doctor_go_on_and_tell(ddbench: Ddbench) -> None:
    listed, checked = ddbench("list"), ddbench("doctor")
    assert (listed.returncode, checked.returncode) == (0, 1)
    assert "whole" in listed.stdout
    for line in TOLD:
        assert line in listed.stderr
        assert line[:60] in " ".join(checked.stdout.split())


def test_describe_shows_what_is_whole_and_what_is_heavy(ddbench: Ddbench) -> None:
    for name in ("whole", "heavy", "first"):
        assert f"selector {name}, version 1" in ddbench("describe", name).stdout


def test_only_a_suite_that_needs_the_broken_one_is_refused(ddbench: Ddbench, tmp_path: Path) -> None:
    assert ddbench("plan", suite(tmp_path, "whole")).returncode == 0
    twice = ddbench("plan", suite(tmp_path, "first"))
    assert twice.returncode == 2
    assert "selector 'first' is declared twice: by ddbench" in twice.stderr
    assert "by bad_twice 1.0" in twice.stderr
    gone = ddbench("plan", suite(tmp_path, "missing"))
    assert gone.returncode == 2
    assert "m.py:2: SyntaxError: invalid syntax" in gone.stderr


def test_a_broken_cost_leaves_the_estimate_unknown(ddbench: Ddbench, tmp_path: Path) -> None:
    planned = ddbench("plan", suite(tmp_path, "whole", "costly"))
    assert planned.returncode == 0, planned.stderr
    line = "evaluator 'costly' has a broken cost: m.py:13: ZeroDivisionError: division by zero"
    assert planned.stderr.count(line) == 1
