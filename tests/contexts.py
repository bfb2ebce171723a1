"""Contexts of evaluations, for tests and benchmarks."""

from __future__ import annotations

from typing import Any

from ddbench import Context, EvaluationSettings


def context(numerics: str = "reference", evaluate: str = "last", **others: Any) -> Context:
    """Return a context with these settings of evaluation; ``others`` are fields of the context."""
    settings = EvaluationSettings.model_validate({"numerics": numerics, "evaluate": evaluate})
    return Context(evaluation=settings, **others)
