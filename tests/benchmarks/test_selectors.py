"""Speed of selectors on one thread, relative to plain implementations."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

import ddbench
from ddbench import Context, Pool, Selector
from tests.benchmarks.alternating import minima

Array = np.ndarray[Any, Any]
IPC = 100
READ_PASSES = 1.3
FPSAMPLE, PLAIN_HERDING, PLAIN_POOL_SELECT = 5.0, 10.0, 200.0


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def pool_of(features: Array, logits: Array | None = None) -> Pool:
    fields = {"teacher.embedding": features} | ({} if logits is None else {"teacher.logits": logits})
    classes = 1 if logits is None else logits.shape[1]
    return Pool.from_arrays(
        labels=[0] * len(features),
        class_names=[f"class {c}" for c in range(classes)],
        fields=fields,
        class_fields={"teacher.column": np.arange(classes)},
    )


def selector(name: str, **params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", name, **params))


def gaussian(n: int, d: int, *, unit: bool = False) -> Array:
    features = np.random.default_rng(0).standard_normal((n, d), dtype=np.float32)
    return features / np.linalg.norm(features, axis=1, keepdims=True) if unit else features


def report(benchmark: Any, seconds: dict[str, float], side: str, other: str) -> float:
    """Return the time of ``other`` over that of ``side`` and store it with the benchmark."""
    ratio = seconds[other] / seconds[side]
    benchmark.extra_info |= {f"{name}_s": round(value, 5) for name, value in seconds.items()}
    benchmark.extra_info[f"{other} / {side}"] = round(ratio, 2)
    return ratio


@pytest.mark.parametrize("name", ["first", "random", "k-center", "herding"])
def test_select_100_of_10000(benchmark: Any, name: str) -> None:
    args = (pool_of(gaussian(10_000, 512)), IPC, Context())
    selection = benchmark.pedantic(selector(name).select, args=args, rounds=3, warmup_rounds=1)
    assert len(set(selection.indices)) == IPC


def plain_k_center(features: Array, first: int) -> list[int]:
    """From ``first``, all distances to each chosen sample, by difference, in float64."""
    near, chosen = np.full(len(features), np.inf), [first]
    while len(chosen) < IPC:
        center = features[chosen[-1]].astype(np.float64)
        for rows in np.array_split(np.arange(len(features)), 100):
            near[rows] = np.minimum(near[rows], ((features[rows] - center) ** 2).sum(1))
        chosen.append(int(near.argmax()))
    return chosen


@pytest.mark.parametrize("unit", [False, True], ids=["gaussian-from-the-mean", "sphere-from-anywhere"])
def test_k_center_against_reading_the_features(benchmark: Any, unit: bool) -> None:
    """100 of 100,000 x 512; on a sphere, from a random start, distances say least of each other."""
    features = gaussian(100_000, 512, unit=unit)
    pool, configured = pool_of(features), selector("k-center", start="random" if unit else "nearest-mean")
    tensor = pool.field("teacher.embedding")
    seconds = minima(select=lambda: configured.select(pool, IPC, Context()), numpy=features.sum, torch=tensor.sum)
    seconds["read_passes"] = IPC * min(seconds.pop("numpy"), seconds.pop("torch"))
    assert report(benchmark, seconds, "read_passes", "select") <= READ_PASSES
    selection = benchmark.pedantic(configured.select, args=(pool, IPC, Context()), rounds=1)
    assert list(selection.indices) == plain_k_center(features, selection.indices[0])


def test_k_center_against_fpsample(benchmark: Any) -> None:
    fpsample = pytest.importorskip("fpsample")
    features = gaussian(100_000, 512)
    pool, configured = pool_of(features), selector("k-center")
    first = configured.select(pool, 1, Context()).indices[0]
    seconds = minima(
        rounds=2,
        select=lambda: configured.select(pool, IPC, Context()),
        fpsample=lambda: fpsample.fps_sampling(features, IPC, start_idx=first),
    )
    assert report(benchmark, seconds, "select", "fpsample") >= FPSAMPLE
    benchmark.pedantic(configured.select, args=(pool, IPC, Context()), rounds=1)


def plain_herding(features: Array) -> list[int]:
    """All distances anew and all sorted for every choice, in the precision of ``features``."""
    mean = features.mean(0)
    chosen, total = list[int](), np.zeros_like(mean)
    for k in range(IPC):
        distances = np.linalg.norm(features - ((k + 1) * mean - total), axis=1)
        for i in np.argsort(distances, kind="stable").tolist():
            if i not in chosen:
                break
        chosen.append(i)
        total += features[i]
    return chosen


def test_herding_against_the_plain_loop(benchmark: Any) -> None:
    """100 of 2,000 x 1024. The bar is the loop in float64; in float32, where it can err, it is faster and shown."""
    features = gaussian(2_000, 1024)
    exact = features.astype(np.float64)
    pool, configured = pool_of(features), selector("herding")
    seconds = minima(
        rounds=5,
        select=lambda: configured.select(pool, IPC, Context()),
        plain=lambda: plain_herding(exact),
        single=lambda: plain_herding(features),
    )
    report(benchmark, seconds, "select", "single")
    assert report(benchmark, seconds, "select", "plain") >= PLAIN_HERDING
    selection = benchmark.pedantic(configured.select, args=(pool, IPC, Context()), rounds=1)
    assert list(selection.indices) == plain_herding(exact)


def plain_pool_select(embedding: Array, logits: Array) -> list[int]:
    """Select with the preset for IPC 100; at every step compute each candidate's distance to each chosen one."""

    def scaled(values: Array) -> Array:
        return (values - values.min()) / (values.max() - values.min())

    softened = np.exp((logits.astype(np.float64) - logits.max(1, keepdims=True)) / 1.5)
    softened /= softened.sum(1, keepdims=True)
    reliability = softened[:, 0]
    entropy = -(softened * np.log(softened)).sum(1) / np.log(logits.shape[1])
    candidates = [i for i in range(len(logits)) if logits[i].argmax() == 0]
    chosen = [max(candidates, key=lambda i: (reliability[i], -i))]
    while len(chosen) < IPC:
        distance = np.array([min(((e - embedding[j]) ** 2).sum() for j in chosen) for e in embedding])
        score = 0.5 * scaled(reliability) - scaled(entropy) + 3 * scaled(distance)
        chosen.append(max((i for i in candidates if i not in chosen), key=lambda i: (score[i], -i)))
    return chosen


def test_pool_select_against_the_plain_loop(benchmark: Any) -> None:
    """100 of 200 x 1024, nearly all of which pass the filter."""
    embedding, logits = gaussian(200, 1024), gaussian(200, 10)
    logits[:, 0] += 4
    pool, configured = pool_of(embedding, logits), selector("pool-select")
    exact, plain = embedding.astype(np.float64), list[list[int]]()

    def ours() -> Any:
        return cast("Any", configured.select_class(pool, IPC, Context())).indices

    seconds = minima(select=ours, plain=lambda: plain.append(plain_pool_select(exact, logits)))
    assert report(benchmark, seconds, "select", "plain") >= PLAIN_POOL_SELECT
    assert benchmark.pedantic(ours, rounds=1) == plain[0]
