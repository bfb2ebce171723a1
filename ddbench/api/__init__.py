"""Base classes and values for authors of components. ``ddbench`` exports the public ones."""

from ddbench.api.canonical import (
    canonical_json,
    combine_digests,
    derive_seed,
    image_digests,
    sha256_json,
    tensor_digest,
)
from ddbench.api.component import Component, Fittable, Info, Progress, component
from ddbench.api.context import Context
from ddbench.api.cost import Cost, NetworkCost
from ddbench.api.data import ClassInfo, LabeledImages, TrainingData
from ddbench.api.dataset import Dataset
from ddbench.api.evaluator import Evaluation, Evaluator
from ddbench.api.generator import BorrowedPrior, EncodingPrior, Generator, Prior, Samples
from ddbench.api.observer import ObservedNode, ObservedRun, Observer, RunSummary
from ddbench.api.params import FieldName, Params, unkeyed
from ddbench.api.pool import DistilledSet, Pool, Selection, SoftLabels
from ddbench.api.refiner import Refiner
from ddbench.api.scorer import Scorer
from ddbench.api.selector import Chosen, Selector
from ddbench.api.settings import EvaluationSettings
from ddbench.api.student import Student

KINDS: dict[str, type[Component]] = {
    base.kind: base for base in (Dataset, Generator, Scorer, Selector, Refiner, Evaluator, Student)
}

__all__ = [
    "KINDS",
    "BorrowedPrior",
    "Chosen",
    "ClassInfo",
    "Component",
    "Context",
    "Cost",
    "Dataset",
    "DistilledSet",
    "EncodingPrior",
    "Evaluation",
    "EvaluationSettings",
    "Evaluator",
    "FieldName",
    "Fittable",
    "Generator",
    "Info",
    "LabeledImages",
    "NetworkCost",
    "ObservedNode",
    "ObservedRun",
    "Observer",
    "Params",
    "Pool",
    "Prior",
    "Progress",
    "Refiner",
    "RunSummary",
    "Samples",
    "Scorer",
    "Selection",
    "Selector",
    "SoftLabels",
    "Student",
    "TrainingData",
    "canonical_json",
    "combine_digests",
    "component",
    "derive_seed",
    "image_digests",
    "sha256_json",
    "tensor_digest",
    "unkeyed",
]
