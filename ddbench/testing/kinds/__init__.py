"""Conformance checks of each kind of component, one file per kind."""

from ddbench.testing.kinds.dataset import check_dataset
from ddbench.testing.kinds.evaluator import check_evaluator
from ddbench.testing.kinds.generator import check_generator
from ddbench.testing.kinds.refiner import check_refiner
from ddbench.testing.kinds.scorer import check_scorer
from ddbench.testing.kinds.selector import check_selector
from ddbench.testing.kinds.student import check_student

__all__ = [
    "check_dataset",
    "check_evaluator",
    "check_generator",
    "check_refiner",
    "check_scorer",
    "check_selector",
    "check_student",
]
