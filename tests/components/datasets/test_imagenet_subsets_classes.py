"""The classes of the subsets of ImageNet, against ImageNet's own list."""

from __future__ import annotations

from importlib import resources

import pytest
from ddbench_components.datasets._imagenet.classes import imagenet_class, imagenet_classes
from ddbench_components.datasets._imagenet.subset import ImagenetSubset
from ddbench_components.datasets.imageidc import Imageidc
from ddbench_components.datasets.imagenet100 import Imagenet100
from ddbench_components.datasets.imagenette import Imagenette
from ddbench_components.datasets.imagewoof import Imagewoof
from ddbench_components.datasets.tiny_imagenet import TinyImagenet

from ddbench import ClassInfo, Dataset, create

SUBSETS = {Imagewoof: 10, Imagenette: 10, Imageidc: 10, Imagenet100: 100, TinyImagenet: 200}


@pytest.mark.parametrize("cls", SUBSETS)
def test_classes_are_those_of_imagenet(cls: type[Dataset]) -> None:
    """The package timm ships ImageNet-1k's WordNet ids in the order of its labels, and their lemmas."""
    folder = resources.files("timm.data") / "_info"
    synsets = (folder / "imagenet_synsets.txt").read_text().split()
    lines = (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines()
    lemmas = dict(line.split("\t") for line in lines)
    for c in cls.classes:
        assert c.imagenet_index is not None
        assert synsets[c.imagenet_index] == c.wnid
        assert lemmas[c.wnid].split(",")[0] == c.name
    assert len({c.wnid for c in cls.classes}) == len(cls.classes) == SUBSETS[cls]


def test_every_class_of_imagenet_is_known_by_its_wordnet_id() -> None:
    folder = resources.files("timm.data") / "_info"
    synsets = (folder / "imagenet_synsets.txt").read_text().split()
    lemmas = dict(line.split("\t") for line in (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    names = [lemmas[wnid].split(",")[0] for wnid in synsets]
    expected = [ClassInfo(name, wnid, index) for index, (wnid, name) in enumerate(zip(synsets, names, strict=True))]
    assert [imagenet_class(wnid) for wnid in synsets] == expected
    assert imagenet_classes(range(1000)) == tuple(expected)
    assert imagenet_class("n00000000") is None


def test_classes_come_in_the_literatures_order() -> None:
    assert [c.imagenet_index for c in Imagewoof.classes] == [193, 182, 258, 162, 155, 167, 159, 273, 207, 229]
    assert [c.imagenet_index for c in Imagenette.classes] == [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]
    assert [c.imagenet_index for c in Imageidc.classes] == [452, 64, 374, 236, 993, 176, 882, 904, 503, 74]
    assert Imagenet100.classes[:10] == Imageidc.classes
    assert [c.imagenet_index for c in Imagenet100.classes[10:16]] == [57, 959, 953, 508, 872, 228]
    assert [c.imagenet_index for c in Imagenet100.classes[-5:]] == [275, 242, 570, 99, 169]
    assert sum(c.imagenet_index or 0 for c in Imagenet100.classes) == 47_997


def test_planning_needs_no_images() -> None:
    assert sum(Imagewoof.train_counts or ()) == 12_454
    assert dict(zip(Imagewoof().classes, Imagewoof.train_counts or (), strict=True))[Imagewoof.classes[5]] == 754
    assert sum(Imagenette.train_counts or ()) == 12_894
    assert dict(zip(Imagenette().classes, Imagenette.train_counts or (), strict=True))[Imagenette.classes[3]] == 1194
    assert Imageidc.train_counts is None
    assert Imagenet100.train_counts is None
    assert Imagenet100().validation_counts == (50,) * 100
    for name in ("imagewoof", "imagenette", "imageidc", "imagenet100"):
        assert isinstance(create("dataset", name), ImagenetSubset)
