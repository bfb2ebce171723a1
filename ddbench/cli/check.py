"""``ddbench check``: run the conformance checks of components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import AsJson

if TYPE_CHECKING:
    from ddbench.testing import Finding

_MARKS = {"passed": "ok", "failed": "FAILED", "noted": "note", "skipped": "skipped"}


def check(
    target: Annotated[
        str,
        typer.Argument(help="A Python file, a component such as selector/k-center or k-center, or a plug-in's name."),
    ],
    json: AsJson = False,
) -> None:
    """Run all checks of a component's kind. Exit with 1 if one fails."""
    import sys
    from contextlib import redirect_stdout
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from ddbench.cli.output import print_json
    from ddbench.testing.targets import components_of

    classes, found = components_of(target), []
    from ddbench.testing import findings

    for cls in classes:
        if not json:
            print(f"{cls.info.kind}/{cls.info.name}")
        with TemporaryDirectory(prefix="ddbench-check-") as scratch:
            steps = findings(cls, Path(scratch))
            while True:
                with redirect_stdout(sys.stderr):  # components may print
                    finding = next(steps, None)
                if finding is None:
                    break
                found.append(finding)
                if not json:
                    _print(finding)
    if json:
        print_json([finding.as_json() for finding in found])
    if any(finding.outcome == "failed" for finding in found):
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    from ddbench.cli.output import print_wrapped

    reason = ": ".join(part for part in (finding.place, finding.reason) if part)
    print_wrapped(f"  {finding.check} {_MARKS[finding.outcome]}" + (f": {reason}" if reason else ""))
    if finding.fix:
        print_wrapped(f"    fix: {finding.fix}")
