"""The page of the components that come with ddbench, from the catalogue."""

from __future__ import annotations

from typing import Any

from ddbench import Component
from ddbench.registry import catalogue

from .text import code, fields, prose, table

_KINDS = {
    "dataset": "Real images in two splits.",
    "generator": "The source of candidate images.",
    "scorer": "A frozen network that writes fields about each image.",
    "selector": "The choice of candidates for the distilled set.",
    "refiner": "Changes of the selected images.",
    "evaluator": "The measurement of a distilled set.",
    "student": "The network that is trained on a distilled set.",
}
# Class attributes that declare needs and fields of a component, in addition to the properties of selectors.
_FACTS = {
    "generator": ("finite", "has_latents"),
    "scorer": ("provides", "provides_per_class", "teaches"),
    "selector": ("default_pool",),
    "refiner": ("needs_latents", "needs_soft"),
}
_NEEDS = ("needs", "needs_class", "needs_real")


def page() -> str:
    """Return a section for each component, by kind and name."""
    parts = ["# Components", "Each component that comes with ddbench. `ddbench describe NAME` prints the same."]
    known = catalogue()
    for kind, meaning in _KINDS.items():
        own = [cls for cls in known.components(kind) if known.owner(cls).split()[0] == "ddbench"]
        parts += [f"## {kind}", meaning, *map(_component, own)]
    return "\n\n".join(parts)


def _component(cls: type[Component]) -> str:
    info = cls.info
    facts = [f"version {info.version}", *([f"source: {info.paper}"] if info.paper else [])]
    facts += [f"`{name}`: {_shown(getattr(cls, name))}" for name in _FACTS.get(info.kind, ()) if getattr(cls, name)]
    facts += _needs(cls)
    rows = [(f"`{name}`", *rest) for name, *rest in fields(cls.Params)]
    parts = [f"### {info.kind}/{info.name}", prose(cls.__doc__), "\n".join(f"- {fact}" for fact in facts)]
    if rows:
        parts.append(table(("parameter", "value", "default", "meaning"), rows))
    return "\n\n".join(parts)


def _needs(cls: type[Component]) -> list[str]:
    """Return the fields that a selector needs with its default parameters."""
    if cls.info.kind != "selector":
        return []
    selector: Any = cls.configure()
    return [f"`{name}`: {_shown(getattr(selector, name))}" for name in _NEEDS if getattr(selector, name)]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value)
    return "yes" if value is True else code(value)
