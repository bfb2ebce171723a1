"""A run under a local protocol: its records, its tables and its exports."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Cli
from tests.run.runs import state_of

SUITE = """\
suite: local
dataset: dots
protocol: ./mine@1.yaml
evaluator: nearest-mean
ipc: [1]
students: [pixels]
methods:
  mine: {generator: real, selector: first}
  known: {generator: real, selector: first, protocol: smoke@1}
"""
MINE = "extends: smoke@1\nepochs: 3\n"
TOLD = "smoke@1 with epochs 3"


def test_tables_records_and_exports_say_local(tmp_path: Path, cli: Cli) -> None:
    suite, mine = tmp_path / "suite.yaml", tmp_path / "mine@1.yaml"
    suite.write_text(SUITE)
    mine.write_text(MINE)
    planned = cli("plan", "suite.yaml")
    assert f"protocol mine@1 (local): {TOLD}; in records local-" in planned.stdout
    (told,) = json.loads(cli("plan", "suite.yaml", "--json").stdout)["local_protocols"].values()
    described = json.loads(cli("describe", "./mine@1.yaml", "--json").stdout)
    assert described["changes"] == TOLD
    ended = cli("run", "suite.yaml")
    assert ended.returncode == 0, ended.stderr
    assert "protocol mine@1 (local), smoke@1, numerics" in ended.stdout
    assert f"- protocol `mine@1 (local)`: {TOLD}; in records {described['id']}" in ended.stdout
    state = state_of(suite, tmp_path / ".ddbench")
    of_row = {cell.row.name: state.results[key][0].protocol for cell, key in state.graph.cells}
    content = {key: value for key, value in described.items() if key not in ("id", "summary", "changes")}
    assert of_row["mine"] is not None
    assert of_row["known"] is not None
    assert (of_row["mine"].id, of_row["mine"].content) == (described["id"], content)
    assert (of_row["known"].id, of_row["known"].content) == ("smoke@1", None)
    assert cli("export", "suite.yaml", "--to", "out").returncode == 0
    before = cli("report", "suite.yaml").stdout
    mine.unlink()
    after = cli("report", "out/local")
    assert after.stdout == before, after.stderr
    gone = cli("report", "suite.yaml")
    assert gone.returncode == 2
    assert gone.stderr.startswith("error: suite.yaml:3:1: the file mine@1.yaml does not exist; ")
    exported = json.loads((tmp_path / "out" / "local" / "suite.json").read_text())
    assert exported["values"]["protocol"] == {"name": "mine@1", "extends": "smoke@1", "epochs": 3}
    assert told in json.dumps(exported["protocols"])
    suite.write_text(SUITE.replace("./mine@1.yaml", "{extends: smoke@1, epochs: 3}"))
    assert "0 nodes to run" in cli("plan", "suite.yaml").stdout, "equal content has equal keys"
