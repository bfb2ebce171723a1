"""The model card, made of what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tabulate import tabulate

_CARD: Final = """\
# dit-nano

A class-conditional diffusion transformer of CIFAR-10's ten classes at 32 pixels, for trying methods of dataset
distillation without a GPU. It comes with ddbench as the generator `dit-nano`: a pipeline as diffusers saves a
`DiTPipeline` (`DiTTransformer2DModel`, `AutoencoderKL`), weights in half precision, {megabytes:.1f} MB.

![Samples, a row a class](samples.png)

Samples of seed 0 in their order, none left out, as `dit-nano` makes them: 50 steps of DDIM at guidance {guidance}.

## How it was made

    python -m ddbench_components.recipes.dit_nano FOLDER --threads {threads}

makes it anew from the 50,000 training images of CIFAR-10 (Krizhevsky 2009) and nothing else. Seed {seed}, up to
{threads} threads of {device_model}, {versions}; with others, or another number of threads
at any time, other bits come of the same recipe.

1. **A ConvNet-3** (batch norms, {teacher_epochs} epochs) whose features tell the autoencoder what to keep.
2. **An autoencoder** to {latent} latents, {autoencoder_size:.2f} million weights: {autoencoder_course}; mean
   absolute difference, + {likeness} × LPIPS-like distance of the ConvNet's features (arXiv:1801.03924), +
   {divergence} × divergence a number of the image. {autoencoder_minutes:.0f} minutes.
3. **A transformer** of {layers} layers of {width} in {heads} heads on patches of {patch} × {patch} latents,
   {transformer_size:.2f} million weights, that predicts the noise on DiT's linear schedule (arXiv:2212.09748):
   {transformer_course}; errors count by min(SNR, {bound:g}) / SNR (arXiv:2303.09556), {label_dropout:.0%} of
   labels are dropped. {transformer_minutes:.0f} minutes.

Both end as the average of their weights, with AdamW, a learning rate that rises along a line and falls along
half a cosine, mirrored images and bfloat16 products.

## What it is worth

The judge is a ResNetAP-10 with batch norms, trained for {judge_epochs} epochs on the same training images;
nothing above learnt from it. Agreement is the share of images that it finds in their class, of samples in the one
they were asked for; the distance is Fréchet's between its embeddings of {samples:,} images and of as many test
images, other ones: like FID, but of another network and of fewer images, and not to be compared with FIDs.

{table}

Agreement by class, at guidance {guidance}: {by_class}.

## What it is not

Samples are of CIFAR-10's classes and look it. A student that learns from them learns what 50,000 real images
taught the generator. Results on them rank methods on small images only.

Apache-2.0, as the code. CIFAR-10 was collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton.
"""


def card(about: Mapping[str, Any]) -> str:
    """The text, from what ``figures.json`` holds."""
    recipe, figures = about["recipe"], about["figures"]
    autoencoder, transformer = recipe["autoencoder"], recipe["transformer"]
    shown = next(row for row in figures["samples"] if row["guidance"] == recipe["guidance"])
    return _CARD.format(
        megabytes=about["bytes"] / 1e6,
        seed=about["seed"],
        threads=about["environment"]["threads"],
        device_model=about["environment"]["device_model"],
        versions=", ".join(f"{name} {v}" for name, v in about["environment"]["versions"].items() if name in _SHOWN),
        teacher_epochs=recipe["teacher"]["epochs"],
        latent=" × ".join(map(str, about["latent"])),
        autoencoder_size=about["weights"]["vae"] / 1e6,
        autoencoder_course=_course(autoencoder["course"]),
        likeness=autoencoder["likeness"],
        divergence=autoencoder["divergence"],
        autoencoder_minutes=about["seconds"]["autoencoder"] / 60,
        layers=transformer["layers"],
        width=transformer["heads"] * transformer["head_channels"],
        heads=transformer["heads"],
        patch=transformer["patch"],
        transformer_size=about["weights"]["transformer"] / 1e6,
        transformer_course=_course(transformer["course"]),
        bound=transformer["bound"],
        label_dropout=transformer["label_dropout"],
        transformer_minutes=about["seconds"]["transformer"] / 60,
        judge_epochs=recipe["judge"]["epochs"],
        samples=figures["samples_per_class"] * len(about["classes"]),
        table=table(figures),
        guidance=recipe["guidance"],
        by_class=", ".join(f"{n} {a:.0f}" for n, a in zip(about["classes"], shown["agreement_by_class"], strict=True)),
    )


def table(figures: Mapping[str, Any]) -> str:
    """What the judge says of decoded images and of samples, as markdown."""
    real, again = figures["real"], figures["reconstructions"]
    rows = [
        ["test images", real["agreement"], real["frechet"], ""],
        ["the same, encoded and decoded", again["agreement"], again["frechet"], f"{again['psnr']:.1f} dB PSNR"],
    ]
    rows += [
        [f"samples, guidance {row['guidance']:g}", row["agreement"], row["frechet"], ""] for row in figures["samples"]
    ]
    headers = ["images", "agreement, %", "distance", ""]
    return str(tabulate(rows, headers, tablefmt="github", floatfmt=".1f"))


_SHOWN: Final = ("python", "torch", "diffusers")


def _course(course: Mapping[str, Any]) -> str:
    steps, batch = course["steps"], course["batch"]
    return f"{steps:,} steps of {batch} images ({steps * batch / 50_000:.0f} epochs) at {course['learning_rate']:g}"
