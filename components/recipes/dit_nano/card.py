"""The model card, generated from measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tabulate import tabulate

_CARD: Final = """\
# dit-nano

A class-conditional diffusion transformer for the ten classes of CIFAR-10 at 32 pixels. It lets you try methods of
dataset distillation without a GPU, as ddbench's generator `dit-nano`. The files are a `DiTPipeline` of diffusers
(`DiTTransformer2DModel`, `AutoencoderKL`) with weights in half precision, {megabytes:.1f} MB.

![Samples, one row per class](samples.png)

These are the first samples of each class for seed 0, without selection, by the defaults of `dit-nano`: 50 DDIM steps
with guidance {guidance}.

## Training

    python -m ddbench_components.recipes.dit_nano FOLDER --threads {threads}

This command trains the pipeline from scratch on the 50,000 training images of CIFAR-10 (Krizhevsky 2009). These weights
used seed {seed} and up to {threads} threads of {device_model}, with {versions}.
Other versions, processors or numbers of threads give different bits.

1. **A ConvNet-3** (batch norms, {teacher_epochs} epochs). The autoencoder's loss uses its features.
2. **An autoencoder** with {latent} latents and {autoencoder_size:.2f} million weights: {autoencoder_course}.
   Its loss is the mean absolute difference, plus {likeness} × an LPIPS-like distance of the ConvNet's features
   (arXiv:1801.03924). A KL divergence with weight {divergence} per number in the image is added.
   {autoencoder_minutes:.0f} minutes.
3. **A transformer** with {layers} layers, width {width}, {heads} heads and patches of {patch} × {patch} latents,
   {transformer_size:.2f} million weights. Training takes {transformer_course}.
   It predicts the noise on DiT's linear schedule (arXiv:2212.09748). Errors are weighted by min(SNR, {bound:g}) / SNR
   (arXiv:2303.09556), and {label_dropout:.0%} of labels are dropped. {transformer_minutes:.0f} minutes.

Both use AdamW, a linear warm-up, a cosine decay, horizontal flips and bfloat16 products. The final weights are moving
averages.

## Quality

The judge is a ResNetAP-10 with batch norms, trained independently for {judge_epochs} epochs on the same training
images. *Agreement* is the share of images classified as their class; for samples, as the requested class. *Distance* is
the Fréchet distance between the judge's embeddings of {samples:,} images and of as many other test images. It is like
FID, but with another network and fewer images. Do not compare it with FIDs.

{table}

Agreement at guidance {guidance}: {by_class}.

## Limits

Samples show the classes of CIFAR-10 at its resolution. A student trained on them learns from the generator's 50,000
real images. Results rank methods on small images only.

The licence is Apache-2.0, like that of the code. Alex Krizhevsky, Vinod Nair and Geoffrey Hinton collected CIFAR-10.
"""


def card(about: Mapping[str, Any]) -> str:
    """Return the text of the card from the content of ``figures.json``."""
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
    """Return the judge's results for decoded images and samples as a Markdown table."""
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
