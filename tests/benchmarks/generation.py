"""Speed of generation: `dit-xl2` and diffusers' DiTPipeline, called as in its documentation, in one run.

Both make images of one class with equal steps and guidance, from random weights: on a GPU the real architecture, on a
CPU a small one of the same classes. The documented call asks for two images and computes in half precision on a GPU and
in float32 on a CPU; beside it stands the same call for as many images as we compute at once.

    python -m tests.benchmarks.generation --write    measure, and keep the figures in `generation.json` by device
    python -m tests.benchmarks.generation            the kept figures, as a table
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from tabulate import tabulate

import ddbench
from ddbench import Context, Generator, LabeledImages, TrainingData

FILE = Path(__file__).with_name("generation.json")
STEPS, GUIDANCE, ROUNDS = 50, 4.0, 5
DOCUMENTED = 2
# Images that we compute at once, and images of a round of every side.
BATCH = {"cuda": 50, "cpu": 10}
SMALL = {"num_attention_heads": 6, "attention_head_dim": 64, "num_layers": 6, "sample_size": 16}
LARGE = {"num_attention_heads": 16, "attention_head_dim": 72, "num_layers": 28, "sample_size": 32}
CLASSES = 1000
# Makes so many images.
Make: TypeAlias = Callable[[int], None]


def save_pipeline(folder: Path, device: str) -> None:
    """Random weights of DiT-XL/2 and its VAE, or of small ones."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel

    widths = (128, 256, 512, 512) if device == "cuda" else (32, 64, 64, 64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sizes = LARGE if device == "cuda" else SMALL
        transformer = DiTTransformer2DModel(**sizes, in_channels=4, out_channels=8, num_embeds_ada_norm=CLASSES)
        vae = AutoencoderKL(
            block_out_channels=widths,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
    labels = {i: f"class {i}" for i in range(CLASSES)}
    DiTPipeline(transformer, vae, DDIMScheduler(clip_sample=False), labels).save_pretrained(folder)


def documented(folder: Path, device: str, batch: int) -> Make:
    """Images by the pipeline, ``batch`` a call."""
    import torch
    from diffusers import DiTPipeline

    dtype = torch.float16 if device == "cuda" else torch.float32
    pipe = DiTPipeline.from_pretrained(folder, torch_dtype=dtype, local_files_only=True).to(device)
    pipe.set_progress_bar_config(disable=True)

    def make(images: int) -> None:
        for _ in range(images // batch):
            pipe(class_labels=[207] * batch, guidance_scale=GUIDANCE, num_inference_steps=STEPS)

    return make


def no_data() -> TrainingData:
    """As many classes as ImageNet, and no image."""
    import torch

    none = LabeledImages(torch.zeros(0, 3, 1, 1, dtype=torch.uint8), torch.zeros(0, dtype=torch.long), ())
    classes = tuple(ddbench.ClassInfo(f"class {i}") for i in range(CLASSES))
    return TrainingData("none", classes, 1, (0.5,) * 3, (0.5,) * 3, none)


def loaded(folder: Path, device: str, **params: Any) -> Generator:
    """`dit-xl2` with the weights in a folder."""
    size = {"block": BATCH[device], "batch": BATCH[device]}
    values = {"model": str(folder), "classes": "dataset", "guidance": GUIDANCE, "sampling_steps": STEPS, **size}
    generator = cast("Generator", ddbench.create("generator", "dit-xl2", **values, **params))
    generator.load(None, no_data(), Context(device=device))
    return generator


def ours(folder: Path, device: str, scheduler: str, *, precision: str = "bf16", compiled: bool = False) -> Make:
    """Images of `dit-xl2`, with the latents that a pool keeps."""
    generator = loaded(folder, device, scheduler=scheduler, precision=precision, compile=compiled)

    def make(images: int) -> None:
        generator.sample(207, 0, images, Context(device=device))

    return make


def measure(device: str) -> dict[str, Any]:
    """Images a second of each side, the median of alternating rounds after one to warm up."""
    import torch

    if device == "cpu":
        torch.set_num_threads(1)
    images = BATCH[device]
    with tempfile.TemporaryDirectory() as name:
        save_pipeline(Path(name), device)
        sides = {
            f"DiTPipeline, {DOCUMENTED} at once": documented(Path(name), device, DOCUMENTED),
            f"DiTPipeline, {images} at once": documented(Path(name), device, images),
            "dit-xl2, DDIM, float32": ours(Path(name), device, "ddim", precision="float32"),
            "dit-xl2, DDIM, bf16": ours(Path(name), device, "ddim"),
            "dit-xl2, DDPM, bf16": ours(Path(name), device, "ddpm"),
        }
        if device == "cuda":
            sides["dit-xl2, DDIM, bf16, compiled"] = ours(Path(name), device, "ddim", compiled=True)
        return alternate(sides, images, device)


def alternate(sides: Mapping[str, Make], images: int, device: str) -> dict[str, Any]:
    """Images a second of each side, and how many times those of the first."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for round_ in range(ROUNDS + 1):
        for side in list(sides)[:: 1 if round_ % 2 else -1]:
            seconds[side].append(timed(sides[side], images, device))
            print(f"round {round_}: {side}: {images / seconds[side][-1]:.3g} images/s", file=sys.stderr, flush=True)
    first = next(iter(sides))
    return {
        side: {
            "images_a_second": round(images / statistics.median(values[1:]), 3),
            "ratio": [
                round(f([a / b for a, b in zip(seconds[first][1:], values[1:], strict=True)]), 2)
                for f in (statistics.median, min, max)
            ],
        }
        for side, values in seconds.items()
    }


def timed(make: Make, images: int, device: str) -> float:
    """CPU seconds, or on a GPU those that passed."""
    import torch

    clock = time.perf_counter if device == "cuda" else time.process_time
    start = clock()
    make(images)
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def table(kept: dict[str, Any]) -> str:
    """For each device the images a second, and how many times those of the documented call."""
    rows: Iterable[list[str]] = [
        [figures["model"], side, f"{told['images_a_second']:.3g}", "{:.2g} ({:.2g}–{:.2g})".format(*told["ratio"])]
        for figures in kept.values()
        for side, told in figures["sides"].items()
    ]
    return tabulate(rows, ["device", "what", "images/s", "ratio"], tablefmt="github", disable_numparse=True)


def keep(file: Path, measure: Callable[[str], dict[str, Any]]) -> None:
    """Measure on this machine, and write the figures beside those of other devices."""
    import torch

    from ddbench.toolkit.environment import environment

    device = "cuda" if torch.cuda.is_available() else "cpu"
    env = environment(device, 1)
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept[device] = {"model": env["device_model"], "environment": env, "steps": STEPS, "sides": measure(device)}
    file.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        keep(FILE, measure)
    print(table(json.loads(FILE.read_text())))
