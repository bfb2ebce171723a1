"""``ddbench schema``: print the JSON schema of suites, or of the output of a verb."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    verb: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERB]",
            help="A verb with --json, such as plan, or error.",
            show_default="suites",
        ),
    ] = None,
) -> None:
    """Print the JSON schema of suite files, with all installed components, for an editor that completes names.

    With a verb, print the schema of its output with --json. An error has the schema that `ddbench schema error` prints.
    """
    from ddbench.cli.output import print_json

    if verb is None:
        from ddbench.registry import catalogue
        from ddbench.suite.schema import suite_schema

        available = catalogue()
        available.load_all()
        print_json(suite_schema(available))
        return
    from ddbench.cli.json_types import OUTPUTS, output_schema
    from ddbench.errors import DdbenchError, did_you_mean

    if verb not in OUTPUTS:
        raise DdbenchError(f"there is no verb '{verb}' with --json", hint=did_you_mean(verb, OUTPUTS))
    print_json(output_schema(verb))
