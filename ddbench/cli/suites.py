"""``ddbench suites``: list the suites that are part of ddbench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench.cli.options import AsJson

if TYPE_CHECKING:
    from pathlib import Path

    from ddbench.cli.json_types import SuiteRow


def suites(json: AsJson = False) -> None:
    """List the suites that come with ddbench. Give such a name in place of a suite file."""
    from ddbench.cli.output import print_json, print_table
    from ddbench.suite.shipped import shipped_suites

    rows = [_facts(name, file) for name, file in shipped_suites().items()]
    if json:
        print_json(rows)
    else:
        print_table(["suite", "dataset", "rows", "cells", "about"], [list(row.values()) for row in rows])


def _facts(name: str, file: Path) -> SuiteRow:
    from ddbench.suite import load_suite

    suite = load_suite(name)
    return {
        "name": name,
        "dataset": suite.dataset.label,
        "rows": len({cell.row.name for cell in suite.cells}),
        "cells": len(suite.cells),
        "about": _about(file),
    }


def _about(file: Path) -> str:
    """Return the first sentence of the comment at the top of a suite file."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    sentence, dot, _ = " ".join(lines).partition(". ")
    return sentence + dot.strip()
