"""image-folder: names of the validation folder, one folder that is divided by content, and a CSV file of labels."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from image_folders import data
from photographs import write

from ddbench import ComponentError, DataError
from ddbench.toolkit.home import data_home

pytestmark = pytest.mark.usefixtures("empty_data_home")

SPLITS = [f"{split}/{name}" for split in ("train", "val") for name in ("cat", "dog")]
# Of `folders`, as released before other arrangements could be read.
FINGERPRINT = "e0c042fc2c5f054587d2c03b21a50bec0fd20a5848a892ce5daf6d696e6ea1bd"


def ppm(number: int) -> bytes:
    """Return a picture by hand, whose bytes no library decides."""
    return b"P6 8 8 255\n" + bytes(number * k % 256 for k in range(192))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two classes in train and val, with three pictures each."""
    names = [f"{folder}/{i}.ppm" for folder in SPLITS for i in range(3)]
    write(tmp_path / "pets", {name: ppm(n) for n, name in enumerate(names, start=1)})
    return tmp_path / "pets"


@pytest.fixture
def one_folder(tmp_path: Path) -> Path:
    """Two classes of forty pictures."""
    write(
        tmp_path / "pets", {f"{c}/{i}.ppm": ppm(200 * n + i) for n, c in enumerate(("cat", "dog")) for i in range(40)}
    )
    return tmp_path / "pets"


def in_validation(root: Path, share: float) -> set[str]:
    """Divide by the definition: the digest, as a number in [0, 1), is below the share."""
    digests = {path: int(hashlib.sha256(path.read_bytes()).hexdigest()[:8], 16) / 2**32 for path in root.glob("*/*")}
    return {str(path.relative_to(root)) for path, place in digests.items() if place < share}


def test_stored_keys_are_kept(folders: Path) -> None:
    assert data(folders, image_size=8).fingerprint() == FINGERPRINT
    assert data(folders, image_size=8).params.keyed() == data(folders, image_size=8, validation="val").params.keyed()


@pytest.mark.parametrize("name", ["validation", "valid", "test"])
def test_the_validation_folder_has_one_of_four_names(name: str, folders: Path) -> None:
    (folders / "val").rename(folders / name)
    assert data(folders).fingerprint() == FINGERPRINT
    assert data(folders).validation_counts == (3, 3)


def test_two_validation_folders_are_named_and_one_is_chosen(folders: Path) -> None:
    write(folders, {f"test/{c}/x.ppm": ppm(90) for c in ("cat", "dog")})
    with pytest.raises(DataError) as caught:
        data(folders).fingerprint()
    assert str(caught.value) == (
        f"image-folder: {folders} has the folders 'val' and 'test'; "
        "name the one that has the validation images, such as `validation: val`"
    )
    assert data(folders, validation="val").fingerprint() == FINGERPRINT
    assert data(folders, validation="test").validation_counts == (1, 1)


def test_one_way_to_split_is_chosen(folders: Path) -> None:
    with pytest.raises(ComponentError, match="'validation' names a folder, which 'split' and 'labels' do not use"):
        data(folders, validation="val", split=0.1)


def test_one_folder_is_divided_by_the_content_of_its_images(one_folder: Path) -> None:
    own = data(one_folder, split=0.25)
    expected = in_validation(one_folder, 0.25)
    assert set(own.validation().ids) == expected
    assert set(own.train().ids) == {f"{c}/{i}.ppm" for c in ("cat", "dog") for i in range(40)} - expected
    assert 8 <= len(expected) <= 32
    assert own.train_counts is not None
    assert own.validation_counts is not None
    assert [sum(pair) for pair in zip(own.train_counts, own.validation_counts, strict=True)] == [40, 40]
    assert "split" not in own.params.keyed()
    mark = own.fingerprint()
    assert data(one_folder, split=0.5).fingerprint() != mark
    one_folder.rename(one_folder.with_name("moved"))
    assert data(one_folder.with_name("moved"), split=0.25).fingerprint() == mark


def test_images_that_are_added_move_no_others_and_equal_ones_stay_together(one_folder: Path) -> None:
    before = set(data(one_folder, split=0.25).validation().ids)
    write(one_folder, {f"cat/new-{i}.ppm": ppm(500 + i) for i in range(20)})
    write(one_folder, {f"dog/copy-{i}.ppm": ppm(i) for i in range(40)})  # of the cats, in the other class
    after = set(data(one_folder, split=0.25).validation().ids)
    assert {name for name in after if "new" not in name and "copy" not in name} == before
    copies = {name.replace("dog/copy-", "cat/") for name in after if "copy" in name}
    assert copies == {name for name in before if name.startswith("cat")}


def test_an_edited_image_is_seen(one_folder: Path) -> None:
    for path in one_folder.rglob("*.ppm"):
        os.utime(path, (1, 1))
    mark = data(one_folder, split=0.25).fingerprint()
    (one_folder / "cat/0.ppm").write_bytes(ppm(999))
    assert data(one_folder, split=0.25).fingerprint() != mark


@pytest.mark.parametrize("split", [0.001, 0.999])
def test_a_split_that_empties_a_class_is_one_line(split: float, one_folder: Path) -> None:
    side, change = ("validation", "raise") if split < 0.5 else ("training", "lower")
    said = f"`split: {split:g}` leaves class 'cat' without a {side} image; {change} `split`, or add images of the class"
    with pytest.raises(DataError) as caught:
        data(one_folder, split=split).fingerprint()
    assert str(caught.value) == f"image-folder: {said}"


def test_folders_of_splits_are_not_divided(folders: Path) -> None:
    with pytest.raises(DataError, match=r"has the folder 'train' of a split; remove `split`$"):
        data(folders, split=0.5).fingerprint()


def csv(folder: Path, text: str) -> Path:
    path = folder.parent / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


ROWS = [
    *("train/cat/0.ppm,tabby,train", "train/cat/1.ppm,hound,train", "train/cat/2.ppm,tabby,val"),
    *("train/dog/0.ppm,hound,validation", "train/dog/1.ppm,hound,test"),
]


def table(*rows: str) -> str:
    return "\n".join(("file,label,split", *rows)) + "\n"


def test_a_file_of_labels_names_the_images(folders: Path) -> None:
    own = data(folders, labels=csv(folders, "\ufeff" + table(*ROWS)))
    assert [c.name for c in own.classes] == ["hound", "tabby"]
    train, validation = own.train(), own.validation()
    assert (train.ids, train.labels.tolist()) == (("train/cat/1.ppm", "train/cat/0.ppm"), [0, 1])
    assert validation.ids == ("train/dog/0.ppm", "train/dog/1.ppm", "train/cat/2.ppm")
    assert validation.labels.tolist() == [0, 0, 1]
    mark = own.fingerprint()
    assert data(folders, labels=csv(folders, table(*reversed(ROWS)))).fingerprint() == mark
    swapped = [row.replace("1.ppm,hound,train", "1.ppm,tabby,train") for row in ROWS]
    swapped = [row.replace("0.ppm,tabby,train", "0.ppm,hound,train") for row in swapped]
    assert data(folders, labels=csv(folders, table(*swapped))).fingerprint() != mark


def test_a_file_without_splits_is_divided_by_content(one_folder: Path) -> None:
    rows = [f"{c}/{i}.ppm,{c}" for c in ("cat", "dog") for i in range(40)]
    own = data(one_folder, labels=csv(one_folder, "\n".join(["file,label", *rows])), split=0.25)
    assert set(own.validation().ids) == in_validation(one_folder, 0.25)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "",
            "labels.csv: has no column 'file'; its first line must name the columns file and label, and perhaps split",
        ),
        ("file,class\na,b\n", "labels.csv: has no column 'label'; its first line must name"),
        ("file,label\ntrain/cat/0.ppm,cat\n", "labels.csv: has no column 'split'; add it with train or validation"),
        (table(), "labels.csv: names no images; at least two classes are needed"),
        (table(ROWS[0]), "labels.csv: names one class, 'tabby'; at least two classes are needed"),
        (table(*ROWS, "gone.ppm,cat,train"), "labels.csv:7: names gone.ppm, which does not exist; names are relative"),
        (table(*ROWS, "../x.ppm,cat,train"), "labels.csv:7: names ../x.ppm, which is not within"),
        (table(*ROWS, ROWS[0]), "labels.csv:7: names train/cat/0.ppm again; remove one of the lines"),
        (table(*ROWS, "train/dog/2.ppm,,train"), "labels.csv:7: has no file or no label; complete or remove the line"),
        (table(*ROWS, "train/dog/2.ppm,cat"), "labels.csv:7: has the split ''; write train or validation"),
        (table(*ROWS, "train/dog/2.ppm,cat,training"), "labels.csv:7: has the split 'training'; write train or"),
        (table(*ROWS[:2], ROWS[3]), "labels.csv: no image of class 'tabby' has the split 'validation'; add one"),
    ],
)
def test_a_mistake_in_a_file_of_labels_is_one_line(text: str, said: str, folders: Path) -> None:
    path = csv(folders, text)
    with pytest.raises(DataError) as caught:
        data(folders, labels=path).fingerprint()
    assert str(caught.value).startswith(f"image-folder: {path.parent}/{said}")
    assert "\n" not in str(caught.value)


def test_other_unreadable_files_of_labels(folders: Path) -> None:
    path = csv(folders, table(*ROWS))
    with pytest.raises(DataError, match=r"labels\.csv: has a column 'split', and the parameter `split` is set; remove"):
        data(folders, labels=path, split=0.1).fingerprint()
    path.write_bytes(b"file,label,split\n\xff\n")
    with pytest.raises(DataError, match=r"labels\.csv: is not a CSV file \(.*\); save it as CSV in UTF-8$"):
        data(folders, labels=path).fingerprint()
    with pytest.raises(DataError, match=r"image-folder: .*nowhere\.csv cannot be read: No such file"):
        data(folders, labels=path.with_name("nowhere.csv")).fingerprint()


def test_digests_are_kept_apart_from_other_data(one_folder: Path) -> None:
    data(one_folder, split=0.25).fingerprint()
    names = {path.name for path in (data_home() / "cache" / "image-folder").rglob("*.json")}
    assert names <= {"all.json", "train.json", "validation.json"}
