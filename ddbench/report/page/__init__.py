"""The page of a leaderboard: one HTML file with table, charts and provenance."""

from ddbench.report.page.render import to_html

__all__ = ["to_html"]
