"""Do students that ddbench trains on `dit-nano` images end as good as those of the plain loop? Many seeds decide.

    python -m tests.benchmarks.parity LOG resnetap10 100 plain fast   train seeds 0 to 99 of each side, append to LOG
    python -m tests.benchmarks.parity LOG --keep                      copy them to `parity.json` and to the docs
    python -m tests.benchmarks.parity LOG                             the accuracies of LOG, as a table
    python -m tests.benchmarks.parity                                 the kept accuracies, as a table

A stopped run continues with the missing seeds. The sides alternate, so LOG can be read at any time. Students are
measured on the first 2,000 test images of the data set `cifar10`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from tabulate import tabulate

import ddbench
from ddbench import Context, Generator
from tests.benchmarks import equality
from tests.benchmarks.students import Work, dataset

if TYPE_CHECKING:
    from ddbench import Dataset, LabeledImages

FILE = Path(__file__).with_name("parity.json")
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
EPOCHS = {"resnetap10": 40, "convnet3": 60}
SIDES = ("plain", "fast", "reference")
IPC, SIZE, CONFIDENCE, FEWEST_SEEDS = 10, 32, 0.95, 10
# Seeds of the plain loop begin here, so that no number seeds two sides.
FIRST_PLAIN_SEED = 1_000_000
TEST_IMAGES = 2000

# The accuracies of each student and side in percent, ordered by seed.
Accuracies: TypeAlias = dict[str, dict[str, list[float]]]


class Training(NamedTuple):
    """A finished training: one line of the log."""

    student: str
    side: str
    seed: int
    accuracy: float
    seconds: float


@cache
def generated() -> LabeledImages:
    """Return ten images of each class, which `dit-nano` draws with its defaults and seed 0."""
    import torch

    from ddbench import LabeledImages

    data, ctx = dataset().training(), Context(seed=0)
    generator = cast("Generator", ddbench.create("generator", "dit-nano"))
    generator.load(None, data, ctx)
    parts = [generator.sample(label, 0, IPC, ctx) for label in range(len(data.classes))]
    labels = torch.arange(len(data.classes)).repeat_interleave(IPC)
    return LabeledImages(
        torch.cat([part.images for part in parts]), labels, tuple(i for part in parts for i in part.ids)
    )


@cache
def test_images() -> LabeledImages:
    """Return the first test images of CIFAR-10."""
    from ddbench import LabeledImages

    whole = cast("Dataset", ddbench.create("dataset", "cifar10")).validation()
    return LabeledImages(whole.images[:TEST_IMAGES], whole.labels[:TEST_IMAGES], whole.ids[:TEST_IMAGES])


def accuracy(student: str, side: str, seed: int) -> float:
    """Train one student; return its last accuracy on the test images, in percent."""
    what = Work(student, SIZE, generated(), test_images())
    if side == "plain":
        return equality.plain(what, EPOCHS[student], FIRST_PLAIN_SEED + seed)
    return equality.ours(what, EPOCHS[student], seed, side)


def missing(log: Path, student: str, seeds: int, sides: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the trainings that ``log`` lacks; odd seeds begin with the last side."""
    done = {(t.student, t.side, t.seed) for t in trainings(log)}
    for seed in range(seeds):
        for side in sides[:: -1 if seed % 2 else 1]:
            if (student, side, seed) not in done:
                yield side, seed


def add(log: Path, student: str, seeds: int, sides: Sequence[str]) -> None:
    """Train what is missing, and append each training as soon as it is finished."""
    import torch

    torch.set_num_threads(1)
    for side, seed in list(missing(log, student, seeds, sides)):
        began = time.perf_counter()
        found = Training(student, side, seed, round(accuracy(student, side, seed), 2), 0.0)
        found = found._replace(seconds=round(time.perf_counter() - began, 1))
        with log.open("a") as file:
            file.write(json.dumps(found._asdict()) + "\n")


def trainings(log: Path) -> list[Training]:
    """Read the log, ordered by seed."""
    lines = log.read_text().splitlines() if log.exists() else []
    return sorted((Training(**json.loads(line)) for line in lines), key=lambda t: t.seed)


def collected(log: Path) -> Accuracies:
    """Return the accuracies of the log."""
    found: Accuracies = {}
    for training in trainings(log):
        found.setdefault(training.student, {}).setdefault(training.side, []).append(training.accuracy)
    return found


def table(kept: Accuracies) -> str:
    """Compare each side of ddbench that has enough seeds with the plain loop."""
    rows = []
    for student, sides in kept.items():
        for side in (name for name in SIDES[1:] if len(sides.get(name, ())) >= FEWEST_SEEDS):
            mean, low, high = equality.difference(sides[side], sides["plain"], CONFIDENCE)
            told = [
                f"{statistics.fmean(v):.2f} ± {statistics.stdev(v):.2f} ({len(v)})"
                for v in (sides["plain"], sides[side])
            ]
            rows.append([student, side, EPOCHS[student], *told, f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"])
    headers = ["student", "numerics", "epochs", "plain loop (seeds)", "ddbench (seeds)", "difference"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def keep(kept: Accuracies) -> None:
    """Write the accuracies to `parity.json`, and their table to the page of benchmarks."""
    FILE.write_text(json.dumps(kept) + "\n")
    before, mark, after = PAGE.read_text(encoding="utf-8").partition("<!-- parity -->\n\n")
    rest = after[after.index("\n\n") :]
    PAGE.write_text(before + mark + table(kept) + rest, encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say, and print a table."""
    if len(arguments) > 2:
        log, student, seeds, *sides = arguments
        add(Path(log), student, int(seeds), sides)
    kept = collected(Path(arguments[0])) if arguments else cast("Accuracies", json.loads(FILE.read_text()))
    if arguments[1:] == ["--keep"]:
        keep(kept)
    print(table(kept))


if __name__ == "__main__":
    from ddbench.run.executors.worker_process import WORKER_ENVIRONMENT

    if len(sys.argv) > 3 and any(os.environ.get(name) != value for name, value in WORKER_ENVIRONMENT.items()):
        module = [sys.executable, "-m", "tests.benchmarks.parity", *sys.argv[1:]]
        os.execve(sys.executable, module, {**os.environ, **WORKER_ENVIRONMENT})
    main(sys.argv[1:])
