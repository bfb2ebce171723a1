"""The JSON of each verb has the schema that ``ddbench schema VERB`` prints. jsonschema is the judge."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # check-jsonschema brings it

from ddbench.cli.json_types import OUTPUTS, output_schema
from ddbench.cli.verbs import VERBS, verb
from ddbench.run.events import LOG_NAME, EventLog
from ddbench.store import Store
from ddbench.suite import shipped
from tests.conftest import EXAMPLE_SUITE, ROOT, Cli
from tests.in_process import ddbench
from tests.run.test_overview import going_on, job, overview

SUITE = "example.yaml"
BOARD = str(ROOT / "leaderboard" / "results" / "cifar10-mini")
SMALL = EXAMPLE_SUITE.replace("ipc: [1, 2]", "ipc: [1]").replace(
    "first, random, k-center, herding, brightest", "first, random"
)
ROWS = (f"{SUITE}:real + first", "real + random")
CASES = {
    "check": ["check", "selector/first"],
    "check, failed": ["check", "broken.py"],
    "compare": ["compare", *ROWS],
    "describe": ["describe", "selector/k-center"],
    "describe, several": ["describe", "trained-teacher"],
    "describe, a protocol": ["describe", "minimax-hard@1"],
    "describe, an own protocol": ["describe", "./own@1.yaml"],
    "doctor": ["doctor"],
    "gc": ["gc"],
    "list": ["list"],
    "plan": ["plan", SUITE],
    "report": ["report", SUITE],
    "report of a board": ["report", BOARD],
    "status": ["status", SUITE],
    "suites": ["suites"],
    "verify": ["verify"],
    "why": ["why", SUITE],
}
MISTAKES = {
    "check": ["check", "nothing.py"],
    "compare": ["compare", "one", "two"],
    "describe": ["describe", "k-centre"],
    "gc": ["gc", "--store", "none"],
    "list": ["list", "selectr"],
    "plan": ["plan", "none.yaml"],
    "report": ["report", "none.yaml"],
    "status": ["status", "none.yaml"],
    "verify": ["verify", "--store", "none"],
    "why": ["why", "none.yaml"],
}
Printed = Callable[[list[str]], Any]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """Return a function that gives the JSON of a verb, in a folder whose suite has run."""
    folder = tmp_path_factory.mktemp("run")
    (folder / SUITE).write_text(SMALL)
    (folder / "own@1.yaml").write_text("extends: smoke@1\nbatch_size: 7\n")
    made = ddbench("new", "selector", "broken", folder=folder)
    assert made.returncode == 0
    (folder / "broken.py").write_text((folder / "broken.py").read_text().replace("[:ipc]", "[:0]"))
    env = {"DDBENCH_HOME": str(folder / ".ddbench")}
    assert ddbench("run", SUITE, folder=folder, env=env).returncode == 0

    def run(arguments: list[str]) -> Any:
        return json.loads(ddbench(*arguments, "--json", folder=folder, env=env).stdout)

    return run


def validator(verb: str) -> Draft202012Validator:
    schema = json.loads(json.dumps(output_schema(verb)))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def mutants(value: Any) -> list[Any]:
    """Return an output with an unknown key, without a key, and with a value of another type."""
    if isinstance(value, list):
        return [[mutant, *value[1:]] for mutant in mutants(value[0])]
    first = next(iter(value))
    return [{**value, "unknown": 1}, {key: value[key] for key in value if key != first}, {**value, first: [[[]]]}]


@pytest.mark.parametrize("case", CASES)
def test_an_output_has_its_schema_and_its_mutants_have_not(
    case: str, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "shipped_suites", dict([next(iter(shipped.shipped_suites().items()))]).copy)
    value, judge = printed(CASES[case]), validator(CASES[case][0])
    assert "error" not in value
    judge.validate(value)
    assert [mutant for mutant in mutants(value) if judge.is_valid(mutant)] == []


@pytest.mark.parametrize("verb", MISTAKES)
def test_a_mistake_has_the_schema_of_the_verb_and_of_errors(verb: str, printed: Printed) -> None:
    value = printed(MISTAKES[verb])
    for judge in (validator(verb), validator("error")):
        judge.validate(value)
        assert [mutant for mutant in mutants(value) if judge.is_valid(mutant)] == []
        assert not judge.is_valid({"error": {**value["error"], "unknown": 1}})


def test_the_status_of_a_live_run_has_a_schema(cli: Cli, example_suite: Path, tmp_path: Path) -> None:
    root = Store.open(tmp_path / ".ddbench").root
    with going_on(root, "example") as folder:
        EventLog(folder / LOG_NAME).add("run", suite="example", nodes=10, cells=3)
        view, _ = overview(folder)
        view.started(job(label="one"))
        view.update(["a", "b"])
        value, judge = json.loads(cli("status", str(example_suite), "--json").stdout), validator("status")
    judge.validate(value)
    assert value["run"]["overview"]["running"][0]["label"] == "one"
    for wrong in mutants(value["run"]["overview"]):
        assert not judge.is_valid({**value, "run": {**value["run"], "overview": wrong}})


def test_every_verb_with_json_has_a_schema_and_an_output_here() -> None:
    verbs = {name for name in VERBS if "json" in inspect.signature(verb(name)).parameters}
    assert OUTPUTS.keys() == verbs | {"error"}
    assert {case.partition(",")[0].split()[0] for case in CASES} == verbs


def test_the_verb_prints_it(tmp_path: Path) -> None:
    for name in OUTPUTS:
        assert json.loads(ddbench("schema", name, folder=tmp_path).stdout) == json.loads(
            json.dumps(output_schema(name))
        )
    wrong = ddbench("schema", "plans", folder=tmp_path)
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "error: there is no verb 'plans' with --json; did you mean 'plan'?\n",
    )


def no_open_object(schema: Any) -> bool:
    """Return whether each object with known keys refuses others."""
    if isinstance(schema, list):
        return all(map(no_open_object, schema))
    if not isinstance(schema, dict):
        return True
    closed = "properties" not in schema or schema.get("additionalProperties") is False
    return closed and all(map(no_open_object, schema.values()))


@pytest.mark.parametrize("verb", OUTPUTS)
def test_no_object_is_open(verb: str) -> None:
    assert no_open_object(output_schema(verb))
