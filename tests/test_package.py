"""The files that describe the package: version, citation, release notes, forms."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from ruamel.yaml import YAML

import ddbench
from tests.conftest import ROOT

SCHEMAS = {
    "CITATION.cff": "citation-file-format",
    ".github/ISSUE_TEMPLATE/config.yml": "github-issue-config",
    ".github/ISSUE_TEMPLATE/new-method.yml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/number-differs.yml": "github-issue-forms",
    ".github/workflows/ci.yml": "github-workflows",
}


@pytest.mark.parametrize("file", SCHEMAS)
def test_a_file_is_valid_by_its_official_schema(file: str) -> None:
    schema = f"vendor.{SCHEMAS[file]}"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, ROOT / file]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ddbench.__version__"}
    assert YAML(typ="safe").load(ROOT / "CITATION.cff")["version"] == ddbench.__version__


def test_the_release_notes_begin_with_this_version_and_fit_on_a_page() -> None:
    notes = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(.*?)\]", notes, re.MULTILINE)
    assert next(version for version in versions if version != "Unreleased") == ddbench.__version__
    assert versions.index(ddbench.__version__) <= 1
    for page in re.split(r"^## ", notes, flags=re.MULTILINE)[1:]:
        assert len(page.splitlines()) <= 60


def test_a_system_that_is_not_posix_is_told_in_one_line() -> None:
    command = [sys.executable, "-c", "import os; os.name = 'other'; import ddbench"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("ImportError: ddbench runs on Linux and other POSIX systems only")
