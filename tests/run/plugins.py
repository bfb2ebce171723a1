"""Plug-ins that tests write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def install_plugin(name: str, source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plug-in of one module for the processes that a test starts."""
    site = folder / "site"
    info = site / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[ddbench]\n{name} = {name}_plugin\n")
    (site / f"{name}_plugin.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", f"{site}:{os.environ.get('PYTHONPATH', '')}".rstrip(":"))
