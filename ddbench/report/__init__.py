"""Leaderboards."""

from ddbench.report.comparison import Comparison
from ddbench.report.contrast import Contrast, Side, contrast
from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.leaderboard import Entry, Leaderboard, build_leaderboard, leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.report.results import Results, Trial, results_of

__all__ = [
    "Comparison",
    "Contrast",
    "Entry",
    "Leaderboard",
    "Results",
    "Side",
    "Trial",
    "build_leaderboard",
    "contrast",
    "export_results",
    "leaderboard_of",
    "read_exported",
    "results_of",
    "to_markdown",
]
