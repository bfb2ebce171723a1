"""Conformance checks of selectors."""

from __future__ import annotations

import tracemalloc
from contextlib import nullcontext, suppress
from typing import Any, Final

from ddbench.api import Context, Pool, Selection, Selector, canonical_json
from ddbench.testing.checks import Case, NotedError, check, untouched
from ddbench.testing.specimens import specimen_pool
from ddbench.toolkit.draws import context_of

POOL: Final = 20
IPCS: Final = (1, 3, POOL)
# Growth of memory when the pool doubles: 2 if it is linear, 4 if it is quadratic.
_STEEP: Final = 3
_RUNS = ("parameters", "exact IPC")
_REPEATS = (*_RUNS, "repeats")


def _pool(selector: Selector, per_class: int = POOL) -> Pool:
    """Return a pool with only the fields that the selector declares."""
    return specimen_pool(selector.needs, per_class, needs_class=selector.needs_class, needs_real=selector.needs_real)


def _shared(case: Case[Selector]) -> Pool:
    return case.once("pool", lambda: _pool(case.make()))


def _with_fields(pool: Pool, fields: dict[str, Any]) -> Pool:
    """Return the same pool with other fields."""
    return Pool(
        pool.labels,
        pool.class_names,
        pool.sample_ids,
        fields,
        pool.class_fields,
        pool.latents,
        pool.real,
        pool.image_source,
    )


@check("selector", "exact IPC", fix="return exactly `ipc` different positions below `len(pool)`", after=("parameters",))
def _exact(case: Case[Selector]) -> None:
    """Check that exactly IPC different samples of each class are chosen."""
    for ipc in IPCS:
        selector = case.make()
        selector._check_choice(_shared(case), ipc, selector.choose(_shared(case), ipc, Context()))


@check("selector", "finite scores", fix="return one finite number for each chosen sample", after=_RUNS)
def _finite(case: Case[Selector]) -> None:
    """Check that there is one finite score for each chosen sample, or none at all."""
    for ipc in IPCS:
        chosen = case.make().choose(_shared(case), ipc, Context())
        lengths = None if chosen.scores is None else [len(s) for s in chosen.scores]
        fit = lengths in (None, [len(own) for own in chosen.per_class])
        case.require(fit, "does not have one score for each chosen sample")
        case.make()._check_scores(_shared(case), chosen)


@check(
    "selector",
    "equal rows",
    fix="guard divisions by zero, such as a distance or a norm of 0",
    after=(*_RUNS, "finite scores"),
)
def _equal_rows(case: Case[Selector]) -> None:
    """Check that equal rows, two or all of a class, give a valid choice with finite scores."""
    pool = _shared(case)
    for equal in (2, POOL):
        rows = [own[0 if i < equal else i] for own in pool.by_class for i in range(POOL)]
        order = [i for own in pool.by_class for i in own]
        twins = pool.subset(order)
        case.make().select(_with_fields(twins, {k: v[rows] for k, v in pool.fields.items()}), 3, Context())


@check("selector", "info as JSON", fix="use numbers, strings, booleans and lists of them", after=_RUNS)
def _info(case: Case[Selector]) -> None:
    """Check that the further values of a selection are JSON."""
    chosen = case.make().choose(_shared(case), 3, Context())
    try:
        canonical_json(dict(chosen.info))
    except (TypeError, ValueError) as error:
        case.require(False, f"has info that is not JSON: {error}")


@check("selector", "global random state", fix="draw from `ctx.rng` or `ctx.torch_rng`", after=_RUNS)
def _global(case: Case[Selector]) -> None:
    """Check that the global random generators of Python, NumPy and torch are not used."""
    with untouched(case.make()):
        case.make().choose(_shared(case), 3, Context())


@check(
    "selector",
    "repeats",
    fix="keep no state between calls, and break ties by position",
    after=(*_RUNS, "global random state"),
)
def _repeats(case: Case[Selector]) -> None:
    """Check that the same pool and seed give the same choice."""
    for ipc in IPCS:
        first, second = (_comparable(case.make().choose(_shared(case), ipc, Context())) for _ in range(2))
        case.require(first == second, f"chooses different samples the second time at IPC {ipc}")


@check("selector", "pool unchanged", fix="copy a field before you change it: `pool.field(name).clone()`", after=_RUNS)
def _unchanged(case: Case[Selector]) -> None:
    """Check that the pool's fields are not changed."""
    pool = _pool(case.make())
    before = {name: values.clone() for name, values in pool.fields.items()}
    case.make().choose(pool, 3, Context())
    unchanged = all(values.equal(pool.fields[name]) for name, values in before.items())
    case.require(unchanged, "changes the pool's fields")


@check(
    "selector",
    "prefix",
    fix="compute everything from the given pool, and keep nothing of an earlier one",
    after=_REPEATS,
)
def _prefix(case: Case[Selector]) -> None:
    """Check that the rest of a larger pool, also NaN there, has no influence on the choice from its prefix."""
    pool, larger = _shared(case), _pool(case.make(), 3 * POOL)
    alone = pool.subset([i for own in pool.by_class for i in own])
    expected = _comparable(case.make().choose(alone, 3, Context()))
    first = [i for own in larger.by_class for i in own[:POOL]]
    for rest in (1.0, float("nan")):
        fields = {
            name: values * rest if values.is_floating_point() else values for name, values in larger.fields.items()
        }
        for name, values in fields.items():
            values[first] = larger.fields[name][first]
        used = case.make()
        with nullcontext() if rest == 1 else suppress(Exception):  # NaN may be refused
            used.choose(_with_fields(larger, fields), 3, Context())
        chosen = _comparable(used.choose(larger.subset(first), 3, Context()))
        case.require(chosen == expected, "chooses different samples of a pool after seeing a larger one")


@check(
    "selector", "seeded", fix="declare `seeded = True` exactly if the choice depends on `ctx`'s seed", after=_REPEATS
)
def _seeded(case: Case[Selector]) -> None:
    """Check that `seeded` says whether the choice depends on the seed."""
    case.make().choose(_shared(case), 3, context_of(case.make(), Context()))
    choices = {case.make().choose(_shared(case), 3, Context(seed=seed)).indices for seed in range(10)}
    case.require((len(choices) > 1) == case.make().seeded, f"declares seeded = {case.make().seeded}, wrongly")


@check(
    "selector", "classes apart", fix="find a class's samples with `pool.by_class`, not by their place", after=_REPEATS
)
def _apart(case: Case[Selector]) -> None:
    """Check that it does not matter whether the samples of a class stand together in the pool."""
    together = _shared(case).subset([i for own in _shared(case).by_class for i in own])
    case.require(
        _ids(case, together) == _ids(case, _shared(case)), "chooses others if a class's samples stand together"
    )


@check("selector", "order of samples", fix="", after=_REPEATS)
def _order(case: Case[Selector]) -> None:
    """Check that the order of samples matters only for ties, or for methods that are about order."""
    if case.make().seeded:
        case.skip("draws positions")
    backwards = _shared(case).subset(range(len(_shared(case)))[::-1])
    if [sorted(own) for own in _ids(case, backwards)] != [sorted(own) for own in _ids(case, _shared(case))]:
        raise NotedError("chooses other samples if the pool's order is reversed")


@check("selector", "memory", fix="", after=_REPEATS)
def _memory(case: Case[Selector]) -> None:
    """Check that the largest array grows about linearly with the pool."""
    sizes = (POOL, 2 * POOL, 4 * POOL)
    peaks = [_largest(case.make(), _pool(case.make(), size)) for size in sizes]
    if peaks[2] > _STEEP * peaks[1] > 0:
        shown = ", ".join(f"{peak / 2**20:.2f} MiB" for peak in peaks)
        raise NotedError(f"needs {shown} for {', '.join(map(str, sizes))} candidates of each class")


def _largest(selector: Selector, pool: Pool) -> int:
    """Return the bytes of torch's largest tensor, or the peak of Python and NumPy if that is more."""
    from torch import Tensor
    from torch.overrides import TorchFunctionMode

    sizes = [0]

    class Sizes(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            sizes.extend(
                one.nbytes for one in (made if isinstance(made, tuple) else (made,)) if isinstance(one, Tensor)
            )
            return made

    tracemalloc.start()
    try:
        with Sizes():
            selector.choose(pool, 3, Context())
        return max(tracemalloc.get_traced_memory()[1], *sizes)
    finally:
        tracemalloc.stop()


def _ids(case: Case[Selector], pool: Pool) -> list[list[str]]:
    chosen = case.make().choose(pool, 3, Context()).per_class
    return [[pool.sample_ids[i] for i in own] for own in chosen]


def _comparable(chosen: Selection) -> tuple[Any, ...]:
    """Return the choice with scores as text, in which NaN equals NaN."""
    return chosen.per_class, str(chosen.scores), str(dict(chosen.info))
