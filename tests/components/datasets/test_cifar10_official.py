"""cifar10: the pinned arrays are the official files, where the data set has been fetched."""

from __future__ import annotations

import hashlib

import torch
from ddbench_components.datasets.cifar10 import Cifar10

from ddbench.api import image_digests

# SHA-1 of the six files in cifar-10-binary.tar.gz, as Apache MXNet's gluon.data.vision.CIFAR10 pins them.
OFFICIAL_SHA1 = [
    "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
    "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
    "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
    "aab85764eb3584312d3c7f65fd2fd016e36a258e",
    "26e2849e66a845b7f1e4614ae70f4889ae604628",
    "67eb016db431130d61cd03c7ad570b013799c88c",
]


def test_the_pinned_arrays_are_the_official_files_bit_for_bit(whole: Cifar10) -> None:
    found = []
    for split in (whole.train(), whole.validation()):
        records = torch.cat([split.labels.to(torch.uint8)[:, None], split.images.flatten(1)], dim=1)
        found += [hashlib.sha1(batch.numpy().tobytes()).hexdigest() for batch in records.split(10_000)]
    assert found == OFFICIAL_SHA1


def test_classes_are_balanced_and_no_two_images_are_equal(whole: Cifar10) -> None:
    train, validation = whole.train(), whole.validation()
    assert train.labels.bincount().tolist() == list(whole.train_counts or ()) == [5000] * 10
    assert validation.labels.bincount().tolist() == [1000] * 10
    assert len({*image_digests(train.images), *image_digests(validation.images)}) == 60_000
