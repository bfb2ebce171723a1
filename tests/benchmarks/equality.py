"""Do students that are trained fast end as good as those of the plain loop? The same images, protocol and epochs.

    python -m tests.benchmarks.equality convnet3 100 12 plain fast     100 epochs, seeds 0 to 11, to `equality.json`
    python -m tests.benchmarks.equality                                the kept figures, as a table

It needs the data set `cifar10`: measured on 500 images, twelve trainings would tell less than a point apart.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Any, cast

import numpy as np
from scipy.special import stdtrit
from tabulate import tabulate

import ddbench
from ddbench import Dataset, LabeledImages
from ddbench.registry import catalogue
from tests.benchmarks.students import PROTOCOL, Work, pictures, resident, work
from tests.contexts import context

FILE = Path(__file__).with_name("equality.json")
SIDES = ("plain", "reference", "fast")
VALIDATION_IMAGES = 5000
CONFIDENCE, MARGIN = 0.90, 1.0


def task(student: str) -> Work:
    """Ten images a class of tiny-cifar, and the first test images of CIFAR-10."""
    from ddbench.train.images import resize

    what = work(student, ipc=10)
    whole = cast("Dataset", ddbench.create("dataset", "cifar10")).validation()
    few = slice(0, VALIDATION_IMAGES)
    images = LabeledImages(resize(whole.images[few], what.size), whole.labels[few], whole.ids[few])
    return what._replace(validation=images)


def plain(what: Work, epochs: int, seed: int) -> float:
    """Return the last accuracy of a training by the plain loop, in percent."""
    import torch

    from tests.benchmarks import plain_loop

    training = plain_loop.train_loader(pictures(what, what.training, plain_loop.train_transform))
    validation = plain_loop.validation_loader(pictures(what, what.validation, plain_loop.validation_transform))
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return plain_loop.train_student(what.build, training, validation, epochs, evaluations=1).last


def ours(what: Work, epochs: int, seed: int, numerics: str) -> float:
    """Return the last accuracy of a training by ddbench, in percent."""
    from ddbench.train.evaluate import predict
    from ddbench.train.trainer import train

    ctx, validation = context(numerics, seed=seed), resident(what, what.validation)
    trained = train(what.build, resident(what, what.training), catalogue().protocol(PROTOCOL), epochs, ctx)
    right = predict(trained.model, validation, ctx) == validation.labels
    return 100 * float(right.double().mean())


def difference(
    one: Sequence[float], other: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """``one`` less ``other``, and the bounds of its interval (Welch)."""
    shares = [statistics.variance(values) / len(values) for values in (one, other)]
    freedom = sum(shares) ** 2 / sum(s**2 / (len(v) - 1) for s, v in zip(shares, (one, other), strict=True))
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * sqrt(sum(shares))
    mean = statistics.fmean(one) - statistics.fmean(other)
    return mean, mean - half, mean + half


def add(student: str, epochs: int, seeds: int, wanted: Sequence[str]) -> None:
    """Train what is missing of the ``wanted`` sides, and keep each accuracy as soon as it is known."""
    import torch

    torch.set_num_threads(1)
    what = task(student)
    for seed in range(seeds):
        for side in wanted:
            if len(_kept().get(student, {}).get(side, [])) > seed:
                continue
            accuracy = plain(what, epochs, seed) if side == "plain" else ours(what, epochs, seed, side)
            kept = _kept()
            figures = kept.setdefault(student, {"epochs": epochs, "validation_images": VALIDATION_IMAGES})
            figures.setdefault(side, []).append(round(accuracy, 2))
            FILE.write_text(json.dumps(kept, indent=1) + "\n")


def _kept() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(FILE.read_text())) if FILE.exists() else {}


def table(kept: dict[str, Any]) -> str:
    """Accuracies, and how far ours are from the plain loop's."""
    rows = []
    for student, figures in kept.items():
        for side in (name for name in SIDES[1:] if name in figures):
            means = [
                f"{statistics.fmean(figures[s]):.1f} ± {statistics.stdev(figures[s]):.1f}" for s in ("plain", side)
            ]
            mean, low, high = difference(figures[side], figures["plain"])
            seeds = min(len(figures[s]) for s in ("plain", side))
            rows.append([student, side, figures["epochs"], seeds, *means, f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"])
    headers = ["student", "numerics", "epochs", "seeds", "plain loop", "ddbench", "difference"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        from ddbench.run.executors.worker_process import WORKER_ENVIRONMENT

        if any(os.environ.get(name) != value for name, value in WORKER_ENVIRONMENT.items()):
            module = [sys.executable, "-m", "tests.benchmarks.equality", *sys.argv[1:]]
            os.execve(sys.executable, module, {**os.environ, **WORKER_ENVIRONMENT})
        add(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    print(table(_kept()))
