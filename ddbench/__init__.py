"""ddbench: a harness for generative dataset distillation. Swap one component, hold everything else fixed."""

import os

from ddbench.api import (
    Chosen,
    ClassInfo,
    Component,
    Context,
    Cost,
    Dataset,
    DistilledSet,
    Evaluation,
    EvaluationSettings,
    Evaluator,
    FieldName,
    Generator,
    LabeledImages,
    NetworkCost,
    Params,
    Pool,
    Prior,
    Progress,
    Refiner,
    Samples,
    Scorer,
    Selection,
    Selector,
    SoftLabels,
    Student,
    TrainingData,
    component,
    unkeyed,
)
from ddbench.errors import ComponentError, DataError, DdbenchError, LeakError, StoreError, SuiteError
from ddbench.registry import catalogue, components_in, create, hookimpl

__version__ = "0.3.0"

if os.name != "posix":
    raise ImportError("ddbench runs on Linux and other POSIX systems only; on Windows, install it inside WSL")

__all__ = [
    "Chosen",
    "ClassInfo",
    "Component",
    "ComponentError",
    "Context",
    "Cost",
    "DataError",
    "Dataset",
    "DdbenchError",
    "DistilledSet",
    "Evaluation",
    "EvaluationSettings",
    "Evaluator",
    "FieldName",
    "Generator",
    "LabeledImages",
    "LeakError",
    "NetworkCost",
    "Params",
    "Pool",
    "Prior",
    "Progress",
    "Refiner",
    "Samples",
    "Scorer",
    "Selection",
    "Selector",
    "SoftLabels",
    "StoreError",
    "Student",
    "SuiteError",
    "TrainingData",
    "catalogue",
    "component",
    "components_in",
    "create",
    "hookimpl",
    "unkeyed",
]
