"""Rewrite components/code_hashes.json: the version and code hash of each built-in component.

Run it when one changes and its output does not, in a commit that shows equal outputs.
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

from ddbench.registry import Catalogue
from ddbench.registry.code_hash import code_hash

FILE = Path(__file__).parents[2] / "components" / "code_hashes.json"


def current() -> dict[str, dict[str, str | int]]:
    """Version and source hash of the built-in components, by ``kind/name``."""
    builtin = Catalogue(entry_points(group="ddbench", name="builtin"))
    assert all(plugin.error is None for plugin in builtin.plugins.values())
    return {
        f"{cls.info.kind}/{cls.info.name}": {"version": cls.info.version, "source": code_hash(cls)}
        for cls in builtin.components()
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(current(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
