"""``ddbench why``: explain why a node runs or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import AsJson, StoreFolder, SuiteFile, store_root

if TYPE_CHECKING:
    from ddbench.cli.json_types import WhyRow


def why(
    suite: SuiteFile,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="Show only nodes whose stage, label or key matches: words of the label, a prefix of the key."
        ),
    ] = None,
    store: StoreFolder = None,
    json: AsJson = False,
) -> None:
    """Show for each node whether it would run, and why. With words, show the tracebacks of failed nodes too."""
    from ddbench.cli.output import print_json, print_table
    from ddbench.errors import DdbenchError
    from ddbench.plan.explain import reason
    from ddbench.plan.state import plan_suite

    _, state = plan_suite(suite, store_root(store))
    manifests, measured = list(state.store.manifests()), list(state.all_measured())
    rows: list[WhyRow] = []
    for key, node in state.graph.nodes.items():
        text = f"{node.stage} {node.label}".lower()
        if all(word.lower() in text or key.startswith(word) for word in words or []):
            failure = state.failure(key)
            row: WhyRow = {
                "stage": node.stage,
                "node": node.label,
                "key": key,
                "why": reason(state, key, manifests, measured),
                "trace": failure.trace if failure else "",
            }
            rows.append(row)
    if not rows:
        raise DdbenchError(f"no node matches '{' '.join(words or [])}'", hint="`ddbench why SUITE` shows all nodes")
    if json:
        print_json(rows)
    else:
        print_table(["stage", "node", "key", "why"], [[r["stage"], r["node"], r["key"][:12], r["why"]] for r in rows])
        for row in rows if words else ():
            if row["trace"]:
                print(f"\n{row['stage']} {row['node']}\n{row['trace']}")
