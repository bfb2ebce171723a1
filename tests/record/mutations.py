"""JSON values with a few parts removed or replaced."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just({"a": {}}),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value but the whole."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, part in inside for found in [(*path, name), *places(part, (*path, name))]]


@st.composite
def mutated(draw: st.DrawFn, whole: dict[str, Any]) -> Any:
    """Return a JSON value with a few parts removed or replaced."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(value) or [()]))
        if not path:
            return copy.deepcopy(draw(JUNK))
        place: Any = value
        for part in path[:-1]:
            place = place[part]
        if draw(st.booleans()):
            place[path[-1]] = copy.deepcopy(draw(JUNK))
        else:
            del place[path[-1]]
    return value


def short(value: dict[str, Any]) -> dict[str, Any]:
    """Return a record with short lists, so that each of its keys is as likely to be hit."""
    made = {**value, "stages": [value["stages"][0], value["stages"][-1]]}
    made["result"] = {**value["result"], "curve": value["result"]["curve"][:2], "details": {}}
    return made
