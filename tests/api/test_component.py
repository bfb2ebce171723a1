"""Tests of ``@component``: accepted classes, checks of parameters, and the parameters that enter a key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, PydanticUserError, ValidationError, model_validator

import ddbench
from ddbench import ComponentError, Generator, Selector, Student, component, unkeyed
from ddbench.api import Fittable
from ddbench.registry import catalogue


class Plain(Selector):
    """Chooses.

    More is said here.
    """

    class Params(ddbench.Params):
        size: int = 3
        metric: Literal["l2", "cosine"] = "l2"
        scale: float = 1.0
        count: Literal["all"] | Annotated[int, Field(ge=1)] = "all"
        where: str = unkeyed("here")

        @model_validator(mode="after")
        def _even_with_cosine(self) -> Plain.Params:
            if self.metric == "cosine" and self.size % 2:
                raise ValueError("cosine wants an even size")
            return self


def test_a_declaration_is_kept_as_info() -> None:
    cls = component("selector", "plain-2", version=3, paper="arXiv:1")(
        type("Plain2", (Plain,), {"__doc__": Plain.__doc__})
    )
    info = cls.info
    assert (info.kind, info.name, info.version, info.summary, info.paper) == (
        "selector",
        "plain-2",
        3,
        "Chooses.",
        "arXiv:1",
    )
    assert cls.label() == "selector 'plain-2'"
    assert "info" not in vars(Plain), "the base class is left alone"


@pytest.mark.parametrize(
    ("kind", "name", "version", "doc", "words"),
    [
        ("student", "a", 1, "Doc.", "declared as a student"),
        ("no-kind", "a", 1, "Doc.", "declared as a no-kind"),
        ("selector", "Bad", 1, "Doc.", "'Bad' is not a kebab-case name"),
        ("selector", "a_b", 1, "Doc.", "'a_b' is not a kebab-case name"),
        ("selector", "a--b", 1, "Doc.", "'a--b' is not"),
        ("selector", "", 1, "Doc.", "'' is not"),
        ("selector", "a", 0, "Doc.", "version 0 is not"),
        ("selector", "a", 1, "", "has no docstring"),
        ("selector", "a", 1, "  \n ", "has no docstring"),
        ("selector", "a", 1, None, "has no docstring"),
    ],
)
def test_what_breaks_the_rules_of_declaration_is_refused(
    kind: str, name: str, version: int, doc: str | None, words: str
) -> None:
    cls = type("Broken", (Plain,), {"__doc__": doc, "__module__": "somewhere"})
    with pytest.raises(ComponentError) as caught:
        component(kind, name, version=version)(cls)
    assert words in str(caught.value)
    assert caught.value.where == "somewhere.Broken"
    assert "\n" not in str(caught.value)


Known = component("selector", "known", version=1)(type("Known", (Plain,), {"__doc__": "Chooses."}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sise": 4}, "selector 'known': unknown parameter 'sise'; did you mean 'size'?"),
        ({"size": "many"}, "selector 'known': parameter 'size' is 'many': input should be a valid integer"),
        ({"metric": "l1"}, "selector 'known': parameter 'metric' is 'l1': input should be 'l2' or 'cosine'"),
        ({"scale": float("nan")}, "selector 'known': parameter 'scale' is nan: input should be a finite number"),
        ({"scale": "inf"}, "selector 'known': parameter 'scale' is 'inf': input should be a finite number"),
        ({"count": 0}, "selector 'known': parameter 'count' is 0: input should be 'all', or greater than or equal"),
        ({"count": "x"}, "selector 'known': parameter 'count' is 'x': input should be 'all', or a valid integer"),
        ({"metric": "cosine"}, "selector 'known': cosine wants an even size"),
    ],
)
def test_a_wrong_parameter_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ComponentError) as caught:
        Known.configure(**values)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


class Numbers(Selector):
    """Chooses."""

    class Params(ddbench.Params):
        guidance: float = 4.0
        steps: Annotated[int, Field(ge=1)] | None = None
        count: Literal["all"] | int = "all"
        mean: tuple[float, float] = (0.0, 0.0)
        shares: dict[str, float] | None = None
        fast: bool = False
        depth: bool | int = 3


OfNumbers = component("selector", "of-numbers", version=1)(Numbers)


@pytest.mark.parametrize(
    "values",
    [
        {"guidance": True},
        {"steps": True},
        {"steps": False},
        {"count": True},
        {"mean": [True, 0]},
        {"shares": {"a": False}},
    ],
    ids=str,
)
def test_a_boolean_is_no_number(values: dict[str, Any]) -> None:
    ((name, value),) = values.items()
    with pytest.raises(ComponentError) as caught:
        OfNumbers.configure(**values)
    assert str(caught.value) == f"selector 'of-numbers': parameter '{name}' is {value!r}: input should be a number"


def test_booleans_are_taken_where_they_are_meant() -> None:
    params: Any = OfNumbers.configure(fast=True, depth=True, guidance="4", steps=2).params
    assert (params.fast, params.depth, params.guidance, params.steps) == (True, True, 4.0, 2)


def test_no_number_of_any_component_is_a_boolean() -> None:
    tried = 0
    for cls in catalogue().components():
        for name, schema in cls.Params.model_json_schema().get("properties", {}).items():
            types = {part.get("type") for part in [schema, *schema.get("anyOf", [])]}
            if types & {"number", "integer"} and "boolean" not in types:
                with pytest.raises(ValidationError) as caught:
                    cls.Params(**{name: True})
                assert (name, "Value error, input should be a number") in {
                    (error["loc"][0], error["msg"]) for error in caught.value.errors() if error["loc"]
                }
                tried += 1
    assert tried > 50


def test_a_parameter_without_default_is_required() -> None:
    class Needy(Plain):
        """Needs."""

        class Params(ddbench.Params):
            root: str

    with pytest.raises(ComponentError, match="parameter 'root' is required"):
        component("selector", "needy", version=1)(Needy).configure()


def test_every_parameter_enters_the_key_but_what_is_declared_not_to() -> None:
    params = Known.configure(size="4", where="there").params
    assert params.keyed() == {"size": 4, "metric": "l2", "scale": 1.0, "count": "all"}
    assert params.model_dump()["where"] == "there"


def test_parameters_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Known.configure().params.size = 5  # type: ignore[attr-defined]


def test_a_component_with_a_fit_is_known_by_it() -> None:
    class Fitted(Plain):
        def fit(self, data: object, out_dir: object, ctx: object) -> None: ...

    assert isinstance(Fitted(), Fittable)
    assert not isinstance(Plain(), Fittable)


@pytest.mark.parametrize("base", [Generator, Student])
def test_a_base_class_without_its_method_cannot_be_built(base: type) -> None:
    with pytest.raises(TypeError, match="abstract"):
        base()


def test_parameters_that_no_model_can_hold_are_refused_where_they_are_declared() -> None:
    with pytest.raises(PydanticUserError, match="Opaque"):
        type("Params", (ddbench.Params,), {"__module__": __name__, "__annotations__": {"x": type("Opaque", (), {})}})
