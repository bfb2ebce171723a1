"""A built-in component whose code changes must say whether its output does: by raising its version, or by a renewal."""

from __future__ import annotations

import json

import pytest

from tests.registry.renew_code_hashes import FILE, current

KNOWN = json.loads(FILE.read_text(encoding="utf-8"))
NOW = current()
RENEW = "then run `python -m tests.registry.renew_code_hashes`"


@pytest.mark.parametrize("name", sorted(KNOWN | NOW))
def test_code_changes_with_its_version(name: str) -> None:
    assert name in KNOWN, f"{name} is new: {RENEW.removeprefix('then ')}"
    assert name in NOW, f"{name} is gone: {RENEW.removeprefix('then ')}"
    then, now = KNOWN[name], NOW[name]
    assert now["version"] >= then["version"], f"the version of {name} went back from {then['version']}"
    if now["source"] != then["source"]:
        assert now["version"] > then["version"], (
            f"the code of {name} has changed and its version {now['version']} has not: raise the version if its "
            f"output may differ for the same parameters and inputs; {RENEW}"
        )
    assert now == then, f"{name} has a new version: {RENEW}"
