"""ddbench from its wheel with small dependencies alone: an environment of about 300 MB reads, plans and reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ddbench.registry.libraries import LIBRARIES
from tests.conftest import ROOT
from tests.packaging.conftest import Built, environment, run

pytestmark = pytest.mark.slow
LIGHT = (
    "huggingface_hub",
    "jinja2",
    "markdown-it-py",
    "numpy",
    "pillow",
    "platformdirs",
    "pluggy",
    "pydantic",
    "rich",
    "ruamel.yaml",
    "safetensors",
    "scipy",
    "tabulate",
    "typer",
    "typing_extensions",
)
MEGABYTES = 300


@pytest.fixture(scope="module")
def ddbench(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the command of an environment with the wheel of the source archive and no large library."""
    folder = tmp_path_factory.mktemp("light") / "venv"
    python = environment(folder, *LIGHT)
    done = run(python, "-m", "pip", "install", "--quiet", "--no-deps", built.from_sdist, cwd=folder)
    assert done.returncode == 0, done.stderr
    return python.with_name("ddbench")


def test_the_light_dependencies_are_all_but_the_large_libraries(built: Built) -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {Requirement(text).name for text in project["dependencies"]} == {*LIGHT, *LIBRARIES.values()}


def test_the_environment_is_small(ddbench: Path) -> None:
    files = (path for path in ddbench.parents[1].rglob("*") if path.is_file() and not path.is_symlink())
    files = (path for path in files if path.suffix != ".pyc")  # Python writes bytecode anew where it is missing
    assert sum(path.stat().st_size for path in files) < MEGABYTES * 2**20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--help", "Copy a shipped suite"),
        ("list", "open-clip"),
        ("describe generator/dit-xl2", "default"),
        ("suites", "ablations/im-tiny"),
        ("plan smoke", "80 cells, 0 with results"),
        ("plan woof --device h100", "H100"),
        ("status smoke", "Pool-Select"),
        ("why smoke", "not made yet"),
        ("init nette", "wrote nette.yaml"),
    ],
)
def test_verbs_that_read_work(ddbench: Path, arguments: str, words: str, tmp_path: Path) -> None:
    done = run(ddbench, *arguments.split(), cwd=tmp_path, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert words in done.stdout


def test_results_are_reported(ddbench: Path, tmp_path: Path) -> None:
    done = run(ddbench, "report", ROOT / "leaderboard" / "results" / "reproduction-cifar10", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "reproduced" in done.stdout


def test_what_cannot_work_says_what_to_install(ddbench: Path, tmp_path: Path) -> None:
    done = run(ddbench, "run", "smoke", cwd=tmp_path)
    wanted = "torch, torchvision, diffusers, numba; pip install torch torchvision diffusers numba"
    assert (done.returncode, done.stderr) == (2, f"error: the run needs libraries that are not installed: {wanted}\n")
    assert not list(tmp_path.iterdir())
    done = run(ddbench, "doctor", "--json", cwd=tmp_path)
    (packages,) = (finding for finding in json.loads(done.stdout) if finding["what"] == "packages")
    assert packages["found"].startswith("missing: torch, torchvision, diffusers, timm, open_clip, numba, sklearn")
    assert "scikit-learn" in packages["found"]
