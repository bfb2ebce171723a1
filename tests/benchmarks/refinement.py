"""Speed of `soft-label-latent` with its defaults: one latent at a time, in batches, and in half precision.

Weights are random: on a GPU those of a DiT-XL/2 and a ResNet-50 that teaches, on a CPU of a small DiT and a ResNet-18.

    python -m tests.benchmarks.refinement --write    measure, and keep the figures in `refinement.json` by device
    python -m tests.benchmarks.refinement            the kept figures, as a table
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import ddbench
from ddbench import Context, DistilledSet, Generator, Refiner, Scorer
from ddbench.api.pool import SoftLabels
from tests.benchmarks.generation import BATCH, Make, alternate, keep, loaded, no_data, save_pipeline, table

FILE = Path(__file__).with_name("refinement.json")
TEACHER = {"cuda": "resnet50", "cpu": "resnet18"}


def teacher(folder: Path, device: str) -> Scorer:
    """Return a classifier of the thousand classes with random weights."""
    import timm
    import torch
    from safetensors.torch import save_file

    name, path = TEACHER[device], folder / "teacher.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_file(timm.create_model(name).state_dict(), path)
    scorer = cast("Scorer", ddbench.create("scorer", "timm", model=name, weights=path, classes="dataset"))
    scorer.load(None, no_data(), Context(device=device))
    return scorer


def chosen(generator: Generator, scorer: Scorer, device: str) -> DistilledSet:
    """As many images of a class as are refined together, with the teacher's soft labels."""
    import torch

    ctx = Context(device=device)
    samples = generator.sample(207, 0, BATCH[device], ctx)
    soft = SoftLabels(scorer.score(samples.images, ctx)["logits"], 1.5)
    return DistilledSet(
        samples.images, torch.full((len(samples),), 207), samples.ids, samples.latents, soft, ipc=len(samples)
    )


def measure(device: str) -> dict[str, Any]:
    """Images a second of each side, the median of alternating rounds after one to warm up."""
    import torch

    if device == "cpu":
        torch.set_num_threads(1)
    images, ctx = BATCH[device], Context(device=device)
    with tempfile.TemporaryDirectory() as name:
        save_pipeline(Path(name), device)
        generator, judge = loaded(Path(name), device), teacher(Path(name), device)
        before = chosen(generator, judge, device)
        first = DistilledSet(
            *(v[:1] for v in (before.images, before.labels, before.sample_ids)),
            cast("torch.Tensor", before.latents)[:1],
            replace(cast("SoftLabels", before.soft), logits=cast("SoftLabels", before.soft).logits[:1]),
            ipc=1,
        )

        def side(batch: int, precision: str) -> Make:
            refiner = cast("Refiner", ddbench.create("refiner", "soft-label-latent", batch=batch, precision=precision))

            def make(count: int) -> None:
                for _ in range(count // batch):
                    refiner.refine(before if batch > 1 else first, generator.prior, judge, ctx)

            return make

        sides = {
            "soft-label-latent, 1 at once, float32": side(1, "float32"),
            f"soft-label-latent, {images} at once, float32": side(images, "float32"),
            f"soft-label-latent, {images} at once, bf16": side(images, "bf16"),
        }
        return alternate(sides, images, device)


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        keep(FILE, measure)
    print(table(json.loads(FILE.read_text())))
