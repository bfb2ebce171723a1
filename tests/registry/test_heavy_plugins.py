"""Plug-ins that import a heavy library, in processes of their own. The library here is quick to import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.registry.packages import HOOK, PROTOCOLS, package, protocol_text, selector


def python(folder: Path, code: str) -> str:
    """Run a program that finds the packages of ``folder``, and there a ``timm`` and one that imports it; its output."""
    (folder / "timm.py").touch()
    (folder / "timm_user.py").write_text("import timm")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ["PYTHONPATH"]])}
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


HEAVY = {
    "its package": {"__init__.py": "import timm\n" + HOOK, "m.py": selector("slow")},
    "a module": {"m.py": selector("slow", top="import timm")},
    "a way round": {"m.py": selector("slow", top="import timm_user")},
    "an attempt": {
        "m.py": selector("slow", top="try:\n    import timm\nexcept ImportError:\n    timm = None")
        + "    seen = property(lambda self: timm.__name__)\n"
    },
}


@pytest.mark.parametrize("where", HEAVY)
def test_a_plug_in_that_imports_a_heavy_library_at_its_top_is_used_all_the_same(tmp_path: Path, where: str) -> None:
    package(tmp_path, "heavy_one", {**HEAVY[where], "light.py": selector("light")})
    printed = python(
        tmp_path,
        """
import sys
from ddbench.registry import catalogue
known = catalogue()
print([c.info.name for c in known.components("selector")])
print(known.plugins["heavy_one"].deferred)
known.get("selector", "first")
print("timm" in sys.modules)
made = known.create("selector", "slow")
print(made.label(), "timm" in sys.modules, getattr(made, "seen", "timm"), known.owner(type(made)))
""",
    )
    listed, deferred, imported_before, used = printed.splitlines()
    assert "first" in listed
    assert "slow" not in listed
    assert deferred == "imports timm at its top"
    assert imported_before == "False"
    assert used == "selector 'slow' True timm heavy_one 1.0"


def test_what_a_heavy_plug_in_brings_is_found_when_asked_for(tmp_path: Path) -> None:
    text = PROTOCOLS.replace("from pathlib", "import timm\nfrom pathlib")
    package(tmp_path, "heavy_one", {"__init__.py": text, "mine@1.yaml": protocol_text()})
    code = "from ddbench.registry import catalogue; print(catalogue().protocol('mine@1').id)"
    assert python(tmp_path, code) == "mine@1\n"


def test_a_heavy_plug_in_that_takes_a_name_is_told_off_when_it_is_loaded(tmp_path: Path) -> None:
    package(tmp_path, "heavy_one", {"m.py": selector("first", top="import timm")})
    code = """
from ddbench.registry import catalogue
catalogue().load_all()
try:
    catalogue().get("selector", "first")
except Exception as error:
    print(error)
"""
    printed = python(tmp_path, code)
    assert printed.startswith("selector 'first' is declared twice: by ddbench ")
    assert "and by heavy_one 1.0 (heavy_one.m); rename one of them" in printed


def test_listing_imports_no_torch_and_tells_of_plug_ins_it_could_not_load(tmp_path: Path) -> None:
    package(tmp_path, "heavy_one", {"m.py": selector("slow", top="import torch")}, entry="heavy")
    package(tmp_path, "bad_one", {"__init__.py": "raise RuntimeError('no luck')"}, entry="bad")
    code = """
import sys
from ddbench.cli import app
try:
    app(["list", "selector"])
except SystemExit as end:
    print("exit", end.code, "torch" in sys.modules)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])}
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines()[-1] == "exit 0 False"
    assert "k-center" in ended.stdout
    assert "brightest" in ended.stdout
    notes = ended.stderr.splitlines()
    assert len(notes) == 2
    assert "plug-in 'bad' (bad_one 1.0) cannot be loaded: __init__.py:1: RuntimeError: no luck" in notes
    assert "plug-in 'heavy' (heavy_one 1.0) imports torch at its top: its components are loaded when used" in notes
