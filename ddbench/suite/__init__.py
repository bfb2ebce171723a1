"""Read suite files: YAML, validated model, cells."""

from ddbench.suite.cells import Cell, Choice, PoolSize
from ddbench.suite.published import Published
from ddbench.suite.resolve import ResolvedSuite, load_suite

__all__ = ["Cell", "Choice", "PoolSize", "Published", "ResolvedSuite", "load_suite"]
