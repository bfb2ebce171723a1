"""The page of a suite's keys, from its pydantic model."""

from __future__ import annotations

import inspect

from ddbench.suite.fields import ComponentUse
from ddbench.suite.model import SuiteModel

from .text import fields, models_in, table

_HEAD = ("key", "value", "default", "meaning")
# Rows that the model does not have: the reader of suites takes these keys out before it validates the rest.
_EXTENDS = (
    "`extends`",
    "text",
    "none",
    "A suite file, by its path from this one. Keys of this file replace its keys.",
)
_USE = ("`use`", "text", "required", "The component's name.")
_PARAMETER = ("any other key", "any value", "the component's", "A parameter of the component.")
_TITLES = {SuiteModel: ("Top level", [_EXTENDS]), ComponentUse: ("component", [_USE, _PARAMETER])}


def page() -> str:
    """Return a table of keys for the file and for each mapping in it."""
    parts = ["# Suite file", "A suite is a YAML mapping. Unknown keys are refused, with their place."]
    for model in models_in(SuiteModel):
        rows = [(f"`{name}`", *rest) for name, *rest in fields(model)]
        title, more = _TITLES.get(model, (f"`{model.__name__}`", []))
        parts += [f"## {title}", inspect.cleandoc(model.__doc__ or "").split("\n\n")[0]]
        parts.append(table(_HEAD, [*more, *rows] if model is not ComponentUse else more))
    return "\n\n".join(parts)
