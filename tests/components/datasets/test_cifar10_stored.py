"""cifar10: the stored form is checked whenever it is read, and what is missing of it is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ddbench_components.datasets.cifar10 import Cifar10
from handmade_cifar import Server
from silence import quiet
from stored_cifar10 import assert_right, place

from ddbench import DataError
from ddbench.toolkit.home import data_home


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_flipped_byte_in_the_stored_form_is_noticed_and_fetch_repairs_it(
    split: str, small: type[Cifar10], server: Server
) -> None:
    small().fetch(quiet)
    path = data_home() / "cifar10" / f"{split}.safetensors"
    for position in (3, 40, path.stat().st_size // 2, path.stat().st_size - 1):
        content = bytearray(path.read_bytes())
        content[position] ^= 4
        path.unlink()
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=rf"{split}\.safetensors: is damaged: .*; run `ddbench fetch cifar10`"
        ) as caught:
            getattr(small(), split)()
        assert "\n" not in str(caught.value)
        small().fetch(quiet)
        assert_right(small())


def test_missing_data_is_told_with_place_and_remedy(small: type[Cifar10]) -> None:
    problem = small().missing()
    assert problem is not None
    assert str(data_home() / "cifar10") in problem
    assert "ddbench fetch cifar10" in problem
    with pytest.raises(DataError, match="ddbench fetch cifar10"):
        small().train()


def test_a_file_cut_short_counts_as_missing(small: type[Cifar10]) -> None:
    small().fetch(quiet)
    path = data_home() / "cifar10" / "train.safetensors"
    path.write_bytes(path.read_bytes()[:-200])
    assert "train.safetensors is missing or cut short" in (small().missing() or "")


def test_a_data_folder_that_cannot_be_written_is_named(small: type[Cifar10], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(DataError, match=r"data.*: cannot be written: .*DDBENCH_DATA"):
        small().fetch(quiet)


def test_fetching_what_is_whole_touches_nothing(small: type[Cifar10]) -> None:
    place("archive", data_home())
    small().fetch(quiet)
    before = {path: path.stat().st_mtime_ns for path in data_home().rglob("*")}
    small().fetch(quiet)
    assert {path: path.stat().st_mtime_ns for path in data_home().rglob("*")} == before


def test_saying_what_is_missing_needs_no_torch() -> None:
    code = (
        "import sys; from ddbench_components.datasets.cifar10 import Cifar10 as A;"
        "from ddbench_components.datasets.tiny_cifar import TinyCifar as B;"
        "A().missing(); assert B().missing() is None;"
        "print([m for m in ('torch', 'numpy', 'PIL', 'safetensors') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
