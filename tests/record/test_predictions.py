"""Predictions beside a record: small, bound to it, and never unpickled."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.errors import StoreError
from ddbench.limits import PREDICTIONS_BYTES
from ddbench.record import RunRecord, pack_predictions, read_predictions, unpack_predictions
from ddbench.record.predictions import reference
from tests.record.records import whole

DATA = pack_predictions([1, 0, 2], 3)


@given(st.data(), st.integers(1, 70_000))
def test_what_is_packed_comes_back(data: st.DataObject, classes: int) -> None:
    predictions = data.draw(st.lists(st.integers(0, classes - 1)))
    assert unpack_predictions(pack_predictions(predictions, classes)).tolist() == predictions


@pytest.mark.parametrize(("classes", "size"), [(2, 1), (256, 1), (257, 2), (1000, 2), (65_536, 2)])
def test_a_prediction_takes_one_or_two_bytes(classes: int, size: int) -> None:
    predictions = [classes - 1] * 10_000
    data = pack_predictions(predictions, classes)
    assert len(data) == 128 + 10_000 * size, "the header of a NumPy file has 128 bytes"
    assert pack_predictions(predictions, classes) == data


def saved(values: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("data", [b"", b"x", saved([[1]]), saved([1.5]), saved([{}]), saved([-1]), DATA[:-1]])
def test_other_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_predictions(data)


def record() -> RunRecord:
    return RunRecord.parse({**whole(), "predictions": reference("f1.npy", DATA).model_dump()})


def test_the_bytes_are_those_that_the_record_names(tmp_path: Path) -> None:
    path = tmp_path / "f1.npy"
    with pytest.raises(StoreError, match="the predictions are missing"):
        read_predictions(path, record())
    path.write_bytes(DATA)
    assert read_predictions(path, record()) == DATA
    path.write_bytes(DATA[:-1] + b"\0")
    with pytest.raises(StoreError, match=r"f1\.npy: the predictions are damaged"):
        read_predictions(path, record())


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "f1.npy"
    with path.open("wb") as file:
        file.truncate(PREDICTIONS_BYTES + 1)
    with pytest.raises(StoreError, match="something else is in place of the predictions"):
        read_predictions(path, record())
