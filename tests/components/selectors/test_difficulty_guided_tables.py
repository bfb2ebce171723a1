"""The quotas of difficulty-guided sampling from the published tables."""

from __future__ import annotations

import numpy as np
import pytest
from difficulty_pools import choose, pool_of, selector

from ddbench import ComponentError

TABLES = {
    ("hill", 10): "1 0 1 0 3 3 1 0 0 1",
    ("hill", 20): "1 1 1 2 5 5 2 1 1 1",
    ("hill", 50): "1 3 5 6 10 10 6 5 3 1",
    ("ground", 10): "1 1 1 1 1 1 1 1 1 1",
    ("ground", 20): "2 2 2 2 2 2 2 2 2 2",
    ("ground", 50): "5 5 5 5 5 5 5 5 5 5",
    ("slope", 10): "3 3 1 1 0 0 1 1 0 0",
    ("slope", 20): "5 5 2 2 1 1 1 1 1 1",
    ("slope", 50): "10 10 6 6 5 5 3 3 1 1",
    ("cliff", 10): "6 3 0 1 0 0 0 0 0 0",
    ("cliff", 20): "9 6 1 1 1 1 1 0 0 0",
    ("cliff", 50): "20 15 3 3 2 2 2 1 1 1",
}


@pytest.mark.parametrize(("name", "ipc"), TABLES)
def test_tables(name: str, ipc: int) -> None:
    table = [int(x) for x in TABLES[name, ipc].split()]
    assert sum(table) == ipc
    pool = pool_of(np.linspace(0.01, 0.99, 5 * ipc))
    assert choose(pool, ipc, distribution=name).info["quota"] == table


@pytest.mark.parametrize(
    ("name", "ipc", "quota"),
    [
        ("hill", 1, "0 0 0 0 1 0 0 0 0 0"),
        ("slope", 15, "5 5 2 1 0 0 1 1 0 0"),  # halfway: the table of 10
        ("hill", 30, "2 2 2 3 8 7 3 1 1 1"),  # the table of 20 by 1.5
        ("cliff", 35, "16 10 2 2 2 2 1 0 0 0"),  # halfway: the table of 20
        ("cliff", 100, "40 30 6 6 4 4 4 2 2 2"),
    ],
)
def test_tables_are_scaled_to_other_ipcs(name: str, ipc: int, quota: str) -> None:
    info = choose(pool_of(np.linspace(0.01, 0.99, 5 * ipc)), ipc, distribution=name).info
    assert info["quota"] == [int(x) for x in quota.split()]


def test_tables_need_no_real_images_and_ten_bins() -> None:
    assert selector().needs == selector().needs_real == ("teacher.logits",)
    assert selector(teacher="resnet").needs == selector(teacher="resnet").needs_real == ("resnet.logits",)
    assert selector(teacher="resnet").needs_class == ("resnet.column",)
    assert selector(distribution="hill").needs_real == ()
    assert selector().default_pool == "5x"
    assert selector().seeded
    with pytest.raises(ComponentError, match="distribution 'hill' is a table of 10 bins, not 5"):
        selector(distribution="hill", bins=5)
