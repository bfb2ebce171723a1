"""Conformance checks of selectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ddbench.api import Context, Pool, Selection, Selector, canonical_json
from ddbench.testing.require import require
from ddbench.testing.specimens import specimen_pool
from ddbench.toolkit.draws import drawing

POOL = 20


def check_selector(cls: type[Selector], make: Callable[[], Selector], scratch: Path) -> None:
    """Check that a selector chooses IPC distinct samples of each class, repeatably and from the given pool only."""
    pool = _pool(make(), POOL)
    before = {name: values.clone() for name, values in pool.fields.items()}
    for ipc in (1, 3, POOL):
        chosen = make().select(pool, ipc, Context())
        _check_extras(cls, chosen, ipc)
        again = make().select(pool, ipc, Context())
        require(chosen == again, cls, f"chooses different samples the second time at IPC {ipc}")
    with drawing(make(), Context(), strict=True) as own:
        make().select(pool, 3, own)
    unchanged = all(values.equal(pool.fields[name]) for name, values in before.items())
    require(unchanged, cls, "changes the pool's fields")
    _check_prefix(cls, make, pool)
    _check_seed(cls, make, pool)


def _pool(selector: Selector, per_class: int) -> Pool:
    """Return a pool with only the fields that the selector declares."""
    return specimen_pool(selector.needs, per_class, needs_class=selector.needs_class, needs_real=selector.needs_real)


def _check_extras(cls: type[Selector], chosen: Selection, ipc: int) -> None:
    """Check that there is one score per sample and that info is JSON. ``select`` checks the choice itself."""
    scores = chosen.scores
    fit = scores is None or [len(s) for s in scores] == [ipc] * len(chosen.per_class)
    require(fit, cls, "does not have one score for each chosen sample")
    try:
        canonical_json(dict(chosen.info))
    except (TypeError, ValueError) as error:
        require(False, cls, f"has info that is not JSON: {error}")


def _check_prefix(cls: type[Selector], make: Callable[[], Selector], pool: Pool) -> None:
    """Check that the rest of a larger pool has no influence on the choice from its prefix, even if seen before."""
    used, larger = make(), _pool(make(), 3 * POOL)
    used.select(larger, 3, Context())
    prefix = larger.subset([i for own in larger.by_class for i in own[:POOL]])
    alone = pool.subset([i for own in pool.by_class for i in own])
    same = used.select(prefix, 3, Context()) == make().select(alone, 3, Context())
    require(same, cls, "chooses different samples of a pool after seeing a larger one")


def _check_seed(cls: type[Selector], make: Callable[[], Selector], pool: Pool) -> None:
    choices = {make().select(pool, 3, Context(seed=seed)).indices for seed in range(10)}
    require((len(choices) > 1) == make().seeded, cls, f"declares seeded = {make().seeded}, wrongly")
