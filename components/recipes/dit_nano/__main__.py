"""Train ``dit-nano`` from scratch on the training images of CIFAR-10.

    python -m ddbench_components.recipes.dit_nano FOLDER

This takes hours on a CPU and needs a C++ compiler for ``torch.compile``. Repeat the command to resume after a stop. The
result is ``FOLDER/pipeline``, with a model card that reports measurements. Use it as the parameter ``model`` of
``dit-nano``.
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
    """Train and measure the pipeline."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of all files")
    parser.add_argument("--device", default="cpu", help="device to compute on (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    dataset = cast("Dataset", ddbench.create("dataset", "cifar10"))
    fast = EvaluationSettings(numerics="fast")
    ctx = Context(device=options.device, threads=options.threads, evaluation=fast)
    making = Making(RECIPE, dataset, options.folder, ctx)
    pipeline = making.pipeline()
    about = describe(making, figures(pipeline, making.judge(), dataset, PER_CLASS, making.ctx))
    shown = sampler(pipeline, dataset, making.ctx, guidance=RECIPE.guidance)
    gallery(shown, len(dataset.classes), making.ctx).save(pipeline / "samples.png")
    (pipeline / "figures.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (pipeline / "README.md").write_text(card(about), encoding="utf-8")


if __name__ == "__main__":
    main()
