"""Find random draws that no seed of a suite controls."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from ddbench.api import Component, Context
from ddbench.errors import ComponentError

_DECLARE = "declare `seeded = True` in its class, so that each seed of its axis is a set of its own"
_FROM_CONTEXT = "draw from `ctx.rng` or `ctx.torch_rng`, and declare `seeded = True` in its class"


@dataclass(frozen=True)
class UnseededContext(Context):
    """The context of a component that does not declare ``seeded``. It raises ComponentError on any use of the seed.

    Attributes:
        owner: the component, for messages.
    """

    owner: str = ""

    def __getattribute__(self, name: str) -> Any:
        if name == "seed":
            raise ComponentError(f"{self.owner} uses the seed, but does not declare it", hint=_DECLARE)
        return super().__getattribute__(name)

    def with_seed(self, seed: int) -> Context:
        """Return a plain context with the given seed."""
        values = {field.name: getattr(self, field.name) for field in fields(Context) if field.name != "seed"}
        return Context(**values, seed=seed)


def context_of(component: Component, ctx: Context) -> Context:
    """Return the context with which a component works: without a seed, if it does not declare ``seeded``."""
    if component.seeded:
        return ctx
    return UnseededContext(
        **{field.name: getattr(ctx, field.name) for field in fields(Context)}, owner=component.label()
    )


@contextmanager
def drawing(component: Component, ctx: Context, *, strict: bool = False) -> Iterator[Context]:
    """Yield the context for a component's work. Without a declared seed the work must draw nothing.

    Args:
        component: the component.
        ctx: the context with the seed.
        strict: refuse draws from global generators for seeded components too.

    Raises:
        ComponentError: the component used the seed or changed the state of a global random generator.
    """
    before = {} if component.seeded and not strict else _states()
    yield context_of(component, ctx)
    after = _states()
    for name in before:
        if before[name] != after[name]:
            raise ComponentError(f"{component.label()} draws from the global generator of {name}", hint=_FROM_CONTEXT)


def _states() -> dict[str, Any]:
    """Return the states of the global generators by library."""
    states: dict[str, Any] = {"random": random.getstate()}
    if (numpy := sys.modules.get("numpy")) is not None:
        _, keys, *rest = numpy.random.get_state()
        states["numpy"] = (keys.tobytes(), *rest)
    if (torch := sys.modules.get("torch")) is not None:
        states["torch"] = torch.get_rng_state().numpy().tobytes()
        if torch.cuda.is_initialized():
            states["torch.cuda"] = [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()]
    return states
