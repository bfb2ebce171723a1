"""Names of folders and files that other programs expect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench import ClassInfo
from ddbench.errors import DdbenchError
from ddbench.sets.layouts import class_names, image_files, minimax_folders, numbered_folders, own_folders

WOOF = [ClassInfo("Samoyed", "n02111889", 258), ClassInfo("beagle", "n02088364", 162)]


def named(*names: str) -> list[ClassInfo]:
    return [ClassInfo(name) for name in names]


def test_folders_are_wordnet_ids_where_all_classes_have_one() -> None:
    assert own_folders(WOOF) == minimax_folders(WOOF) == ["n02111889", "n02088364"]
    assert own_folders([*WOOF, ClassInfo("sofa")]) == ["Samoyed", "beagle", "sofa"]


def test_classes_are_told_apart_by_name_or_else_by_wordnet_id() -> None:
    assert class_names(WOOF) == ["Samoyed", "beagle"]
    assert class_names([ClassInfo("crane", "n02012849"), ClassInfo("crane", "n03126707")]) == ["n02012849", "n03126707"]


def test_numbered_folders_sort_as_their_labels() -> None:
    folders = numbered_folders(named(*map(str, range(1000))))
    assert folders == sorted(folders)
    assert folders[7] == "00007"


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\0b", " a", "a\n", "é" * 128])
def test_a_name_that_no_folder_can_have_is_refused(name: str) -> None:
    with pytest.raises(DdbenchError, match="cannot be that of a folder of its own; use --format safetensors"):
        own_folders(named("cat", name))


def test_names_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(DdbenchError, match="'cat' cannot be"):
        own_folders(named("cat", "Cat"))


def test_minimax_needs_wordnet_ids() -> None:
    with pytest.raises(DdbenchError, match=r"class 'sofa' has no WordNet id, .*; leave out --for minimax"):
        minimax_folders([*WOOF, ClassInfo("sofa")])


def test_files_are_numbered_within_their_class() -> None:
    files = image_files([1, 0, 1], ["a", "b"], "class{label:05d}_id{n:05d}.png")
    assert files == ["b/class00001_id00000.png", "a/class00000_id00000.png", "b/class00001_id00001.png"]


@given(st.lists(st.integers(0, 3)))
def test_no_two_images_share_a_file_and_text_order_is_that_of_the_set(labels: list[int]) -> None:
    files = image_files(labels, ["a", "b", "c", "d"], "{n:05d}.png")
    assert len(set(files)) == len(files)
    for folder in "abcd":
        own = [file for file in files if file.startswith(folder)]
        assert own == sorted(own)
