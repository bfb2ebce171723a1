"""Distilled sets for other programs and people: files, a manifest and a card."""

from ddbench.sets.export import export_sets
from ddbench.sets.formats import FORMATS

__all__ = ["FORMATS", "export_sets"]
