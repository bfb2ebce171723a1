"""A release: everything that is needed is inside, nothing else, and its metadata is as PyPI wants it."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.packaging.conftest import Built, run

pytestmark = pytest.mark.slow
DATA = {
    "ddbench/gallery": ("ddbench/gallery", "*.jinja"),
    "ddbench/templates": ("ddbench/templates", "*.txt"),
    "ddbench/report/page": ("ddbench/report/page", "**/*"),
    "suites": ("ddbench/shipped/suites", "**/*.yaml"),
    "leaderboard/reported": ("ddbench/shipped/reported", "*.csv"),
    "components/evaluators/protocols": ("ddbench_components/evaluators/protocols", "*.yaml"),
    "components/datasets/_tiny_cifar": ("ddbench_components/datasets/_tiny_cifar", "*"),
    "components/generators/_dit_nano": ("ddbench_components/generators/_dit_nano", "**/*"),
}


def expected() -> set[str]:
    """Return the files that a wheel has to hold, beside its metadata."""
    modules = {"ddbench": "ddbench", "components": "ddbench_components"}
    found = {"ddbench_components/code_hashes.json", "ddbench_components/papers.bib"}
    found |= {f"{installed}/py.typed" for installed in modules.values()}
    for source, installed in modules.items():
        paths = (path.relative_to(ROOT / source) for path in (ROOT / source).rglob("*.py"))
        found |= {f"{installed}/{path.as_posix()}" for path in paths if path.parts[0] != "recipes"}
    for source, (installed, pattern) in DATA.items():
        files = (
            path for path in (ROOT / source).glob(pattern) if path.is_file() and path.suffix not in (".py", ".pyc")
        )
        found |= {f"{installed}/{path.relative_to(ROOT / source).as_posix()}" for path in files}
    return found


def names(wheel: Path) -> set[str]:
    """Return the files of a wheel, its metadata under ``META/``."""
    with zipfile.ZipFile(wheel) as archive:
        return {re.sub(r"^ddbench-[^/]*\.dist-info/", "META/", name) for name in archive.namelist()}


def test_the_wheel_holds_what_is_needed_and_nothing_else(built: Built) -> None:
    licences = {
        path.relative_to(ROOT) for pattern in ("LICENSE", "ddbench/**/*-LICENSE") for path in ROOT.glob(pattern)
    }
    metadata = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt"}
    metadata |= {f"licenses/{path.as_posix()}" for path in licences}
    assert names(built.wheel) == expected() | {f"META/{name}" for name in metadata}
    assert {"ddbench/shipped/suites/smoke.yaml", "ddbench/shipped/suites/ablations/im.yaml"} <= names(built.wheel)
    assert not any("recipes" in name or "tests" in name.split("/") for name in names(built.wheel))


def test_the_wheel_of_the_source_archive_holds_the_same(built: Built) -> None:
    assert names(built.from_sdist) == names(built.wheel)
    assert built.from_sdist.name == built.wheel.name


def test_the_source_archive_holds_no_test_and_no_result(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "suites/smoke.yaml", "components/recipes/tiny_cifar.py"} <= found
    assert not [name for name in found if name.startswith(("tests", "leaderboard/results", "build", "."))]


def test_the_metadata_is_as_a_package_index_wants_it(built: Built) -> None:
    checked = run(built.python, "-m", "twine", "check", "--strict", built.wheel, built.sdist, cwd=built.wheel.parent)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("PASSED") == 2
    with zipfile.ZipFile(built.wheel) as archive:
        (entry,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "ddbench = ddbench.__main__:main" in entry
    assert "builtin = ddbench_components" in entry
