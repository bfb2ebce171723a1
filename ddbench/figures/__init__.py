"""Figures of a suite, as papers draw them, from the results and artifacts of a store."""

from ddbench.figures.kinds import FIGURES
from ddbench.figures.source import NothingToDrawError, Source
from ddbench.figures.write import draw, write_figures

__all__ = ["FIGURES", "NothingToDrawError", "Source", "draw", "write_figures"]
