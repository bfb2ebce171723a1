"""Rebuild the files of tiny-cifar from the full CIFAR-10, or check that they are what a rebuild gives.

    python -m ddbench_components.recipes.tiny_cifar --check

Provenance: CIFAR-10 was collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton as a labelled subset of the tiny
images data set (Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009). The images here are taken
from it unchanged, pixel for pixel.

Rule: of each split and class, put the images in the order of ``derive_seed("tiny-cifar", SEED, id)`` and keep the first
100 (training) or 50 (validation) that equal no image kept before, training before validation. What is kept goes back
into CIFAR-10's order, class after class.

Files: ``index.json`` has one line an image; each sheet holds 500 images, 50 a row, so that a row holds one class. The
pixels are the same whatever encoder writes them; the bytes of the files are those of libwebp ``ENCODER``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from PIL import features

from ddbench import Dataset, LabeledImages
from ddbench.toolkit import derive_seed, image_digests, sha256_json, write_whole

from ..datasets._cifar.common import image_id
from ..datasets._cifar.webp_tiles import decode_tiles, encode_tiles
from ..datasets.cifar10 import Cifar10
from ..datasets.tiny_cifar import INDEX, PER_CLASS, SHEETS, TinyCifar

SEED: Final = 0
ENCODER: Final = "1.6.0"
SHEET_SIZE: Final = 500
ABOUT: Final = {
    "source": "CIFAR-10 (Krizhevsky 2009), https://www.cs.toronto.edu/~kriz/cifar.html, dataset 'cifar10' of ddbench",
    "index": "counts from 0: train sheets through data_batch_1 to data_batch_5, validation sheets through test_batch",
    "sha256": "ddbench.api.tensor_digest of the image as uint8 [3, 32, 32]",
    "rule": "see ddbench_components/datasets/_build_tiny_cifar.py",
}


def build(full: Dataset) -> dict[str, bytes]:
    """Every file of tiny-cifar by name, from the full data set."""
    files: dict[str, bytes] = {}
    index: dict[str, list[dict[str, Any]]] = {}
    kept: set[str] = set()
    for split, real in (("train", full.train()), ("validation", full.validation())):
        digests = image_digests(real.images)
        chosen = choose(split, real, digests, kept)
        for number, name in enumerate(SHEETS[split]):
            part = chosen[number * SHEET_SIZE : (number + 1) * SHEET_SIZE]
            files[name] = encode_tiles(real.images[part])
            index[name] = [
                {"index": i, "class": full.classes[int(real.labels[i])].name, "sha256": digests[i]} for i in part
            ]
    files[INDEX] = _index_text(index).encode()
    return files


def choose(split: str, real: LabeledImages, digests: Sequence[str], kept: set[str]) -> list[int]:
    """The positions that the rule keeps, class after class; adds their digests to ``kept``."""
    chosen: list[int] = []
    labels = real.labels.tolist()
    for label in range(max(labels) + 1):
        members = [i for i, other in enumerate(labels) if other == label]
        members.sort(key=lambda i: derive_seed("tiny-cifar", SEED, image_id(split, i)))
        of_class: list[int] = []
        for i in members:
            if len(of_class) < PER_CLASS[split] and digests[i] not in kept:
                of_class.append(i)
                kept.add(digests[i])
        chosen += sorted(of_class)
    return chosen


def differences(files: dict[str, bytes]) -> list[str]:
    """What of the shipped files is not what was built: index and pixels always, bytes with the same encoder only."""
    found = []
    for name, content in files.items():
        shipped = (TinyCifar.folder / name).read_bytes()
        same_bytes_expected = name == INDEX or features.version("webp") == ENCODER
        if same_bytes_expected and shipped != content:
            found.append(f"{name}: bytes differ")
        elif shipped != content and not decode_tiles(shipped, 32).equal(decode_tiles(content, 32)):
            found.append(f"{name}: pixels differ")
    return found


def _index_text(index: dict[str, list[dict[str, Any]]]) -> str:
    """JSON with one line an image, so that a change shows."""
    sheets = ",\n".join(
        f"  {json.dumps(name)}: [\n" + ",\n".join(f"   {json.dumps(entry)}" for entry in entries) + "\n  ]"
        for name, entries in index.items()
    )
    return f'{{\n "about": {json.dumps(ABOUT)},\n "sheets": {{\n{sheets}\n }}\n}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the shipped files (exit code 1 where they differ), or write them and print the index digest to pin."""
    parser = argparse.ArgumentParser(description="Rebuild tiny-cifar from the full CIFAR-10.")
    parser.add_argument("--check", action="store_true", help="compare with the shipped files and write nothing")
    options = parser.parse_args(arguments)
    files = build(Cifar10())
    if options.check:
        found = differences(files)
        print("\n".join(found) or "tiny-cifar is what its rule gives, bit for bit")
        return 1 if found else 0
    for name, content in files.items():
        write_whole(TinyCifar.folder / name, content)
        print(f"{TinyCifar.folder / name}: {len(content):,} bytes")
    print(f"index digest: {sha256_json(json.loads(files[INDEX]))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
