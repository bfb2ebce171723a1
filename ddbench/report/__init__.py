"""Leaderboards."""

from ddbench.report.leaderboard import Entry, Leaderboard, build_leaderboard
from ddbench.report.markdown import to_markdown

__all__ = ["Entry", "Leaderboard", "build_leaderboard", "to_markdown"]
