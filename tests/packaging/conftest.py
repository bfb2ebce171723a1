"""The wheel and the source archive, built once by pip's own tools, in an environment of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

# A clone has more than a build needs; what is here is copied, so that no build leaves anything in the clone.
SOURCES = (
    "components",
    "ddbench",
    "leaderboard",
    "suites",
    "tests",
    "LICENSE",
    "README.md",
    "pyproject.toml",
)


class Built(NamedTuple):
    """The files of a release.

    Attributes:
        wheel: built from the clone.
        sdist: the source archive.
        from_sdist: the wheel that is built from the source archive.
        python: an interpreter that has build and twine.
    """

    wheel: Path
    sdist: Path
    from_sdist: Path
    python: Path


def run(*command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would, without the paths that the tests have added."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | env
    return subprocess.run(command, cwd=cwd, env=own, capture_output=True, text=True, timeout=600, check=False)


def environment(folder: Path, *requirements: str | Path) -> Path:
    """Make a virtual environment and install into it; return its interpreter. Skip the test where pip finds nothing."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements, cwd=folder)
    if "No matching distribution found" in done.stderr:
        pytest.skip(f"no package index is reachable: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return python


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the wheel, the source archive and its wheel."""
    folder = tmp_path_factory.mktemp("built")
    python = environment(folder / "tools", "build", "twine", "setuptools>=77")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        else:
            shutil.copy(source, folder / "source" / name)
    for target, options in {"direct": ["--wheel"], "archive": ["--sdist"]}.items():
        command = ("-m", "build", "--no-isolation", "--outdir", folder / target, *options)
        done = run(python, *command, cwd=folder / "source")
        assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = (folder / "archive").iterdir()
    done = run(
        python, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder / "again", sdist, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (again,) = (folder / "direct").iterdir(), (folder / "again").iterdir()
    return Built(wheel, sdist, again, python)
