"""The libraries of a component, read from its code. A missing library hides only the modules that need it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ddbench.errors import ComponentError
from ddbench.registry import Catalogue, catalogue
from ddbench.registry.libraries import LIBRARIES, absent_libraries, needed_by, needs
from tests.registry.packages import package, selector


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("selector", "first", ()),
        ("selector", "k-center", ("torch", "numba")),  # numba by way of ddbench.toolkit
        ("scorer", "timm", ("torch", "torchvision", "timm")),
        ("scorer", "open-clip", ("torch", "torchvision", "open_clip")),
        ("generator", "dit-nano", ("torch", "diffusers")),
        ("generator", "mode-guidance", ("torch", "diffusers", "sklearn")),
        ("evaluator", "student", ("torch", "torchvision", "numba")),
    ],
)
def test_what_a_component_needs(kind: str, name: str, wanted: tuple[str, ...]) -> None:
    assert needs(catalogue().get(kind, name)) == wanted


def test_what_is_installed_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    timm = catalogue().get("scorer", "timm")
    present = [name for name in LIBRARIES if name not in absent_libraries()]
    assert not set(needs(timm)) & set(present)
    monkeypatch.setitem(sys.modules, "timm", None)  # type: ignore[arg-type]
    assert needed_by([timm, catalogue().get("selector", "first")])["timm"] == ["scorer 'timm'"]


def test_a_module_that_lacks_a_library_hides_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "timm", None)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "sklearn", None)  # type: ignore[arg-type]
    files = {
        "a.py": selector("light"),
        "b.py": selector("lacking", top="import timm"),
        "c/d.py": selector("other", top="import sklearn"),
    }
    known = Catalogue([package(tmp_path, "half_there", files)])
    assert [cls.info.name for cls in known.components()] == ["light"]
    assert known.left_out() == [
        "half_there.b (half_there 1.0) is left out, it needs timm: pip install timm",
        "half_there.c.d (half_there 1.0) is left out, it needs sklearn: pip install scikit-learn",
    ]
    with pytest.raises(ComponentError, match=r"half_there\.b .* is left out, it needs timm: pip install timm"):
        known.get("selector", "lacking")


def test_a_module_that_a_plug_in_misspells_is_a_mistake_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = package(tmp_path, "misspelt", {"a.py": selector("light", top="import misspelt.nothing")})
    known = Catalogue([entry])
    assert known.left_out() == []
    (plugin,) = known.plugins.values()
    assert "No module named 'misspelt.nothing'" in (plugin.error or "")
