"""The schema of suites accepts what ddbench accepts, and names most mistakes. check-jsonschema is the judge."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ddbench import catalogue
from ddbench.suite.schema import suite_schema
from ddbench.suite.shipped import shipped_suites
from tests.conftest import Cli
from tests.suite.suites import write
from tests.suite.test_mistakes import NAMES, STRUCTURE

# Parts of the messages about mistakes that a schema cannot tell, or that an editor reads otherwise.
UNTOLD = (
    "`<<` merges",  # no YAML of any meaning
    "is 1.0: input should be a valid integer",  # JSON has one kind of number
    "'methods.1' is 1",  # the keys of JSON are text
    "nan is not",
    "has the name of another generator",
    "occurs twice; remove one or rename it",
    "'real + first' occurs twice",
    "there is no generator 'reel'",  # it could be a variant
    "there is no generator 'nois'; did you mean 'noise'?",
    "there is no student 'convnet'; did you mean",  # in a parameter
    "there is no protocol 'smoke'; did you mean",
    "the field 'optimizer.momentun' is unknown",  # in a section of a protocol
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(suite_schema(catalogue())))
    return made


def refused(schema: dict[str, Any], files: Iterable[Path], folder: Path) -> set[str]:
    """Return the files that check-jsonschema refuses."""
    path = folder / "schema.json"
    path.write_text(json.dumps(schema))
    command = [sys.executable, "-m", "check_jsonschema", "-o", "json", "--schemafile", str(path), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    report = json.loads(done.stdout)
    assert report.get("parse_errors", []) == []
    return {error["filename"] for error in report.get("errors", [])}


def test_it_accepts_every_shipped_suite(schema: dict[str, Any], tmp_path: Path) -> None:
    files = shipped_suites().values()
    assert len(files) > 20
    assert refused(schema, files, tmp_path) == set()


def test_it_names_mistakes(schema: dict[str, Any], tmp_path: Path) -> None:
    wrong, right = {}, tmp_path / "right.yaml"
    write(tmp_path, "", name=right.name)
    for number, (text, said) in enumerate([*STRUCTURE, *NAMES]):
        if not any(words in said for words in UNTOLD):
            wrong[str(write(tmp_path, text, name=f"{number}.yaml")[0])] = text
    assert len(wrong) > 60
    found = refused(schema, [*map(Path, wrong), right], tmp_path)
    assert [text for file, text in wrong.items() if file not in found] == []
    assert str(right) not in found


def test_a_use_has_the_parameters_of_its_component(schema: dict[str, Any]) -> None:
    uses = {use["properties"]["use"]["const"]: use for use in schema["$defs"]["selector"]["anyOf"][1:]}
    assert set(uses) == {cls.info.name for cls in catalogue().components("selector")}
    k_center = catalogue().get("selector", "k-center").Params.model_fields
    assert list(uses["k-center"]["properties"]) == ["use", *k_center]
    assert {"k-center", "brightest"} <= set(schema["$defs"]["selector"]["anyOf"][0]["enum"])


def test_it_has_the_components_of_a_file(schema: dict[str, Any], cli: Cli, tmp_path: Path) -> None:
    cli("new", "selector", "own-one")
    made = cli("schema", "--plugin", "own_one.py")
    assert (made.returncode, made.stderr) == (0, "")
    assert refused(json.loads(made.stdout), [tmp_path / "own-one.yaml"], tmp_path) == set()
    assert refused(schema, [tmp_path / "own-one.yaml"], tmp_path) != set()
