"""A suite file's plan and how far a store has brought it: the ground of every reading verb."""

from __future__ import annotations

from pathlib import Path

from ddbench.plan.graph import build_graph
from ddbench.plan.state import State
from ddbench.store import Store
from ddbench.suite import ResolvedSuite, load_suite


def planned(suite_file: Path, store_root: Path) -> tuple[ResolvedSuite, State]:
    """Load, plan, and look every node up. Raises SuiteError for a bad suite; the store need not exist."""
    suite = load_suite(suite_file)
    return suite, State(build_graph(suite), Store(store_root)).resolve_all()
