"""Checks of the declaration of components of any kind."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from ddbench.api import Params, canonical_json
from ddbench.errors import ComponentError
from ddbench.testing.checks import ANY, Case, check

_MADE = ("parameters",)


@check(ANY, "declared", fix="derive its Params from ddbench.Params")
def _declared(case: Case[Any]) -> None:
    """Check that the class has a summary and parameters of ddbench."""
    case.require(bool(case.cls.info.summary), "has no summary; write one as the first line of its docstring")
    case.require(issubclass(case.cls.Params, Params), "has Params that do not derive from ddbench.Params")


@check(ANY, "parameters", fix="give each parameter a default, or override `example`", after=("declared",))
def _parameters(case: Case[Any]) -> None:
    """Check that the component can be made with the parameters of its example."""
    case.make()


@check(ANY, "parameters as JSON", fix="use numbers, strings, booleans and lists of them", after=_MADE)
def _as_json(case: Case[Any]) -> None:
    """Check that parameters are JSON and the same when read back."""
    configured = case.make()
    try:
        as_json = json.loads(canonical_json(configured.params.model_dump(mode="json")))
        canonical_json(configured.params.keyed())
    except (TypeError, ValueError) as error:
        raise ComponentError(f"{case.cls.label()} has parameters that are not JSON: {error}") from None
    again = case.cls.configure(**as_json)
    case.require(again.params == configured.params, "has parameters that differ when read back from their JSON")


@check(ANY, "parameters fixed", fix="do not set frozen=False in Params", after=_MADE)
def _fixed(case: Case[Any]) -> None:
    """Check that no parameter can be changed after the component is made."""
    params = case.make().params
    for name in case.cls.Params.model_fields:
        try:
            setattr(params, name, None)
        except ValidationError:
            continue
        raise ComponentError(f"{case.cls.label()} has a parameter '{name}' that can be changed")


@check(ANY, "unknown parameters", fix="do not set extra='allow' or 'ignore' in Params", after=_MADE)
def _unknown(case: Case[Any]) -> None:
    """Check that an unknown parameter is refused by its name."""
    try:
        case.cls.configure(**{**case.values, "no-such-parameter": 0})
    except ComponentError as error:
        case.require("no-such-parameter" in error.message, "does not name an unknown parameter")
    else:
        raise ComponentError(f"{case.cls.label()} accepts unknown parameters")


@check(ANY, "fingerprint", fix="compute it from the parameters and the files that they name only", after=_MADE)
def _fingerprint(case: Case[Any]) -> None:
    """Check that the fingerprint is JSON, and the same at each call."""
    marks = [canonical_json(case.make().fingerprint()) for _ in range(2)]
    case.require(marks[0] == marks[1], "has a fingerprint that differs between two calls")


@check(ANY, "threads", fix="return a positive number of threads", after=_MADE)
def _threads(case: Case[Any]) -> None:
    """Check that the component works with at least one thread."""
    case.require(case.make().threads >= 1, f"declares {case.make().threads} threads")
