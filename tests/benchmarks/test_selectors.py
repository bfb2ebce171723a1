"""How long selectors take: 10,000 samples of one class, 512 features, 100 to choose."""

from __future__ import annotations

from typing import Any, cast

import pytest

import ddbench
from ddbench import Context, Pool, Selector


@pytest.mark.parametrize("name", ["first", "random", "k-center", "herding"])
def test_select_100_of_10000(benchmark: Any, name: str) -> None:
    import torch

    torch.set_num_threads(1)
    features = torch.randn(10_000, 512, generator=torch.Generator().manual_seed(0))
    pool = Pool.from_arrays(labels=[0] * 10_000, class_names=["class"], fields={"teacher.embedding": features})
    selector = cast("Selector", ddbench.create("selector", name))
    selection = benchmark.pedantic(selector.select, args=(pool, 100, Context()), rounds=3, warmup_rounds=1)
    assert len(set(selection.indices)) == 100
