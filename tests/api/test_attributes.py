"""Parameters that are declared as attributes of a component's class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

import ddbench
from ddbench import ComponentError, Context, FieldName, Pool, Selector, component
from ddbench.testing import check_component


@component("selector", "last-ones", version=1)
class LastOnes(Selector):
    """Select the samples with the largest values."""

    field: FieldName = "teacher.embedding"
    skip: Annotated[int, Field(ge=0)] = 0
    pool: Literal["a", "b"] = Field("a", description="any name is the component's own")
    limits: ClassVar[tuple[int, int]] = (0, 1)
    default_pool = "8x"
    _cache: dict[str, int]
    images: dict[str, int]

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> list[int]:
        order = pool.field(self.field).sum(1).argsort(descending=True, stable=True)
        chosen: list[int] = order[self.skip : self.skip + ipc].tolist()
        return chosen


def test_they_are_parameters_like_those_of_a_class() -> None:
    class Params(ddbench.Params):
        field: FieldName = "teacher.embedding"
        skip: Annotated[int, Field(ge=0)] = 0
        pool: Literal["a", "b"] = Field("a", description="any name is the component's own")

    assert LastOnes.Params.model_json_schema() == Params.model_json_schema()
    made = LastOnes.configure(skip=2)
    assert isinstance(made, LastOnes)
    assert (made.skip, made.pool, made.needs, made.limits) == (2, "a", ("teacher.embedding",), (0, 1))
    assert json.loads(made.params.model_dump_json()) == made.params.keyed()


def test_such_a_component_keeps_the_contract(tmp_path: Path) -> None:
    check_component(LastOnes, tmp_path)
    with pytest.raises(AttributeError):
        LastOnes().skip = 3


def test_the_choice_follows_the_parameter() -> None:
    fields = {"teacher.embedding": [[1.0], [3.0], [2.0]]}
    pool = Pool.from_arrays(labels=[0, 0, 0], class_names=["a"], fields=fields)
    assert LastOnes().select(pool, 2, Context()).indices == (1, 2)
    assert LastOnes.configure(skip=1).select(pool, 2, Context()).indices == (2, 0)


def test_a_subclass_changes_a_default_and_adds_a_parameter() -> None:
    @component("selector", "later-ones", version=1)
    class LaterOnes(LastOnes):
        """Skip one."""

        skip: Annotated[int, Field(ge=0)] = 1
        more: bool = Field()

    made = LaterOnes.configure(more=True)
    with pytest.raises(ComponentError, match="parameter 'more' is required"):
        LaterOnes.configure()
    assert isinstance(made, LaterOnes)
    assert (made.skip, made.more, made.field) == (1, True, "teacher.embedding")
    assert LastOnes().skip == 0


@pytest.mark.parametrize(("values", "told"), [({"skp": 1}, "skip"), ({"skip": -1}, "greater than or equal to 0")])
def test_mistakes_in_values_are_told(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ComponentError, match=told):
        LastOnes.configure(**values)


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ({"info": "str"}, "'info' cannot be a parameter; rename it"),
        (
            {"model": "Modul"},
            "parameter 'model' has a type that cannot be read: name 'Modul' is not defined; import the type",
        ),
        ({"model": object.__new__}, "the parameters model cannot be read"),
    ],
)
def test_mistakes_in_declarations_are_told(annotations: dict[str, Any], told: str) -> None:
    values = dict.fromkeys(annotations, None)
    about = {"__annotations__": annotations, "__doc__": "Broken.", "__module__": __name__}
    cls = type("Broken", (Selector,), {**about, **values})
    with pytest.raises(ComponentError, match=told) as raised:
        component("selector", "broken-one", version=1)(cls)
    assert str(raised.value).startswith(f"{__name__}.Broken: ")
    assert "\n" not in str(raised.value)
