"""Run a plan."""

from ddbench.run.driver import Outcome
from ddbench.run.start import run_suite

__all__ = ["Outcome", "run_suite"]
