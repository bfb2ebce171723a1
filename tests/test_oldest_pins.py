"""CI's oldest environment holds the lower bounds of ``pyproject.toml``."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINES = (ROOT / ".ci" / "oldest.txt").read_text().splitlines()
PINS = dict(line.split("==") for line in LINES if not line.startswith("#"))


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]])
def test_each_direct_dependency_is_pinned_at_its_lower_bound(line: str) -> None:
    requirement = Requirement(line)
    (bound,) = (s.version for s in requirement.specifier if s.operator == ">=")
    assert Version(PINS[canonicalize_name(requirement.name)]) == Version(bound)
