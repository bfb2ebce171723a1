"""Every registered component goes through its kind's checks by being registered."""

from __future__ import annotations

from pathlib import Path

import pytest

import ddbench
from ddbench import Component, ComponentError, Dataset
from ddbench.registry import catalogue
from ddbench.testing import Specimen, check_behaviour, check_declaration, heavy_imports

# Registered by the example plug-in to be found out.
BROKEN = {("selector", "careless"): "chose the same sample twice"}
COMPONENTS = {f"{cls.info.kind}/{cls.info.name}": cls for cls in catalogue().components()}


@pytest.fixture
def cls(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Component]:
    """Return a component. If its example is a data set, keep its files out of the user's data folder."""
    found = COMPONENTS[name]
    if issubclass(found, Dataset) and found.example(Specimen().training(), tmp_path / "unused"):
        monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    return found


@pytest.mark.parametrize("name", COMPONENTS)
def test_declaration(cls: type[Component], tmp_path: Path) -> None:
    check_declaration(cls, tmp_path)


@pytest.mark.parametrize("name", COMPONENTS)
def test_behaviour(cls: type[Component], tmp_path: Path) -> None:
    if issubclass(cls, Dataset) and cls.configure(**cls.example(Specimen().training(), tmp_path / "unused")).missing():
        pytest.skip(f"data set '{cls.info.name}' is not on this machine")
    problem = BROKEN.get((cls.info.kind, cls.info.name))
    if problem is None:
        check_behaviour(cls, tmp_path)
        return
    with pytest.raises(ComponentError, match=problem):
        check_behaviour(cls, tmp_path)


def test_no_component_imports_torch_before_it_works() -> None:
    assert heavy_imports(sorted({cls.__module__ for cls in COMPONENTS.values()})) == {}


def test_heavy_imports_are_found() -> None:
    assert "torch" in heavy_imports(["ddbench.api", "ddbench.train.trainer"])["ddbench.train.trainer"]


def test_every_kind_has_a_registered_component_to_check() -> None:
    assert {name.partition("/")[0] for name in COMPONENTS} == set(ddbench.api.KINDS)
