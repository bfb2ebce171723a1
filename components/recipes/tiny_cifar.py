"""Rebuild the files of tiny-cifar from the full CIFAR-10, or check that a rebuild gives the same files.

    python -m ddbench_components.recipes.tiny_cifar --check

Provenance: Alex Krizhevsky, Vinod Nair and Geoffrey Hinton collected CIFAR-10 as a labelled subset of the tiny images
data set. See Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009. The pixels are unchanged.

Rule: sort the images of each split and class by ``derive_seed("tiny-cifar", SEED, id)``. Keep the first 100 (training)
or 50 (validation) that equal no image kept before; training comes before validation. Then restore CIFAR-10's order
within each class.

Files: ``index.json`` has one line per image. A sheet holds 500 images in rows of 50, so a row holds one class. Pixels
do not depend on the encoder; the bytes of the files are those of libwebp ``ENCODER``.
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
    """Return all files of tiny-cifar by name, built from the full data set."""
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
    """Return the positions that the rule keeps, ordered by class, and add their digests to ``kept``."""
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
    """Return the differences between shipped and built files. Bytes are compared only for the same encoder."""
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
    """Return the index as JSON with one line per image, for readable diffs."""
    sheets = ",\n".join(
        f"  {json.dumps(name)}: [\n" + ",\n".join(f"   {json.dumps(entry)}" for entry in entries) + "\n  ]"
        for name, entries in index.items()
    )
    return f'{{\n "about": {json.dumps(ABOUT)},\n "sheets": {{\n{sheets}\n }}\n}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the shipped files (exit code 1 if they differ), or write them and print the index digest to pin."""
    parser = argparse.ArgumentParser(description="Rebuild tiny-cifar from the full CIFAR-10.")
    parser.add_argument("--check", action="store_true", help="compare with the shipped files and write nothing")
    options = parser.parse_args(arguments)
    files = build(Cifar10())
    if options.check:
        found = differences(files)
        print("\n".join(found) or "the files of tiny-cifar equal a rebuild")
        return 1 if found else 0
    for name, content in files.items():
        write_whole(TinyCifar.folder / name, content)
        print(f"{TinyCifar.folder / name}: {len(content):,} bytes")
    print(f"index digest: {sha256_json(json.loads(files[INDEX]))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
