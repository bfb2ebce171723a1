"""The command line as a user meets it: quick without torch, honest with mistakes, JSON where it reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import ddbench
from ddbench.cli import app
from ddbench.cli.fetch import fetch
from tests.conftest import Cli

VERBS = (
    "run",
    "plan",
    "status",
    "why",
    "list",
    "describe",
    "check",
    "fetch",
    "report",
    "export",
    "doctor",
    "gc",
    "suites",
    "init",
)


def without_torch(arguments: list[str], cwd: Path, *, scipy: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a verb in a process that fails if torch has been imported by its end, or scipy if it may not be."""
    code = (
        "import sys\nfrom ddbench.cli import app\n"
        f"try:\n    app({arguments!r})\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"heavy = {{'torch', 'torchvision', 'diffusers', 'timm', 'open_clip', '{'' if scipy else 'scipy'}'}}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["list"],
        ["list", "selector", "--json"],
        ["describe", "k-center"],
        ["describe", "minimax-hard@1"],
        ["plan", "example.yaml", "--json"],
        ["status", "example.yaml"],
        ["why", "example.yaml"],
    ],
    ids=" ".join,
)
def test_reading_imports_no_torch(arguments: list[str], example_suite: Path) -> None:
    ended = without_torch(arguments, example_suite.parent)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout


def test_help_names_every_verb(cli: Cli) -> None:
    shown = cli("--help").stdout
    assert all(verb in shown for verb in VERBS)
    for verb in VERBS:
        ended = cli(verb, "--help")
        assert ended.returncode == 0
        assert ended.stdout.count("--") <= 2 + 12


@pytest.mark.parametrize("verb", VERBS)
def test_help_says_all_that_is_written_for_it(verb: str) -> None:
    """Nothing of it is taken for markup, as what stands in square brackets would be."""
    command: Any = get_command(app)
    command = command.commands[verb]
    shown = " ".join(CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "500"}).output.split())
    defaults = [p.show_default for p in command.params if isinstance(p.show_default, str)]
    written = [command.help, *(p.help for p in command.params), *(f"[default: ({default})]" for default in defaults)]
    for text in written:
        assert " ".join(text.split()) in shown


def test_help_names_the_defaults_of_a_run() -> None:
    shown = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "500"}).output
    for default in ("(DDBENCH_HOME, else .ddbench)", "(the number of cores)", "auto"):
        assert f"[default: {default}]" in shown


def test_list_and_describe_agree(cli: Cli) -> None:
    rows = {f"{row['kind']}/{row['name']}": row for row in json.loads(cli("list", "--json").stdout)}
    for name in ("dataset/tiny-cifar", "selector/k-center", "student/resnet18", "evaluator/nearest-mean"):
        facts = json.loads(cli("describe", name, "--json").stdout)
        assert facts["description"].splitlines()[0] == rows[name]["summary"]
        assert facts["from"] == rows[name]["from"]
    assert "protocol/minimax-hard@1" in rows


def test_a_protocol_is_described_with_the_students_that_it_was_made_with(cli: Cli) -> None:
    assert '"convnet5 (norm=batch) at 128 px"' in cli("describe", "rded-kd@2").stdout
    assert json.loads(cli("describe", "psr-kd@1", "--json").stdout)["students"] == [
        *("convnet6 at 224 px", "resnetap10 at 224 px", "resnet18 at 224 px")
    ]
    assert "students" not in cli("describe", "smoke@1").stdout


def test_parameters_are_described_as_a_suite_spells_them(cli: Cli) -> None:
    shown = cli("describe", "scorer/timm").stdout + cli("describe", "selector/sas").stdout
    for line in (
        "  model: string, required",
        '  classes: "imagenet" | "dataset" | [string, …], default "imagenet"',
        "  mean: [number, number, number] | null, default null",
        "  diversity: boolean, default true",
        "  p: number, default 0.5",
    ):
        assert line in shown.splitlines()


def test_the_plan_counts_what_a_run_does(cli: Cli, example_suite: Path) -> None:
    before = json.loads(cli("plan", str(example_suite), "--json").stdout)
    assert before["cells"] == 40
    assert before["cells_done"] == 0
    nodes = {row["stage"]: row["nodes"] for row in before["stages"]}
    assert all(row["to_run"] == row["nodes"] and row["stored"] == 0 for row in before["stages"])
    # real: one shard; noise: 4 samples a block, 8 candidates a class at IPC 2.
    assert nodes["generate"] == 1 + 2
    assert nodes["select"] == nodes["distill"] == 2 * 5 * 2
    assert cli("run", str(example_suite)).returncode == 0
    after = json.loads(cli("plan", str(example_suite), "--json").stdout)
    assert after["cells_done"] == 40
    assert all(row["to_run"] == 0 and row["stored"] == row["nodes"] for row in after["stages"])
    rows = json.loads(cli("status", str(example_suite), "--json").stdout)["rows"]
    assert all(row["done"] == row["cells"] == 4 for row in rows)
    board = json.loads(cli("report", str(example_suite), "--json").stdout)
    assert len(board["entries"]) == 20
    kept = cli("gc", str(example_suite)).stdout
    assert "would remove the files of 0 artifacts" in kept
    assert "removed the files of" in cli("gc", "--delete").stdout
    assert json.loads(cli("plan", str(example_suite), "--json").stdout)["cells_done"] == 40
    assert "gc removed its files" in cli("why", str(example_suite), "generate", "--json").stdout
    assert "ran nothing" in cli("run", str(example_suite)).stderr


def test_why_names_what_changed(cli: Cli, example_suite: Path) -> None:
    assert cli("run", str(example_suite)).returncode == 0
    text = example_suite.read_text()
    example_suite.write_text(text.replace("teacher: colour", "teacher: {use: colour, seconds: 0.01}"))
    why = json.loads(cli("why", str(example_suite), "fit", "--json").stdout)
    assert [row["why"].split(" in ")[1] for row in why] == ["uses.scorer.params.seconds (0.0 → 0.01)"]
    rows = json.loads(cli("why", str(example_suite), "score", "--json").stdout)
    assert all(
        row["why"] == "runs, unless its inputs turn out the same as before; not made yet: fitted/scorer" for row in rows
    )
    # The scores come out with the same bytes, so nothing below them runs again.
    again = cli("run", str(example_suite))
    assert "ran 1 fit, 1 check, 3 score;" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "missing.yaml"], ["missing.yaml: the file does not exist"]),
        (["run", "example.yaml", "--device", "tpu"], ["there is no device 'tpu'", "auto, cpu or cuda (all GPUs)"]),
        (
            ["run", "example.yaml", "--store", "example.yaml"],
            ["the store cannot be written", "--store or DDBENCH_HOME"],
        ),
        # The system makes no folder there, and says that there is no such file.
        (["run", "example.yaml", "--store", "/proc/x"], ["/proc/x: the store cannot be", "--store or DDBENCH_HOME"]),
        (["report", "example.yaml"], ["suite 'example' has no results in", "ddbench run example.yaml"]),
        (["report", "."], [".: there is no suite.json", "or a folder that `ddbench export` wrote"]),
        (["export", "example.yaml"], ["suite 'example' has no results in", "ddbench run example.yaml"]),
        (["describe", "k-centre"], ["there is no component 'k-centre'", "did you mean 'k-center'?"]),
        (["describe", "zzz"], ["there is no component 'zzz'; see `ddbench list`, and `ddbench doctor` for"]),
        (["list", "selectors"], ["there is no kind 'selectors'", "did you mean 'selector'?"]),
        (["fetch", "cifar-10"], ["there is no dataset 'cifar-10'", "did you mean 'cifar10'?"]),
        (["why", "example.yaml", "nonsense"], ["no node matches 'nonsense'"]),
        (["gc"], ["there is no store"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_a_mistake_is_one_line(cli: Cli, example_suite: Path, arguments: list[str], words: list[str]) -> None:
    ended = cli(*arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("error: ")
    assert all(word in ended.stderr for word in words), ended.stderr
    assert ended.stdout == ""


def test_missing_data_is_said_before_anything_runs(cli: Cli, example_suite: Path, tmp_path: Path) -> None:
    example_suite.write_text(example_suite.read_text().replace("dataset: dots", "dataset: cifar10"))
    ended = cli("run", str(example_suite), env_extra={"DDBENCH_DATA": str(tmp_path / "nowhere")})
    assert ended.returncode == 2
    assert "ddbench fetch cifar10" in ended.stderr
    assert not (tmp_path / ".ddbench").exists()


def test_doctor_finds_nothing_wrong_here(cli: Cli) -> None:
    ended = cli("doctor", "--json")
    assert ended.returncode == 0, ended.stdout
    assert all(finding["mark"] != "!!" for finding in json.loads(ended.stdout))


def test_doctor_says_of_data_that_is_not_all_here_what_it_lacks(cli: Cli, tmp_path: Path) -> None:
    data = tmp_path / "my data"
    for c in ddbench.create("dataset", "imagewoof").classes[1:]:  # type: ignore[attr-defined]
        (data / "imagenet" / "train" / c.wnid).mkdir(parents=True)
    (data / "imagenet" / "val").mkdir()
    ended = cli("doctor", env_extra={"DDBENCH_DATA": str(data)})
    assert ended.returncode == 0, "another suite may need none of it"
    rows = [line.split(maxsplit=4) for line in ended.stdout.splitlines()]
    marks = {row[3]: row[0] for row in rows if row[1:3] == ["data", "set"]}
    absent = ("cifar10", "cifar100", "imageidc", "imagenet100", "imagenette", "imagewoof", "tiny-imagenet")
    assert marks == {"dots": "ok", "tiny-cifar": "ok", **dict.fromkeys(absent, "--")}
    (woof,) = (row[4] for row in rows if row[3:4] == ["imagewoof"])
    assert "n02096294" in woof


FETCHED = """\
suite: fetched
dataset: tiny-cifar
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
scorers:
  teacher: {use: timm, model: vit_small_patch16_224.augreg_in21k_ft_in1k, classes: dataset}
generators:
  imported: {use: minimax, model: ddbench/dit-nano, classes: dataset, checkpoint: own.pt}
matrix:
  generator: [imported]
  selector: [brightest]
"""


def test_a_plan_with_files_of_weights_and_weights_who_knows_where_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "own.pt").write_bytes(b"It is opened by a run.")
    (tmp_path / "fetched.yaml").write_text(FETCHED)
    ended = without_torch(["plan", "fetched.yaml"], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (
        "to fetch: scorer 'timm': it is not known whether weights of vit_small_patch16_224.augreg_in21k_ft_in1k are on "
        "this machine; `ddbench fetch SUITE` gets or checks them"
    ) in ended.stdout.splitlines()


def test_what_fetch_finds_where_nobody_else_looks_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = ddbench.create("scorer", "open-clip", model="ViT-B-16")
    assert clip.missing() is not None
    monkeypatch.setattr(type(clip), "fetch", lambda self, progress: None)
    monkeypatch.setattr("ddbench.cli.fetch._wanted", lambda what, params: [(clip.label(), clip)])
    fetch("suite.yaml")
    assert capsys.readouterr().err == "scorer 'open-clip': already complete\n"


def test_exported_results_make_the_same_leaderboard(cli: Cli, example_suite: Path, tmp_path: Path) -> None:
    assert cli("run", str(example_suite)).returncode == 0
    folder = tmp_path / "leaderboard" / "results" / "example"
    # Of forty cells some are equal: their selectors chose the same images.
    assert cli("export", "example.yaml").stdout == "leaderboard/results/example: 36 results, 36 of them new\n"
    assert cli("export", "example.yaml").stdout == "leaderboard/results/example: 36 results, 0 of them new\n"
    assert len(list(folder.iterdir())) == 2 + 36, "the suite, the versions, and a file for each result"
    for path in folder.iterdir():
        text = path.read_text()
        assert str(tmp_path) not in text
        assert str(Path.home()) not in text
    of_store = [cli("report", str(example_suite), *json_).stdout for json_ in ([], ["--json"])]
    (tmp_path / ".ddbench").rename(tmp_path / "elsewhere")
    example_suite.unlink()
    assert [cli("report", str(folder), *json_).stdout for json_ in ([], ["--json"])] == of_store
    ended = without_torch(["report", str(folder)], tmp_path, scipy=True)
    assert (ended.returncode, ended.stdout) == (0, of_store[0]), ended.stderr
