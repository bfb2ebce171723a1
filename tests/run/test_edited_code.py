"""An edited plug-in is computed again; a released one that changed under its version stops the run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import forked
from tests.registry.packages import package, selector
from tests.run.runs import read_events

SUITE = """\
suite: edited
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
methods:
  Edited: {generator: real, selector: edited}
"""


@pytest.fixture
def ddbench(tmp_path: Path) -> object:
    """Return a function that runs the command line with a folder of plug-ins on Python's path."""
    (tmp_path / "suite.yaml").write_text(SUITE)
    paths = [str(tmp_path / "plugins"), os.environ["PYTHONPATH"]]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "DDBENCH_HOME": str(tmp_path / "store")}

    def run(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*forked.command(), verb, "suite.yaml", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)

    return run


def plugin(folder: Path, *, released: bool) -> Path:
    """Write a plug-in with the selector ``edited``; return its file."""
    folder = folder / "plugins"
    package(folder, "ddbench_test_edited", {"chooser.py": selector("edited")}, released=released)
    return folder / "ddbench_test_edited" / "chooser.py"


def edit(file: Path) -> None:
    file.write_text(file.read_text().replace("range(ipc)", "range(1, 1 + ipc)"))


def test_an_edited_plug_in_is_computed_again(tmp_path: Path, ddbench) -> None:  # type: ignore[no-untyped-def]
    file = plugin(tmp_path, released=False)
    assert "1 select" in ddbench("run").stderr
    assert "ran nothing" in ddbench("run").stderr
    edit(file)
    assert "so its outputs are made again: 1 select, 1 distill, 1 evaluate\n" in ddbench("plan").stderr
    assert "code changed: its selector was edited" in " ".join(ddbench("why", "select").stdout.split())
    again = ddbench("run")
    assert again.returncode == 0, again.stderr
    assert "1 select" in again.stderr


STUDENT = (
    "from ddbench import Student, component\n\n\n"
    '@component("student", "edited-student", version=1)\nclass Edited(Student):\n    """Nothing is learnt."""\n\n'
    "    def build(self, num_classes, image_size, channels=3):\n"
    "        import torch\n\n        return torch.nn.Flatten()\n"
)


def test_an_edited_student_is_why_its_training_runs_again(tmp_path: Path, ddbench) -> None:  # type: ignore[no-untyped-def]
    package(tmp_path / "plugins", "ddbench_test_student", {"chooser.py": STUDENT}, released=False)
    file = tmp_path / "plugins" / "ddbench_test_student" / "chooser.py"
    text = SUITE.replace("[pixels]", "[edited-student]").replace("selector: edited", "selector: first")
    (tmp_path / "suite.yaml").write_text(text)
    assert "1 evaluate" in ddbench("run").stderr
    assert "no stored result has its recipe" not in ddbench("why", "evaluate").stdout
    file.write_text(f"{STUDENT}\n    def forward(self):\n        return 1\n")
    told = " ".join(ddbench("why", "evaluate").stdout.split())
    assert "code changed: its student was edited after the stored" in told
    (tmp_path / "suite.yaml").write_text(text.replace("smoke@1", "minimax-hard@1"))
    assert "no stored result has its recipe" in " ".join(ddbench("why", "evaluate").stdout.split())


def test_a_released_one_stops_the_run_until_the_drift_is_accepted(tmp_path: Path, ddbench) -> None:  # type: ignore[no-untyped-def]
    edit_me = plugin(tmp_path, released=True)
    assert ddbench("run").returncode == 0
    edit(edit_me)
    stopped = ddbench("run")
    assert stopped.returncode == 2
    last = stopped.stderr.strip().splitlines()[-1]
    assert "the code of selector 'edited' has changed since its version 1 made stored outputs" in last
    assert last.endswith("raise its version, or use the stored outputs with --accept-drift edited")
    accepted = ddbench("run", "--accept-drift", "edited")
    assert accepted.returncode == 0, accepted.stderr
    (event,) = (event for event in read_events(tmp_path / "store") if event["event"] == "drift accepted")
    assert (event["kind"], event["name"], event["version"]) == ("selector", "edited", 1)
    assert event["stored"] != event["current"]

    # Accepted drift is in the records of new work.
    (tmp_path / "suite.yaml").write_text(SUITE.replace("ipc: [1]", "ipc: [1, 2]"))
    assert ddbench("run", "--accept-drift", "selector/edited").returncode == 0
    records = [json.loads(path.read_text()) for path in (tmp_path / "store" / "results").glob("*/*/*.json")]
    hashes_of = [o.get("accepted_drift") for r in records for o in r.get("lineage", ()) if o["name"] == "edited"]
    assert sorted(hashes_of, key=bool)[0] is None, "the first result was made without drift"
    (hashes,) = (found for found in hashes_of if found)
    assert [len(found) for found in hashes] == [64]


MEANINGLESS = {
    "undeclared": (
        "return ctx.rng(1).permutation(len(pool))[:ipc]",
        "uses the seed, but does not declare it; declare `seeded = True`",
    ),
    "global": (
        "import random; return random.sample(range(len(pool)), ipc)",
        "draws from the global generator of random",
    ),
    "infinite": (
        "from ddbench import Chosen; return Chosen(range(ipc), scores=[float('nan')] * ipc)",
        "gave NaN or infinite scores",
    ),
}


def test_selections_that_mean_nothing_fail(tmp_path: Path, ddbench) -> None:  # type: ignore[no-untyped-def]
    bodies = {name: body for name, (body, _) in MEANINGLESS.items()}
    files = {f"{name}_.py": selector(name).replace("return range(ipc)", body) for name, body in bodies.items()}
    package(tmp_path / "plugins", "ddbench_test_edited", files)
    methods = "".join(f"  {name}: {{generator: real, selector: {name}}}\n" for name in MEANINGLESS)
    (tmp_path / "suite.yaml").write_text(SUITE.partition("  Edited:")[0] + methods)
    ended = ddbench("run")
    assert ended.returncode == 2
    for name, (_, line) in MEANINGLESS.items():
        assert f"selector '{name}' {line}" in ended.stderr
