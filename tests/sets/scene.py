"""A finished suite of the example plug-in, and suites that read its exported sets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddbench.api import tensor_digest
from ddbench.plan.state import plan_suite
from tests.in_process import ddbench
from tests.run.runs import run_in_process

SETTINGS = {
    "dataset": "dots",
    "protocol": "smoke@1",
    "evaluator": "nearest-mean",
    "ipc": [2],
    "students": ["pixels"],
}
HEAD = "\n".join(["suite: exported", *(f"{key}: {json.dumps(value)}" for key, value in SETTINGS.items()), ""])
SUITE = f"""\
{HEAD}\
seeds: {{generation: [0, 1], training: [0, 1]}}
scorers:
  teacher: colour
methods:
  Noise: {{generator: noise, selector: first}}
  Real: {{generator: real, selector: first}}
  Doubt:
    generator: noise
    selector: brightest
    refiner: doubt
    labels: {{use: soft, teacher: teacher, tau: 1.5}}
    protocol: smoke-kd@1
"""


@dataclass
class Finished:
    """A finished suite.

    Attributes:
        suite: its file.
        store: its store.
    """

    suite: Path
    store: Path

    def sets(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code and output of the verb."""
        ended = ddbench("sets", str(self.suite), *arguments, "--store", str(self.store))
        return ended.returncode, ended.stdout, ended.stderr

    def write(self, folder: Path, *arguments: str) -> Path:
        """Write a set and return its folder."""
        code, _, err = self.sets(*arguments, "--to", str(folder))
        assert code == 0, err
        return folder

    def distilled(self, method: str, seed: int = 0) -> dict[str, Any]:
        """Return the digests of a row's set: of everything, and of its images and labels."""
        _, state = plan_suite(self.suite, self.store)
        wanted = (method, seed)
        key = next(key for cell, key in state.graph.cells if (cell.row.name, cell.generation_seed) == wanted)
        distilled = str(state.graph.nodes[key].inputs.distilled)
        artifact = state.store.artifact(state.action_keys[distilled])
        tensors = {name: tensor_digest(artifact.tensor(name)) for name in ("images", "labels")}
        return {"whole": state.digests[distilled], **tensors, "ids": artifact.content()["ids"]}


def read_back(folder: Path, generator: dict[str, str]) -> Finished:
    """Run a suite that selects the first images of an exported set."""
    suite = {
        **SETTINGS,
        "suite": "back",
        "generators": {"exported": generator},
        "methods": {"Back": {"generator": "exported", "selector": "first"}},
    }
    made = Finished(folder / "back.yaml", folder / "store")
    folder.mkdir()
    made.suite.write_text(json.dumps(suite))
    ended = run_in_process(made.suite, made.store)
    assert ended.returncode == 0, ended.stderr
    return made
