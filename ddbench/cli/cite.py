"""``ddbench cite``: print the sources of a suite's components as BibTeX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli import complete


def cite(
    suite: Annotated[
        Path,
        typer.Argument(
            metavar="SUITE", help="A suite, or a folder written by `ddbench export`.", autocompletion=complete.suites
        ),
    ],
) -> None:
    """Print BibTeX entries for ddbench and for the papers of all components and protocols that took part.

    Components without a known source are named on stderr.
    """
    from ddbench.cli.output import print_notes
    from ddbench.cli.sources import is_export
    from ddbench.report.citations import bibliography, parts_of_export, parts_of_suite
    from ddbench.report.exported import read_exported
    from ddbench.suite import load_suite

    found = bibliography(
        parts_of_export(read_exported(suite)) if is_export(suite) else parts_of_suite(load_suite(suite))
    )
    print("\n\n".join(entry.text for entry in found.entries))
    if found.without:
        print_notes([f"without a known source: {', '.join(found.without)}"])
