"""Run a plan."""

from ddbench.run.driver import Outcome, usable_cores
from ddbench.run.start import run_suite

__all__ = ["Outcome", "run_suite", "usable_cores"]
