"""Suites that extend another: only differences are said, and mistakes are placed in the right file."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from ddbench.errors import SuiteError
from ddbench.suite import ResolvedSuite, load_suite
from tests.suite.suites import write


def extended(folder: Path, base: str, text: str) -> ResolvedSuite:
    write(folder, base, name="base.yaml")
    path = folder / "suite.yaml"
    path.write_text(text)
    return load_suite(path)


def test_an_extending_suite_says_only_what_differs(tmp_path: Path) -> None:
    base = """
ipc: [1, 2, 3]
seeds: {selection: [5, 6], training: [0, 1]}
generators: {loud: {use: noise, block: 2}, soft: {use: noise, block: 1}}
methods:
  A: {generator: loud, selector: first, pool: 4}
  B: {generator: soft, selector: random}
"""
    text = """
extends: base.yaml
suite: longer
ipc: [3]
seeds: {training: [7]}
generators: {soft: {use: noise, block: 3}}
methods:
  A: {generator: loud, selector: random}
  C: {generator: soft, selector: first}
"""
    suite = extended(tmp_path, base, text)
    assert suite.name == "longer"
    cells = {(c.row.name, c.ipc, c.selection_seed, c.training_seed) for c in suite.cells}
    assert cells == set(product("ABC", [3], [5, 6], [7]))
    rows = {cell.row.name: cell.row for cell in suite.cells}
    assert rows["A"].selector.label == "random"
    assert rows["A"].pool.count(3) == 12, "an entry is replaced whole"
    assert rows["B"].generator.component.block == rows["C"].generator.component.block == 3
    assert "extends" not in suite.values
    assert suite.values["seeds"] == {"selection": [5, 6], "training": [7]}
    assert suite.values["dataset"] == "dots"


def test_the_base_is_not_touched(tmp_path: Path) -> None:
    write(tmp_path, "seeds: {training: [1]}", name="base.yaml")
    before = load_suite(tmp_path / "base.yaml").values
    extended(tmp_path, "seeds: {training: [1]}", "extends: base.yaml\nseeds: {selection: [2]}\n")
    assert load_suite(tmp_path / "base.yaml").values == before


@pytest.mark.parametrize(
    ("base", "text", "message"),
    [
        ("§studnets: 3", "suite: x\nextends: base.yaml\n", "base.yaml:1:1: unknown key 'studnets'"),
        ("suite: b", "suite: x\nextends: base.yaml\nstudnets: 3\n", "suite.yaml:3:1: unknown key 'studnets'"),
        ("ipc: [1, two]", "extends: base.yaml\n", "base.yaml:1:10: 'ipc.1' is 'two'"),
        ("ipc: [1, two]", "extends: base.yaml\nipc: [1, 2, three]\n", "suite.yaml:2:13: 'ipc.2' is 'three'"),
        (
            "methods:\n  A: {generator: real, selector: first}\n",
            "extends: base.yaml\nmethods:\n  A: {generator: real}\n",
            "suite.yaml:3:3: the key 'methods.A.selector' is missing",
        ),
        (
            "methods:\n  A: {generator: reel, selector: first}\n",
            "extends: base.yaml\nmethods:\n  B: {generator: real, selector: first}\n",
            "base.yaml:2:7: there is no generator 'reel'",
        ),
        ("extends: other.yaml", "suite: x\nextends: base.yaml\n", "suite.yaml:2:1: 'base.yaml' extends another"),
        ("suite: b", "suite: x\nextends: none.yaml\n", "suite.yaml:2:1: the file "),
        ("suite: b", "suite: x\nextends: [base.yaml]\n", "suite.yaml:2:1: 'extends' must be the path of a suite file"),
        ("suite: b", "suite: x\nextends: suite.yaml\n", "suite.yaml:2:1: 'suite.yaml' extends another suite"),
        ("a: b: c\n", "extends: base.yaml\n", "base.yaml:1:5: not valid YAML"),
    ],
)
def test_mistakes_are_placed_in_the_file_that_makes_them(tmp_path: Path, base: str, text: str, message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        extended(tmp_path, base, text)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(caught.value)
