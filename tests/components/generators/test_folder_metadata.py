"""Ids and soft labels of a folder in ``metadata.jsonl``, as ``ddbench sets`` writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from pool_folders import DOGS, make_pool, training

import ddbench
from ddbench import Context, DataError, Generator, Samples

# The folders of the set in the order of its labels, which is not that of the data set.
FOLDERS = ("dingo", "Rhodesian ridgeback", "golden_retriever")
Lines = list[dict[str, Any]]


def lines() -> Lines:
    """Return a line for each image. The logit of column k is 10 times the label, plus k."""
    return [
        {
            "file_name": f"{folder}/{i}.png",
            "label": c,
            "id": f"{c}-{i}",
            "soft_logits": [10.0 * c + k for k in range(3)],
        }
        for c, folder in enumerate(FOLDERS)
        for i in range(2)
    ]


def write(root: Path, change: Callable[[Lines], Any] = lambda lines: None) -> Path:
    make_pool(root, FOLDERS)
    listed = lines()
    change(listed)
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in listed)
    (root / "metadata.jsonl").write_text(text)
    return root


def folder(root: Path, **params: Any) -> Generator:
    return cast("Generator", ddbench.create("generator", "folder", path=root, **params))


def samples(root: Path) -> list[Samples]:
    generator = folder(root, metadata=True)
    generator.load(None, training(), Context())
    return [generator.sample_block(c, 0, Context()) for c in range(3)]


def test_ids_and_soft_labels_are_those_of_the_file(tmp_path: Path) -> None:
    """The data set has ridgeback, retriever, dingo: labels 1, 2 and 0 of the file."""
    found = samples(write(tmp_path))
    assert [s.ids for s in found] == [("1-0", "1-1"), ("2-0", "2-1"), ("0-0", "0-1")]
    assert [c.name for c in DOGS] == ["Rhodesian ridgeback", "golden_retriever", "dingo"]
    logits = [s.soft_logits.tolist() for s in found if s.soft_logits is not None]
    assert logits == [[[11, 12, 10]] * 2, [[21, 22, 20]] * 2, [[1, 2, 0]] * 2]
    assert folder(tmp_path, metadata=True).has_soft_labels
    assert not folder(tmp_path).has_soft_labels


def test_the_metadata_decide_the_key_if_they_are_used(tmp_path: Path) -> None:
    def without_soft_labels(listed: Lines) -> None:
        for line in listed:
            del line["soft_logits"]

    plain, used = (folder(write(tmp_path), **params).fingerprint() for params in ({}, {"metadata": True}))
    assert plain != used
    write(tmp_path, without_soft_labels)
    assert folder(tmp_path).fingerprint() == plain
    assert folder(tmp_path, metadata=True).fingerprint() not in (plain, used)
    assert samples(tmp_path)[0].soft_logits is None
    assert not folder(tmp_path, metadata=True).has_soft_labels


WRONG: dict[str, Callable[[Lines], Any]] = {
    ": is empty or too large": lambda listed: listed.clear(),
    ":3: is not an image with file_name, label and id": lambda listed: listed.insert(2, cast("Any", "{oops\n")),
    ":1: is not an image with": lambda listed: listed[0].pop("id"),
    ":2: is not an image with": lambda listed: listed[1].update(label="1"),
    ":4: is not an image with": lambda listed: listed[3].update(soft_logits=[1, float("nan"), 2]),
    ":7: lists 'dingo/0.png' again": lambda listed: listed.append(listed[0]),
    ":2: gives 'dingo' another label than an earlier line": lambda listed: listed[1].update(label=2),
    ": has soft labels of 2 and 3 columns for 3 classes": lambda listed: listed[1].update(soft_logits=[1.0, 2.0]),
    ": has soft labels, but its folders do not have the labels 0 … 2": lambda listed: [
        line.update(label=number) for line, number in zip(listed[4:], (1, 1), strict=True)
    ],
    ": has soft labels, but its folders do not have the labels 0 … 2; export": lambda listed: [
        line.update(label=9) for line in listed[4:]
    ],
    ": does not list 'golden_retriever/1.png'; export": lambda listed: listed.pop(),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_metadata_are_told(tmp_path: Path, message: str) -> None:
    write(tmp_path, WRONG[message])
    with pytest.raises(DataError) as error:
        samples(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'metadata.jsonl'}{message}")
    assert "\n" not in str(error.value)


def test_missing_metadata_are_told(tmp_path: Path) -> None:
    make_pool(tmp_path, FOLDERS)
    with pytest.raises(DataError, match=r"metadata\.jsonl: cannot be read: No such file or directory; check the path$"):
        folder(tmp_path, metadata=True).fingerprint()
