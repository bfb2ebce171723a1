"""Conformance checks of each kind of component, one file per kind."""

from ddbench.testing.kinds import dataset, evaluator, generator, refiner, scorer, selector, student

__all__ = ["dataset", "evaluator", "generator", "refiner", "scorer", "selector", "student"]
