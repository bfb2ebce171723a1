"""``ddbench run``: run a suite and print its leaderboard."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import Full, Quick, ResultFolders, StoreFolder, SuiteFile, store_root
from ddbench.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from ddbench.run.driver import Outcome
    from ddbench.run.progress import Reporter
    from ddbench.suite import ResolvedSuite

INTERRUPTED = 130


def run(
    suite: SuiteFile,
    store: StoreFolder = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of nodes to run in parallel.", show_default="the number of cores")
    ] = None,
    device: Annotated[str, typer.Option(help="Compute on this device: auto, cpu or cuda (all GPUs).")] = "auto",
    accept_drift: Annotated[
        list[str] | None,
        typer.Option(
            "--accept-drift",
            metavar="NAME",
            help="Use stored outputs of this component although its code has changed. Repeatable.",
        ),
    ] = None,
    quick: Quick = False,
    full: Full = False,
    results: ResultFolders = None,
) -> None:
    """Run the unfinished part of a suite and print its leaderboard.

    Stop a run at any time; the same command resumes it.
    """
    from ddbench.cli.output import stderr
    from ddbench.cli.sources import exported_results
    from ddbench.errors import DdbenchError
    from ddbench.run import run_suite
    from ddbench.run.progress import reporter
    from ddbench.suite import load_suite

    if device not in ("auto", "cpu", "cuda"):
        raise DdbenchError(f"there is no device '{device}'", hint="use auto, cpu or cuda (all GPUs)")
    resolved, root, exports = load_suite(suite, quick=quick), store_root(store), exported_results(results)
    signal.signal(signal.SIGTERM, _interrupt)
    show = reporter(stderr)
    try:
        with show:
            outcome = run_suite(
                resolved, root, show, workers=workers, device=device, accept_drift=accept_drift or (), exports=exports
            )
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        show.print_line(f"interrupted: all finished work is in {root}; the same command resumes the run")
        sys.exit(INTERRUPTED)
    _print_results(resolved, suite, root, outcome, show, full)
    sys.exit(outcome.exit_code)


def _print_results(
    resolved: ResolvedSuite, suite: Path, root: Path, outcome: Outcome, show: Reporter, full: bool
) -> None:
    """Print the leaderboard and the failures. Raise StoreError if results are lost that the run had found or made."""
    from ddbench.cli.output import print_board, print_damage
    from ddbench.errors import StoreError
    from ddbench.report.leaderboard import leaderboard_of
    from ddbench.report.results import results_of

    state = outcome.state
    state.forget({key for _, key in state.graph.cells})  # others may have changed the results meanwhile
    state.resolve_all()
    print_damage(state.corrupt.values())
    results = results_of(resolved, state)
    print_board(results, leaderboard_of(results), None, full=full)
    _tell_failures(outcome, suite, show)
    ran = ", ".join(f"{count} {stage}" for stage, count in outcome.ran.items()) or "nothing"
    cells = len(state.graph.cells)
    done = sum(key in state.measured for _, key in state.graph.cells)
    have = "has" if cells == 1 else "have"
    show.print_line(f"{done} of {counted(cells, 'cell')} {have} results; ran {ran}; store {root}")
    if done < cells and not outcome.failures:
        raise StoreError("results were removed or damaged during the run", where=str(root), hint="run the suite again")


def _tell_failures(outcome: Outcome, suite: Path, show: Reporter) -> None:
    for label, message in outcome.failures:
        show.print_line(f"failed: {label}: {message}")
    if outcome.failures and not outcome.user_fault:
        show.print_line(
            f"`ddbench why {suite} WORDS` shows the tracebacks of failed nodes whose names have these words"
        )


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
