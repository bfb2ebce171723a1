"""A set that was imported, with float images and soft labels, is the same after export and import."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.run.runs import run_in_process
from tests.run.test_imported import SUITE, write_pool
from tests.sets.scene import HEAD, Finished

EXPORTED = f"""\
{HEAD}\
scorers: {{teacher: colour}}
methods:
  stored: {{generator: real, selector: first, labels: {{use: soft, tau: 1.5}}, protocol: psr-kd@1}}
"""


def test_float_images_and_stored_labels_make_the_round_trip(tmp_path: Path) -> None:
    pool = write_pool(tmp_path / "pool.safetensors", soft=True)
    made = Finished(tmp_path / "imported.yaml", tmp_path / "store")
    made.suite.write_text(SUITE.format(pool=pool, plain=pool))
    assert run_in_process(made.suite, made.store).returncode == 0
    folder = made.write(tmp_path / "out", "stored", "--format", "safetensors")
    again = Finished(tmp_path / "again.yaml", tmp_path / "store-again")
    assert re.search(r"\| teacher +\| Ada ", (folder / "README.md").read_text())
    assert json.loads((folder / "manifest.json").read_text())["soft_labels"]["teacher"] == "Ada"
    back = folder / "set.safetensors"
    again.suite.write_text(SUITE.format(pool=back, plain=back).replace("suite: imported", "suite: again"))
    ended = run_in_process(again.suite, again.store)
    assert ended.returncode == 0, ended.stderr
    assert again.distilled("stored") == made.distilled("stored")
    assert soft(again) == soft(made)
    twice = again.write(tmp_path / "out-again", "stored", "--format", "safetensors")
    assert json.loads((twice / "manifest.json").read_text())["soft_labels"]["teacher"] == "Ada"


def soft(finished: Finished) -> str:
    """Return the digest of the logits that students get."""
    from ddbench.plan.state import plan_suite

    _, state = plan_suite(finished.suite, finished.store)
    key = next(key for cell, key in state.graph.cells if cell.row.name == "stored")
    return state.digests[str(state.graph.nodes[key].inputs.soft)]


@pytest.mark.parametrize("arguments", [(), ("--for", "rded")])
def test_a_folder_gives_ids_and_soft_labels_back(arguments: tuple[str, ...], tmp_path: Path) -> None:
    made = Finished(tmp_path / "exported.yaml", tmp_path / "store")
    made.suite.write_text(EXPORTED)
    assert run_in_process(made.suite, made.store).returncode == 0
    folder = made.write(tmp_path / "out", "stored", *arguments)
    again = Finished(tmp_path / "again.yaml", tmp_path / "store-again")
    layout = ", layout: rded" if arguments else ""
    generators = f"generators: {{mine: {{use: folder, path: {folder}, metadata: true{layout}}}}}\n"
    text = EXPORTED.replace("generator: real", "generator: mine").replace("use: soft", "use: stored")
    again.suite.write_text(generators + text)
    ended = run_in_process(again.suite, again.store)
    assert ended.returncode == 0, ended.stderr
    assert again.distilled("stored") == made.distilled("stored")
    assert soft(again) == soft(made)
