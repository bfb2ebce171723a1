"""The checks of a declaration find what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ddbench
from ddbench import Component, ComponentError, component
from ddbench.testing import check_component, check_declaration
from tests.testing.conforming import FineSelector


class Bare(FineSelector):
    """Not declared itself."""


@component("selector", "thawed", version=1)
class Thawed(FineSelector):
    """Its parameters can be changed."""

    class Params(ddbench.Params, frozen=False):
        width: int = 1


@component("selector", "loose", version=1)
class Loose(FineSelector):
    """It takes any parameter."""

    class Params(ddbench.Params, extra="allow"):
        pass


@component("selector", "lossy", version=1)
class Lossy(FineSelector):
    """Its parameter reads otherwise than it is written."""

    class Params(ddbench.Params):
        value: float | str = "1"

        def model_dump(self, **kwargs: Any) -> dict[str, Any]:
            return {"value": 1.0}


@component("selector", "demanding", version=1)
class Demanding(FineSelector):
    """It requires a parameter and gives no example."""

    class Params(ddbench.Params):
        width: int


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (Bare, "Bare: is not declared with @component"),
        (Thawed, "has a parameter 'width' that can be changed"),
        (Loose, "accepts unknown parameters"),
        (Lossy, "has parameters that differ when read back from their JSON"),
        (Demanding, "parameter 'width' is required"),
    ],
)
def test_a_wrong_declaration_is_found_out(cls: type[Component], problem: str, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=problem):
        check_declaration(cls, tmp_path)


def test_parameters_can_be_given_instead_of_an_example(tmp_path: Path) -> None:
    check_component(Demanding, tmp_path, width=3)
