"""``ddbench run``: run a suite and print its leaderboard."""

from __future__ import annotations

import signal
import sys
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import (
    AcceptDrift,
    Against,
    Full,
    Limit,
    Observers,
    Only,
    Quick,
    ResultFolders,
    StoreFolder,
    SuiteFile,
    store_root,
)
from ddbench.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    accept_drift: AcceptDrift = None,
    only: Only = None,
    limit: Limit = None,
    against: Against = None,
    quick: Quick = False,
    full: Full = False,
    results: ResultFolders = None,
    observer: Observers = None,
) -> None:
    """Run the unfinished part of a suite and print its leaderboard.

    Stop a run at any time; the same command resumes it. The leaderboard has all rows with results, also if only a part
    runs.
    """
    from ddbench.cli.output import stderr
    from ddbench.cli.part import chosen_part
    from ddbench.cli.sources import exported_results
    from ddbench.errors import DdbenchError
    from ddbench.run import run_suite
    from ddbench.run.progress import reporter
    from ddbench.suite import load_suite
    from ddbench.suite.part import part_of

    if device not in ("auto", "cpu", "cuda"):
        raise DdbenchError(f"there is no device '{device}'", hint="use auto, cpu or cuda (all GPUs)")
    resolved, root, exports = load_suite(suite, quick=quick), store_root(store), exported_results(results)
    others = [] if against is None else part_of(resolved, against).row_names
    part = chosen_part(resolved, only, limit, root, exports)
    signal.signal(signal.SIGTERM, _interrupt)
    show = reporter(stderr)
    start = partial(run_suite, part, root, show, observers=observer or ())
    try:
        with show:
            outcome = start(workers=workers, device=device, accept_drift=accept_drift or (), exports=exports)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        show.print_line(f"interrupted: all finished work is in {root}; the same command resumes the run")
        sys.exit(INTERRUPTED)
    _print_tables(resolved, part, outcome, others, full)
    _tell_failures(outcome, suite, show)
    _tell_end(outcome, root, show)
    sys.exit(outcome.exit_code)


def _print_tables(
    whole: ResolvedSuite, part: ResolvedSuite, outcome: Outcome, others: Sequence[str], full: bool
) -> None:
    """Print the leaderboard of a suite and the verdicts against the rows ``others``."""
    from ddbench.cli.output import print_board, print_damage
    from ddbench.cli.part import print_against
    from ddbench.plan import State, build_graph
    from ddbench.report.leaderboard import leaderboard_of
    from ddbench.report.results import results_of

    ran = outcome.state
    ran.forget({key for _, key in ran.graph.cells})  # others may have changed the results meanwhile
    ran.resolve_all()
    state = ran if part is whole else State(build_graph(whole), ran.store, ran.exports).resolve_all()
    print_damage(state.corrupt.values())
    results = results_of(whole, state)
    print_board(results, leaderboard_of(results), None, full=full)
    if others:
        print_against(results, part, others)


def _tell_end(outcome: Outcome, root: Path, show: Reporter) -> None:
    """Tell what was run. Raise StoreError if results are lost that the run had found or made."""
    from ddbench.errors import StoreError

    state = outcome.state
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
