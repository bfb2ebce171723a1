"""Every command, suite and piece of Python in the README and in docs works."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from ddbench import Context, Pool
from ddbench.testing import check_component
from tests import forked
from tests.conftest import ROOT, Cli, install_distribution
from tests.docs.pages import GUIDES, PAGES, README, blocks, name

# In these pages commands follow on each other; in a fresh folder they are run one after the other.
RUN = [page for page in PAGES if any(not block.mark for block in blocks(page, "sh"))]
LONG = [page for page in PAGES if any(block.marked("slow") for block in blocks(page, "sh"))]
PLUGIN = "ddbench-brightest"
OWN_COMMANDS = ("run", "tests")
# A line of the leaderboard that the long commands of a guide end in.
LONG_OUTPUT = {
    "first-suite": "| Soft labels ",
    "your-images": "| Random ",
    "your-method": "| dit-nano + largest-sum ",
    "your-student": "| real + random ",
}


class Workspace:
    """An empty folder in which a reader types the commands of a page.

    Args:
        folder: the folder.
        home: the folder of the store.
        ddbench: what the command ``ddbench`` is.
    """

    def __init__(self, folder: Path, home: Path, ddbench: list[str]) -> None:
        self.folder = folder
        (folder / "suites").symlink_to(ROOT / "suites")
        results = Path("leaderboard") / "results" / "cifar10-mini"
        shutil.copytree(ROOT / results, folder / results)
        for program, command in (("ddbench", ddbench), ("python", [sys.executable])):
            path = folder / "bin" / program
            path.parent.mkdir(exist_ok=True)
            path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            path.chmod(0o755)
        kept = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and "example" not in p]
        self.env = {
            **os.environ,
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(folder / PLUGIN / "src"), *kept]),
            "DDBENCH_HOME": str(home),
            "DDBENCH_DATA": str(folder / "data"),
        }

    def write(self, path: str, text: str) -> None:
        """Save a file of the page; a plug-in is installed when its project file is saved."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        if target.name == "pyproject.toml":
            install_distribution(self.folder / "site", target.parent)

    def run(self, commands: str) -> str:
        """Run a block of commands and return what they print; fails with what stderr says."""
        script = ["bash", "-euo", "pipefail", "-c", commands]
        ended = subprocess.run(script, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=1800)
        assert ended.returncode == 0, f"{commands}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout


def pictures(folder: Path) -> None:
    """Make the images that the guide's reader has: two classes in two splits, and pictures of a generator."""
    for place, shade in (("train", 60), ("val", 120), ("", 180)):
        for index, label in enumerate(("cat", "dog")):
            target = folder / "photos" / place / label if place else folder / "made" / label
            target.mkdir(parents=True)
            for number in range(4):
                colour = (shade + 10 * number, 200 * index, number)
                Image.new("RGB", (32, 32), colour).save(target / f"{number}.png")


def follow(page: Path, folder: Path, home: Path, *, slow: bool) -> list[str]:
    """Type in everything that a page shows, in order; return what each block of commands printed."""
    ddbench = [sys.executable, "-m", "ddbench"] if slow else forked.command()
    workspace, printed, commands = Workspace(folder, home, ddbench), [], ""
    pictures(folder)
    for block in blocks(page):
        if block.marked("file"):
            workspace.write(block.marked("file"), block.text)
        elif block.language == "sh" and (not block.mark or (slow and block.marked("slow"))):
            printed.append(workspace.run(block.text))
            commands += block.text
    files = [block.marked("file") for block in blocks(page, "yaml") if block.marked("file")]
    verbs = (f"ddbench describe ./{file}" if "@" in file else f"ddbench plan {file}" for file in files)
    assert all(verb in commands for verb in verbs), "a suite that is shown is planned, and a protocol described"
    return printed


@pytest.mark.training
@pytest.mark.parametrize("page", RUN, ids=name)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    assert all(follow(page, tmp_path, tmp_path / ".ddbench", slow=False))


@pytest.mark.slow
@pytest.mark.parametrize("page", LONG, ids=name)
def test_the_long_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    """In the store of the smoke suite if there is one: they have fits and pools in common."""
    home = Path(os.environ.get("DDBENCH_SMOKE_STORE") or tmp_path / ".ddbench")
    printed = follow(page, tmp_path, home, slow=True)
    assert any(LONG_OUTPUT[page.stem] in text for text in printed)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_command_that_is_not_run_has_a_reason(page: Path) -> None:
    for block in blocks(page, "sh"):
        reasons = [block.marked("not run"), block.marked("slow")]
        own = page == README and block.mark in OWN_COMMANDS
        assert not block.mark or own or any(len(reason.split()) >= 3 for reason in reasons), block


def test_the_guides_are_run() -> None:
    assert {page.stem for page in GUIDES if page in RUN} == {
        "first-suite",
        "imports",
        "observers",
        "pictures",
        "reading-boards",
        "share-results",
        "your-images",
        "your-method",
        "your-protocol",
        "your-student",
    }
    assert {page.stem for page in LONG} == LONG_OUTPUT.keys()


def test_the_commands_of_the_readme_are_run_by_ci() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert [block.mark for block in blocks(README, "sh")] == list(OWN_COMMANDS)
    assert all(f"readme {mark})" in script for mark in OWN_COMMANDS)


@pytest.mark.parametrize("verb", ["report", "gc"])
def test_before_the_first_run_there_is_nothing(verb: str, cli: Cli) -> None:
    ended = cli(verb, str(ROOT / "suites" / "smoke.yaml"))
    assert ended.returncode == 2, "before the first run there is nothing to report or to remove"
    assert len(ended.stderr.splitlines()) == 1


SHOWN = [(page, i) for page in PAGES for i, block in enumerate(blocks(page, "yaml")) if not block.mark]


@pytest.mark.parametrize(("page", "number"), SHOWN, ids=[name(page) for page, _ in SHOWN])
def test_a_suite_that_is_shown_plans(page: Path, number: int, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "shown.yaml").write_text(blocks(page, "yaml")[number].text)
    ended = cli("plan", "shown.yaml")
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"^\d+ cells?, 0 with results", ended.stdout, re.MULTILINE)
    assert ("refine " in ended.stdout) == ("refiner:" in blocks(page, "yaml")[number].text)


def test_suites_are_shown() -> None:
    assert {name(page) for page, _ in SHOWN} == {"README.md", "docs/numbers.md", "docs/papers.md"}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name)
def test_python_compiles(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block.text, name(page), "exec")


@pytest.mark.training
def test_the_selector_of_the_readme_selects_and_conforms(tmp_path: Path) -> None:
    (block,) = blocks(README, "python")
    shown = ModuleType("shown")
    exec(compile(block.text, "README.md", "exec", dont_inherit=True), vars(shown))
    (brightest,) = shown.ddbench_components()
    pool = Pool.from_arrays(labels=[0, 0, 0], class_names=["a"], fields={"teacher.embedding": [[1.0], [3.0], [2.0]]})
    assert brightest().select(pool, 2, Context()).indices == (1, 2)
    check_component(brightest, tmp_path)
