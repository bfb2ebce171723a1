"""The public toolkit: light to import, and whole."""

from __future__ import annotations

import pytest

from ddbench import toolkit
from ddbench.testing.conformance import heavy_imports


def test_importing_the_toolkit_imports_no_heavy_library() -> None:
    assert heavy_imports(["ddbench.toolkit"]) == {}


@pytest.mark.parametrize("name", toolkit.__all__)
def test_each_public_name_is_there(name: str) -> None:
    assert getattr(toolkit, name) is not None


def test_what_it_does_not_have() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        toolkit.nothing  # noqa: B018
