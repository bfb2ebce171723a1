"""The complete CIFAR-100, with its 100 fine labels."""

from __future__ import annotations

from typing import Final

from ddbench import ClassInfo, LabeledImages, component

from ._cifar import common as _cifar
from ._cifar.files import Release
from ._cifar.stored import StoredCifar
from ._leakage import class_counts, without_validation_images

# The names and order of the archive (fine_label_names.txt), with spaces for underscores.
_NAMES: Final = """
apple, aquarium fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle, bowl, boy, bridge, bus, butterfly, camel,
can, castle, caterpillar, cattle, chair, chimpanzee, clock, cloud, cockroach, couch, crab, crocodile, cup, dinosaur,
dolphin, elephant, flatfish, forest, fox, girl, hamster, house, kangaroo, keyboard, lamp, lawn mower, leopard, lion,
lizard, lobster, man, maple tree, motorcycle, mountain, mouse, mushroom, oak tree, orange, orchid, otter, palm tree,
pear, pickup truck, pine tree, plain, plate, poppy, porcupine, possum, rabbit, raccoon, ray, road, rocket, rose, sea,
seal, shark, shrew, skunk, skyscraper, snail, snake, spider, squirrel, streetcar, sunflower, sweet pepper, table, tank,
telephone, television, tiger, tractor, train, trout, tulip, turtle, wardrobe, whale, willow tree, wolf, woman, worm
""".strip().split(",")


@component("dataset", "cifar100", version=1, paper=_cifar.PAPER)
class Cifar100(StoredCifar):
    """CIFAR-100: 50,000 training and 10,000 validation photographs of 32 × 32 pixels in 100 classes.

    The labels are the fine ones. Images keep the official order, and the validation images are the official test file.
    ``ddbench fetch`` uses ``cifar-100-binary.tar.gz``, or its extracted folder ``cifar-100-binary``, in the data
    folder. Otherwise it downloads the archive from its official address. The two binary files are checked against their
    published SHA-256.

    Some test images of CIFAR-100 are training images too (arXiv:1902.00423). Training images that equal a validation
    image pixel by pixel are removed. The others keep their ids. Plans use the count before the removal, 500 training
    images per class.

    The literature normalises with this mean and standard deviation (arXiv:2006.05929).
    """

    classes = tuple(ClassInfo(name.strip()) for name in _NAMES)
    mean = (0.5071, 0.4866, 0.4409)
    std = (0.2673, 0.2564, 0.2762)
    train_counts: tuple[int, ...] | None = (500,) * 100
    validation_counts = (100,) * 100
    release = Release(
        title="CIFAR-100",
        archive_url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        extracted="cifar-100-binary",
        batches={"train": {"train": 50_000}, "validation": {"test": 10_000}},
        label_bytes=2,
        # The values that torchvision for Ruby pins.
        file_digests={
            "train.bin": "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
            "test.bin": "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
        },
    )

    def train(self) -> LabeledImages:
        """Return the training images in the official order, without those that are validation images too."""
        train = without_validation_images(super().train(), self.validation())
        self.train_counts = class_counts(train, len(self.classes))  # after the removal
        return train
