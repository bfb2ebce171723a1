"""``ddbench run``: from a suite file to a leaderboard."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from ddbench.cli.options import StoreFolder, SuiteFile, store_root

INTERRUPTED = 130


def run(
    suite: SuiteFile,
    store: StoreFolder = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Nodes that run at once, one thread each.", show_default="the cores")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Run what is missing of a suite, and print its leaderboard.

    Killed or interrupted at any time, the same command goes on where it was.
    """
    from ddbench.cli.output import stderr
    from ddbench.errors import DdbenchError
    from ddbench.plan import State, build_graph
    from ddbench.report import build_leaderboard, to_markdown
    from ddbench.run import run_suite
    from ddbench.run.progress import reporter
    from ddbench.store import Store
    from ddbench.suite import load_suite

    if device not in ("auto", "cpu", "cuda"):
        raise DdbenchError(f"there is no device '{device}'", hint="use auto, cpu or cuda")
    resolved, root = load_suite(suite), store_root(store)
    signal.signal(signal.SIGTERM, _interrupt)
    show = reporter(stderr)
    try:
        with show:
            outcome = run_suite(resolved, root, show, workers=workers, device=device)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        show.say(f"interrupted: every finished node is kept in {root}; the same command goes on from there")
        sys.exit(INTERRUPTED)
    state = State(build_graph(resolved), Store(root)).resolve_all()
    print(to_markdown(build_leaderboard(resolved, state)))
    for label, message in outcome.failures:
        show.say(f"failed: {label}: {message}")
    ran = ", ".join(f"{count} {stage}" for stage, count in outcome.ran.items()) or "nothing"
    lacking = sum(key not in state.results for _, key in state.graph.cells)
    cells = len(state.graph.cells)
    show.say(f"{cells - lacking} of {cells} cells have results; ran {ran}; store {root}")
    sys.exit(outcome.exit_code)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
