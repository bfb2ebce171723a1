"""Make ``dit-nano`` anew, from the training images of CIFAR-10.

    python -m ddbench_components.recipes.dit_nano FOLDER

It takes hours on a CPU, needs a C++ compiler for ``torch.compile``, and goes on where it was stopped when the command
is given again. What is made lies in ``FOLDER/pipeline``, which the parameter ``model`` of ``dit-nano`` can name, with
a model card that tells what was measured of it.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import cast

import torch

import ddbench
from ddbench import Context, Dataset, EvaluationSettings

from .card import card
from .figures import figures, sampler
from .gallery import gallery
from .making import Making, describe
from .recipe import RECIPE

PER_CLASS = 200


def main() -> None:
    """Make it and measure it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where everything goes")
    parser.add_argument("--device", default="cpu", help="where to compute (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(asked.threads)
    asked.folder.mkdir(parents=True, exist_ok=True)
    dataset = cast("Dataset", ddbench.create("dataset", "cifar10"))
    fast = EvaluationSettings(numerics="fast")
    ctx = Context(device=asked.device, threads=asked.threads, evaluation=fast)
    making = Making(RECIPE, dataset, asked.folder, ctx)
    pipeline = making.pipeline()
    about = describe(making, figures(pipeline, making.judge(), dataset, PER_CLASS, making.ctx))
    shown = sampler(pipeline, dataset, making.ctx, guidance=RECIPE.guidance)
    gallery(shown, len(dataset.classes), making.ctx).save(pipeline / "samples.png")
    (pipeline / "figures.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (pipeline / "README.md").write_text(card(about), encoding="utf-8")


if __name__ == "__main__":
    main()
