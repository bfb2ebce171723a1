"""tiny-cifar: what is shipped is what the index, the pins and CIFAR-10 itself say."""

from __future__ import annotations

import json
import random
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from ddbench_components.datasets._cifar.webp_tiles import decode_tiles, encode_tiles
from ddbench_components.datasets.cifar10 import Cifar10
from ddbench_components.datasets.tiny_cifar import INDEX, SHEETS, TinyCifar
from ddbench_components.recipes import tiny_cifar as builder
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbench import DataError, LabeledImages, create
from ddbench.api import image_digests, tensor_digest

FILES = [INDEX, *SHEETS["train"], *SHEETS["validation"]]
# Independent of the index: digests of the arrays as first published.
PINNED = {
    "train": (
        "0238da8140cdd4588ffcf4e732a839b19af48155216013c6c413e6e1611e739b",
        "204ccaee41839b15902daf1a6686ddc56d549765e14e5d74fc7ea5596278fa00",
    ),
    "validation": (
        "1d64377d21c48d5bccae2594dfc91d4551d115b0f0c11618daa3739931cc211d",
        "13343b7aa5ae82d55e796239f155af99a95fee154468649a776745dd75ddec82",
    ),
}


@pytest.fixture(scope="module")
def tiny() -> dict[str, LabeledImages]:
    data = create("dataset", "tiny-cifar")
    assert isinstance(data, TinyCifar)
    assert data.missing() is None
    return {"train": data.train(), "validation": data.validation()}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the shipped files to a folder where they may be damaged."""
    folder = tmp_path / "tiny"
    shutil.copytree(TinyCifar.folder, folder)
    monkeypatch.setattr(TinyCifar, "folder", folder)
    return folder


@pytest.mark.parametrize(("split", "per_class"), [("train", 100), ("validation", 50)])
def test_counts_forms_and_pins(split: str, per_class: int, tiny: dict[str, LabeledImages]) -> None:
    found = tiny[split]
    assert found.images.shape == (10 * per_class, 3, 32, 32)
    assert (found.images.dtype, found.labels.dtype) == (torch.uint8, torch.int64)
    assert found.labels.tolist() == [label for label in range(10) for _ in range(per_class)]
    assert (tensor_digest(found.images), tensor_digest(found.labels)) == PINNED[split]
    assert len(found) == len(set(found.ids)) == 10 * per_class


def test_planning_needs_no_data() -> None:
    assert TinyCifar.train_counts == (100,) * 10
    assert [c.name for c in TinyCifar.classes] == (
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    )


def test_index_tells_every_image_by_place_class_and_digest(tiny: dict[str, LabeledImages]) -> None:
    index = json.loads((TinyCifar.folder / INDEX).read_text())["sheets"]
    for split, official in (("train", "train"), ("validation", "test")):
        entries = [entry for name in SHEETS[split] for entry in index[name]]
        assert tiny[split].ids == tuple(f"{official}-{entry['index']:05d}" for entry in entries)
        names = [TinyCifar.classes[label].name for label in tiny[split].labels.tolist()]
        assert names == [entry["class"] for entry in entries]
        assert image_digests(tiny[split].images) == [entry["sha256"] for entry in entries]


def test_no_image_is_there_twice(tiny: dict[str, LabeledImages]) -> None:
    digests = [digest for split in tiny.values() for digest in image_digests(split.images)]
    assert len(set(digests)) == 1500


def test_every_shipped_file_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in TinyCifar.folder.iterdir()}
    assert sorted(sizes) == sorted(FILES)
    assert max(sizes.values()) < 2_000_000
    assert sum(sizes.values()) < 3_000_000


def test_loading_takes_no_time(tiny: dict[str, LabeledImages]) -> None:
    def load() -> float:
        start = time.process_time()
        TinyCifar().training()
        TinyCifar().validation()
        return time.process_time() - start

    assert min(load() for _ in range(3)) < 0.3


def attempt(split: str) -> tuple[str, LabeledImages | None]:
    """Return the images, or the error message instead."""
    try:
        return "", getattr(TinyCifar(), split)()
    except DataError as error:
        return str(error), None


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(name: str, copied: Path, tiny: dict[str, LabeledImages]) -> None:
    whole = (copied / name).read_bytes()
    split = "validation" if name in SHEETS["validation"] else "train"
    draw = random.Random(name)
    noticed = 0
    for position in [len(whole) // 2, *(draw.randrange(len(whole)) for _ in range(7))]:
        content = bytearray(whole)
        content[position] ^= 1 << draw.randrange(8)
        (copied / name).write_bytes(content)
        complaint, found = attempt(split)
        if found is None:
            assert complaint.startswith(f"{copied / name}: is damaged: ")
            assert "\n" not in complaint
            noticed += 1
        else:  # a bit that means nothing: white space in the index, padding in a sheet
            assert found.images.equal(tiny[split].images)
            assert found.ids == tiny[split].ids
    assert noticed >= 6


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"{}", b"RIFF"])
def test_a_file_of_another_kind_is_named(name: str, content: bytes, copied: Path) -> None:
    (copied / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        getattr(TinyCifar(), "validation" if name in SHEETS["validation"] else "train")()


def test_swapped_sheets_are_noticed(copied: Path) -> None:
    first, second = (copied / name for name in SHEETS["train"])
    first.rename(copied / "aside")
    second.rename(first)
    (copied / "aside").rename(second)
    with pytest.raises(DataError, match=r"train-0\.webp: is damaged: its images are not those of the index"):
        TinyCifar().train()


@pytest.mark.parametrize("name", FILES)
def test_a_lost_file_is_missing(name: str, copied: Path) -> None:
    (copied / name).unlink()
    assert f"no {name} in {copied}" in (TinyCifar().missing() or "")


def test_a_sheet_shows_a_class_a_row(tiny: dict[str, LabeledImages]) -> None:
    """The layout that a reader of the file sees, without our own decoder."""
    from PIL import Image
    from torchvision.transforms.functional import pil_to_tensor

    with Image.open(TinyCifar.folder / "validation-0.webp") as sheet:
        pixels = pil_to_tensor(sheet)
    assert pixels.shape == (3, 10 * 32, 50 * 32)
    for row, column in ((0, 0), (3, 17), (9, 49)):
        tile = pixels[:, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
        assert tile.equal(tiny["validation"].images[50 * row + column])


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 3), size=st.integers(1, 6), seed=st.integers(0, 99))
def test_sheets_lose_nothing(rows: int, size: int, seed: int) -> None:
    images = torch.randint(0, 256, (50 * rows, 3, size, size), dtype=torch.uint8, generator=torch.manual_seed(seed))
    assert decode_tiles(encode_tiles(images), size).equal(images)


def test_the_rule_keeps_no_duplicate_and_the_order_of_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "PER_CLASS", {"train": 4, "validation": 2})
    labels = torch.arange(60) % 3
    digests = [f"d{n // 6 * 3 + n % 3}" for n in range(60)]  # every image lies there twice, within its class
    real = LabeledImages(torch.empty(60, 0), labels, ("",) * 60)
    kept: set[str] = set()
    train = builder.choose("train", real, digests, kept)
    validation = builder.choose("validation", real, digests, kept)
    for chosen, per_class in ((train, 4), (validation, 2)):
        assert labels[chosen].tolist() == sorted([0, 1, 2] * per_class)
        assert all(a < b for a, b in pairwise(chosen) if labels[a] == labels[b])
    assert len({digests[i] for i in train + validation}) == len(train + validation)
    assert train == builder.choose("train", real, digests, set())


def test_every_image_is_the_one_of_cifar10(whole: Cifar10, tiny: dict[str, LabeledImages]) -> None:
    for split, real in (("train", whole.train()), ("validation", whole.validation())):
        at = [real.ids.index(name) for name in tiny[split].ids]
        assert real.images[at].equal(tiny[split].images)
        assert real.labels[at].equal(tiny[split].labels)


@pytest.mark.slow
def test_a_rebuild_from_cifar10_gives_what_is_shipped(
    whole: Cifar10, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert builder.main(["--check"]) == 0
    assert "bit for bit" in capsys.readouterr().out
    shutil.copy(copied / "train-1.webp", copied / "train-0.webp")
    assert builder.main(["--check"]) == 1
    assert "train-0.webp" in capsys.readouterr().out
    assert builder.main([]) == 0
    assert TinyCifar.index_digest in capsys.readouterr().out
    assert builder.main(["--check"]) == 0
