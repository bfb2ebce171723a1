"""Tell what is missing of an ImageNet, in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ddbench_components.datasets.imagewoof import Imagewoof
from two_dogs import TwoDogs

from ddbench import DataError
from ddbench.toolkit.home import data_home


def assert_missing(said: str) -> None:
    problem = TwoDogs().missing()
    assert problem is not None
    assert "\n" not in problem
    assert problem.startswith(f"two-dogs: {said}; store ImageNet as {data_home()}/imagenet/{{train,val}}/")
    with pytest.raises(DataError) as caught:
        TwoDogs().train()
    assert str(caught.value) == problem


def test_what_is_missing_is_said_in_one_line(imagenet: Path) -> None:
    dogs, val = imagenet / "train" / "n02088364", imagenet / "val"
    (val / "n02111889" / "ILSVRC2012_val_00000030.JPEG").unlink()
    assert_missing(f"{val}/n02111889 (Samoyed) contains 1 .JPEG files, not 2")
    for path in (val / "n02111889").iterdir():
        path.unlink()
    assert_missing(f"{val}/n02111889 (Samoyed) contains no .JPEG files")
    (val / "n02111889").rmdir()
    assert_missing(f"the folder {val}/n02111889 (Samoyed) does not exist")
    (val / "ILSVRC2012_val_00000001.JPEG").write_bytes(b"")
    assert_missing(f"the images in {val} are not sorted into one folder per class")
    dogs.rename(imagenet / "train" / "beagle")
    assert_missing(f"the folder {dogs} (beagle) does not exist")
    imagenet.rename(imagenet.with_name("ILSVRC"))
    assert_missing(f"the folder {imagenet}/train does not exist")


def test_where_counts_are_not_known_every_class_must_be_as_large_as_ilsvrcs_are(
    imagenet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an ImageNet is no smaller data set. In ILSVRC 2012 a class has 732 to 1,300 training images."""
    monkeypatch.setattr(TwoDogs, "train_counts", None)
    samoyed, beagle = (imagenet / "train" / str(c.wnid) for c in TwoDogs.classes)
    assert_missing(f"{samoyed} (Samoyed) contains 4 .JPEG files, not 732 to 1300")
    fill(samoyed, 1300)
    for count in (731, 732, 1300, 1301):
        fill(beagle, count)
        if count in (731, 1301):
            assert_missing(f"{beagle} (beagle) contains {count} .JPEG files, not 732 to 1300")
        else:
            assert TwoDogs().missing() is None
    assert (TwoDogs().missing() or "").endswith(", and extract incomplete folders again")


def fill(folder: Path, count: int) -> None:
    """Bring a class to so many files."""
    for number in range(count - len(list(folder.glob("*.JPEG")))):
        (folder / f"{folder.name}_{count}{number:05d}.JPEG").touch()


def test_counts_that_are_not_known_are_those_of_the_files(imagenet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TwoDogs, "train_counts", None)
    monkeypatch.setattr(TwoDogs, "train_range", range(3, 5))
    (imagenet / "train" / "n02111889" / "n02111889_9.JPEG").unlink()
    assert TwoDogs().train().labels.bincount().tolist() == [3, 3]


def test_imagenet_cannot_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path))
    with pytest.raises(
        DataError, match=r"store ImageNet as .*/imagenet/\{train,val\}/.*https://image-net\.org"
    ) as caught:
        Imagewoof().fetch(lambda what, done, total: None)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_saying_what_is_missing_needs_no_torch() -> None:
    code = (
        "import sys; from ddbench_components.datasets.imagewoof import Imagewoof; Imagewoof().missing();"
        "print([m for m in ('torch', 'numpy', 'PIL', 'safetensors') if m in sys.modules])"
    )
    env = {**os.environ, "DDBENCH_DATA": "/nowhere"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert run.stdout == "[]\n"
