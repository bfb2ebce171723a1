"""`ddbench plan` and what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Cli


def test_the_verb_says_it_in_words_and_as_json(cli: Cli, example_suite: Path) -> None:
    shown = cli("plan", str(example_suite), "--device", "a100").stdout
    assert "A100" in shown
    assert "40 students" in shown
    assert "sharing: 12.8× fewer images than with one pool per cell (24, not 306)" in shown
    found = json.loads(cli("plan", str(example_suite), "--json", "--device", "a100").stdout)
    assert found["device"]["name"] == "a100"
    assert found["sharing"] == {"images": 24, "one_pool_a_cell": 306, "factor": 12.75}
    generate = next(stage for stage in found["stages"] if stage["stage"] == "generate")
    assert (generate["images"], generate["flops"], generate["hours"]) == (24 + 36, 0, 0)
    assert generate["nodes_unknown"]["flops"] == 2
    assert found["nodes_unknown"]["flops"] == sum(stage["nodes_unknown"]["flops"] for stage in found["stages"])
    assert found["missing"] == []
    assert "\ndistilled sets of each row and IPC: " in shown
    assert {row: set(own) for row, own in found["sets"].items()}.popitem()[1] == {"1", "2"}


def test_the_help_tells_which_device_is_taken(cli: Cli) -> None:
    shown = " ".join(cli("plan", "--help").stdout.replace("│", " ").split())
    assert "[default: (the device with most timings, else the device of `ddbench run`)]" in shown


def test_an_unknown_device_ends_with_2_and_one_line(cli: Cli, example_suite: Path) -> None:
    ended = cli("plan", str(example_suite), "--device", "a10")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "'a10'; did you mean 'a100'?" in ended.stderr


def test_pretrained_components_are_planned_without_torch_data_or_weights(tmp_path: Path) -> None:
    suite = ROOT / "suites" / "ablations" / "psr-refine.yaml"
    code = (
        "import sys\nfrom ddbench.cli import app\n"
        f"try:\n    app(['plan', {str(suite)!r}, '--store', {str(tmp_path / 'none')!r}])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'torchvision', 'diffusers', 'timm', 'open_clip', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    env = {"DDBENCH_DATA": str(tmp_path / "data"), "HF_HOME": str(tmp_path / "hub"), "PATH": ""}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
    assert ended.returncode == 0, ended.stderr
    assert "to fetch: imagewoof" in ended.stdout
    assert "of timm/convnext_base.fb_in1k; run `ddbench fetch SUITE`, or" in ended.stdout


RUN = """\
suite: timed
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [{ipc}]
students: [pixels]
scorers: {{teacher: colour}}
methods:
  A: {{generator: noise, selector: k-center, pool: 2x}}
"""


def test_what_a_run_took_is_what_the_next_plan_rests_on(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(RUN.format(ipc=1))
    (tmp_path / "large.yaml").write_text(RUN.format(ipc=6))
    assert cli("run", "small.yaml", "--device", "cpu").returncode == 0
    found = json.loads(cli("plan", "large.yaml", "--json").stdout)
    assert found["device"]["name"] == "cpu"
    by_stage = {stage["stage"]: stage for stage in found["stages"]}
    for stage in ("dataset", "fit", "generate", "score"):
        assert by_stage[stage]["estimated_from"] == ["recorded timings"]
        assert by_stage[stage]["memory_bytes"]["process"] > 2**20
        assert by_stage[stage]["memory_bytes"]["tensors"] is None
    assert by_stage["generate"]["hours"] == pytest.approx(1.5 * by_stage["generate"]["hours_left"])
    assert by_stage["evaluate"]["estimated_from"] == ["recorded timings"], "by what the data set's node has stored"
