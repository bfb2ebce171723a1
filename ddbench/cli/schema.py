"""``ddbench schema``: print the JSON schema of suites."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON schema of suite files, with all installed components, for an editor that completes names."""
    from ddbench.cli.output import print_json
    from ddbench.registry import catalogue
    from ddbench.suite.schema import suite_schema

    available = catalogue()
    available.load_all()
    print_json(suite_schema(available))
