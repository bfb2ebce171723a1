"""The specimens that components are checked with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench import Pool
from ddbench.testing import specimen_pool

if TYPE_CHECKING:
    import torch


def test_the_specimen_pool_grows_at_its_end() -> None:
    def rows(pool: Pool) -> list[torch.Tensor]:
        return [pool.field("t.logits"), pool.field("t.embedding"), pool.images, pool.labels]

    small = specimen_pool(["t.logits", "t.embedding"], per_class=2)
    large = specimen_pool(["t.logits", "t.embedding"], per_class=5)
    for a, b in zip(rows(small), rows(large), strict=True):
        assert a.equal(b[:6])
    assert small.sample_ids == large.sample_ids[:6]
    assert [tuple(row.shape) for row in rows(small)] == [(6, 3), (6, 8), (6, 3, 32, 32), (6,)]
