"""The origin of a component: its package and, in a checkout, the commit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddbench.registry import catalogue
from ddbench.registry.provenance import _checkout, provenance

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    _checkout.cache_clear()
    yield
    _checkout.cache_clear()


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a repository with one committed package in it."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "First")
    return tmp_path


def test_the_package_is_the_distribution_that_registered_it() -> None:
    cls = catalogue().get("generator", "noise")
    known = provenance(cls, {"block": 2}, "c" * 64)
    assert (known.package, known.package_version) == ("ddbench-example", "0.1.0")
    assert (known.kind, known.name, known.version) == ("generator", "noise", 1)
    assert (known.params, known.code_hash) == ({"block": 2}, "c" * 64)
    assert provenance(catalogue().get("selector", "k-center"), {}, "").package == "ddbench"


def test_a_component_added_by_hand_has_no_package() -> None:
    class Own(catalogue().get("selector", "first")):  # type: ignore[misc]
        """Registered nowhere."""

    assert provenance(Own, {}, "").package is None


def test_a_checkout_has_its_commit(repository: Path) -> None:
    assert _checkout(repository / "package") == (git(repository, "rev-parse", "HEAD"), False)


def test_a_change_or_a_new_file_of_the_package_makes_it_dirty(repository: Path) -> None:
    (repository / "elsewhere.txt").write_text("not of the package")
    assert (_checkout(repository / "package") or ("", True))[1] is False
    _checkout.cache_clear()
    (repository / "package" / "new.py").write_text("")
    assert (_checkout(repository / "package") or ("", False))[1] is True


def test_variables_of_a_hook_name_no_other_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(repository / "none"))
    assert _checkout(repository / "package") is not None


def test_what_is_installed_or_ignored_is_no_checkout(repository: Path) -> None:
    (repository / ".gitignore").write_text("/ignored\n")
    for name in ("ignored", "lib/site-packages/plugin"):
        (repository / name).mkdir(parents=True)
        assert _checkout(repository / name) is None


def test_without_git_or_a_repository_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert _checkout(tmp_path) is None
    git(tmp_path, "init", "-q")
    _checkout.cache_clear()
    assert _checkout(tmp_path) is None, "nothing is committed"
    monkeypatch.setenv("PATH", str(tmp_path))
    _checkout.cache_clear()
    assert _checkout(tmp_path) is None
    assert _checkout(None) is None
