"""Verbs that read, where the large libraries are not installed: all work, and what needs a library says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddbench.__main__ import main
from ddbench.registry.libraries import LIBRARIES
from tests.conftest import EXAMPLE_SUITE, ROOT

HEAVY = (*LIBRARIES, "llvmlite", "transformers")
# Each command of a list in one process, in which the libraries are not found.
CODE = """
import contextlib, io, json, sys
libraries, commands = map(json.loads, sys.argv[1:])
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in libraries else super().find_spec(name, path, target)
sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
from ddbench.__main__ import main
ended = []
for arguments in commands:
    sys.argv[1:] = arguments
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out):
        try:
            main()
        except SystemExit as end:
            code = end.code
    ended.append([code or 0, out.getvalue()])
present = [name for name, module in sys.modules.items() if name in libraries and module]
print(json.dumps([ended, present]))
"""


def without(libraries: tuple[str, ...], *commands: list[str], store: Path) -> tuple[list[tuple[int, str]], list[str]]:
    """Run verbs without some libraries; return exit code and output of each, and the lines on stderr."""
    env = {**os.environ, "DDBENCH_HOME": str(store / "home"), "DDBENCH_DATA": str(store / "data"), "COLUMNS": "500"}
    command = [sys.executable, "-c", CODE, json.dumps(libraries), json.dumps(commands)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    ended, present = json.loads(done.stdout)
    assert not present, f"{present} were imported"
    return [(code, text) for code, text in ended], done.stderr.splitlines()


def test_verbs_that_read_need_no_large_library(tmp_path: Path) -> None:
    commands = [
        ["--help"],
        ["list"],
        ["suites"],
        ["plan", "suites/smoke.yaml"],
        ["plan", "suites/woof.yaml", "--device", "h100"],
        ["status", "smoke"],
        ["why", "smoke"],
        ["cite", "smoke"],
        ["report", "leaderboard/results/cifar10-mini"],
        ["report", "leaderboard/results/reproduction-cifar10"],
    ]
    ended, _ = without(HEAVY, *commands, store=tmp_path)
    for arguments, (code, text) in zip(commands, ended, strict=True):
        assert code == 0, arguments
        assert len(text.splitlines()) > 2, arguments
    assert "reproduced" in ended[-1][1], "intervals are computed"


def test_every_component_is_described_without_a_large_library(tmp_path: Path) -> None:
    ((_, listed),), notes = without(HEAVY, ["list", "--json"], store=tmp_path)
    rows = json.loads(listed)
    assert {"generator", "scorer", "student", "protocol"} <= {row["kind"] for row in rows}
    assert "torchvision is not installed: pip install torchvision" in "\n".join(notes)
    rows = [row for row in rows if row["kind"] != "observer"]
    names = [row["name"] if row["kind"] == "protocol" else f"{row['kind']}/{row['name']}" for row in rows]
    ended, _ = without(HEAVY, *(["describe", name] for name in names), store=tmp_path)
    assert {code for code, _ in ended} == {0}


def test_one_missing_library_concerns_the_components_that_need_it(tmp_path: Path) -> None:
    ended, notes = without(("timm",), ["list", "scorer"], ["doctor", "--json"], store=tmp_path)
    assert notes == ["timm is not installed: pip install timm (for scorer 'timm')"]
    code, text = ended[1]
    found = {finding["what"]: (finding["mark"], finding["found"]) for finding in json.loads(text)}
    assert code == 1
    assert found["packages"] == ("!!", "missing: timm; pip install timm")
    assert found["without timm"] == ("--", "cannot be used: scorer 'timm', student 'timm'")


@pytest.mark.parametrize(
    ("libraries", "suite", "message"),
    [
        (HEAVY, "smoke", "torch, torchvision, diffusers, numba; pip install torch torchvision diffusers numba"),
        (HEAVY, "example", "torch; pip install torch"),
        (("diffusers", "timm"), "smoke", "diffusers; pip install diffusers"),
    ],
    ids=["nothing", "nothing, and little is needed", "no diffusers"],
)
def test_a_run_says_in_one_line_what_to_install(
    libraries: tuple[str, ...], suite: str, message: str, tmp_path: Path
) -> None:
    example = tmp_path / "example.yaml"
    text = EXAMPLE_SUITE.replace("first, random, k-center, herding, brightest", "first")
    example.write_text(text.replace("[real, noise]", "[real]"))
    command = ["run", str(example) if suite == "example" else suite]
    ended, errors = without(libraries, command, store=tmp_path)
    assert ended == [(2, "")]
    assert errors == [f"error: the run needs libraries that are not installed: {message}"]
    assert not (tmp_path / "home").exists()


def test_any_verb_says_which_library_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking() -> None:
        raise ModuleNotFoundError("No module named 'open_clip.model'", name="open_clip.model")

    monkeypatch.setattr("ddbench.__main__.app", lacking)
    with pytest.raises(ModuleNotFoundError):
        main()  # it is installed: the mistake is ours
    monkeypatch.setitem(sys.modules, "open_clip", None)  # type: ignore[arg-type]
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said == "error: this command needs open_clip, which is not installed; pip install open_clip_torch\n"
