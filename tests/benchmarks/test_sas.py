"""Speed of stage 2 of SAS on one thread, relative to its one necessary matrix product."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

import ddbench
from ddbench import Context, Pool, Selector
from tests.benchmarks.alternating import minima

if TYPE_CHECKING:
    import torch

N, D, IPC = 100_000, 512, 100
PRODUCTS = 3.0
SELECTION = 4.0


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def unit(features: torch.Tensor) -> torch.Tensor:
    return features / features.norm(dim=1, keepdim=True)


def gaussian() -> torch.Tensor:
    """Directions without preference: samples are about π/2 apart."""
    import torch

    return unit(torch.randn(N, D, generator=torch.Generator().manual_seed(0)))


def cone() -> torch.Tensor:
    """About a common direction, as the embeddings of one class are."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return unit(torch.randn(D, generator=generator) + 0.6 * torch.randn(N, D, generator=generator))


def products(features: torch.Tensor) -> dict[str, Callable[[], Any]]:
    """Return the matrix product of n · D · IPC multiplications in each library."""
    members, as_numpy = features[:IPC].clone(), features.numpy()
    return {"torch": lambda: features @ members.T, "numpy": lambda: as_numpy @ members.numpy().T}


def ratio_to_product(benchmark: Any, seconds: dict[str, float], side: str) -> float:
    ratio = seconds[side] / min(seconds["torch"], seconds["numpy"])
    benchmark.extra_info |= {f"{name}_s": round(value, 4) for name, value in seconds.items()}
    benchmark.extra_info[f"{side} / product"] = round(ratio, 2)
    return ratio


def plain_stage_2(features: np.ndarray[Any, Any]) -> list[int]:
    """One candidate after the other, in float64, sums kept up to date."""

    def angles(cosines: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return cast("np.ndarray[Any, Any]", np.arccos(np.clip(cosines, -1 + 1e-6, 1 - 1e-6)))

    members, rows = list(range(IPC)), features[:IPC].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    between = angles(rows @ rows.T)
    np.fill_diagonal(between, 0)
    for i in range(IPC, len(features)):
        row = features[i].astype(np.float64)
        row /= np.linalg.norm(row)
        to = angles(rows @ row)
        sums = between.sum(1) + to
        place = int(sums.argmin())
        if sums[place] < to.sum():
            to[place] = 0
            between[place], between[:, place], rows[place], members[place] = to, to, row, i
    return members


@pytest.mark.parametrize("make", [gaussian, cone])
def test_stage_2_against_a_matrix_product(benchmark: Any, make: Callable[[], torch.Tensor]) -> None:
    """100 of 100,000 x 512 in pool order. It is more than a product: features are brought to unit length on the way."""
    import torch
    from ddbench_components.selectors._sas_stage2 import exchange

    features, order = make(), torch.arange(N)
    seconds = minima(rounds=5, exchange=lambda: exchange(features, order, order, IPC), **products(features))
    assert ratio_to_product(benchmark, seconds, "exchange") <= PRODUCTS
    kept, exchanges = benchmark.pedantic(exchange, args=(features, order, order, IPC), rounds=1)
    assert sorted(kept.tolist()) == sorted(plain_stage_2(features.numpy()))
    benchmark.extra_info["exchanges"] = exchanges


def test_selection_against_a_matrix_product(benchmark: Any) -> None:
    """All of it: margins, filter, and candidates that come the most typical first, so that many get in."""
    features = cone()
    pool = Pool.from_arrays(
        labels=[0] * N,
        class_names=["class 0"],
        fields={"clip.image": features},
        class_fields={"clip.text": features.mean(0, keepdim=True)},
    )
    selector = cast("Selector", ddbench.create("selector", "sas"))
    seconds = minima(rounds=5, select=lambda: selector.select(pool, IPC, Context()), **products(features))
    assert ratio_to_product(benchmark, seconds, "select") <= SELECTION
    selection = benchmark.pedantic(selector.select, args=(pool, IPC, Context()), rounds=1)
    benchmark.extra_info |= selection.info["0"]
