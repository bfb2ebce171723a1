"""The store: what is put in comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ddbench.errors import ComponentError, StoreError
from ddbench.store import CorruptError, Output, Store
from tests.store.artifacts import KEY, failure, fill, result, unsigned

# round trips


def test_an_artifact_comes_out_as_it_went_in(tmp_path: Path) -> None:
    store, manifest = fill(tmp_path)
    read = Store(tmp_path).artifact(KEY)
    assert read.tensor_names == ("class.column", "embedding")
    assert read.tensor("embedding").equal(torch.arange(12.0).reshape(4, 3))
    assert read.tensor("class.column").equal(torch.tensor([2, 0, 1]))
    assert read.content() == {"ids": ["a", "b"]}
    with read.files() as folder:
        assert load_file(folder / "deep" / "weights.safetensors")["w"].equal(torch.ones(2, 2))
        assert json.loads((folder / "history.json").read_text()) == {"loss": [1.0, 0.5]}
    assert read.manifest == manifest == store.manifest(KEY)
    assert list(store.manifests()) == [manifest]
    assert store.has_payload(manifest)
    assert (
        manifest.size
        == sum(p.stat().st_size for p in tmp_path.rglob("artifacts/*/*/**/*") if p.is_file())
        - (tmp_path / "artifacts" / KEY[:2] / KEY / "manifest.json").stat().st_size
    )


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32, torch.float16, torch.bfloat16, torch.bool])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_tensors_of_any_kind_survive(tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    store = Store.open(tmp_path)
    value = torch.ones(shape).to(dtype)
    store.put(Output({"value": value}), unsigned())
    read = store.artifact(KEY).tensor("value")
    assert read.dtype == dtype
    assert read.equal(value)


def test_a_view_is_stored_as_what_it_shows(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    whole = torch.arange(12.0).reshape(3, 4)
    store.put(Output({"view": whole.t()[1:]}), unsigned())
    assert store.artifact(KEY).tensor("view").equal(whole.t()[1:])


def test_an_empty_output_is_an_output(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    manifest = store.put(Output(), unsigned())
    assert manifest.files == {}
    assert store.artifact(KEY).tensor_names == ()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    with pytest.raises(StoreError, match=r"has no file 'tensors/none.safetensors'"):
        store.artifact(KEY).tensor("none")
    with pytest.raises(CorruptError, match="is missing"):
        store.artifact("0" * 64)
    assert store.manifest("0" * 64) is None


def test_putting_again_replaces(tmp_path: Path) -> None:
    store, first = fill(tmp_path)
    second = store.put(Output({"other": torch.zeros(1)}), unsigned())
    assert store.manifest(KEY) == second != first
    assert store.artifact(KEY).tensor_names == ("other",)
    assert not list((tmp_path / "tmp").iterdir())


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    Store.open(tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


# results


def test_a_result_is_never_overwritten(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    store.put_result(result("here", 99.0))
    store.put_result(result("there", 13.0))
    store.put_cell(KEY, "r1", {"method": "A"})
    assert [record.result.last for record in store.results(KEY)] == [12.5, 13.0]
    assert store.results("0" * 64) == []


def test_a_half_written_result_does_not_count(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    (tmp_path / "results" / KEY[:2] / KEY / ".there.json.0123").write_text("{")
    assert len(store.results(KEY)) == 1


def test_files_are_half_written_only_among_the_temporary_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run removes those of a killed one there. It would have to look into many folders of results."""
    store, moved, replace = Store.open(tmp_path), [], Path.replace

    def noting(self: Path, target: Path) -> Path:
        moved.append(self.parent)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noting)
    store.put_result(result("here", 50.0))
    store.put_cell(KEY, "r1", {"suite": "s", "method": "m"})
    store.put_failure(failure())
    assert moved == [tmp_path / "tmp"] * 3


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"info": deep(250)}, "recursion limit"),
        ({"info": deep(5000)}, ""),
        ({"info": object()}, ""),
        ({"info": "\udcff"}, ""),
        ({"notes": [3]}, "not a valid manifest: info: notes.0: input should be a valid string"),
        ({"pool_size": -1}, "not a valid manifest: info: pool_size: "),
    ],
)
def test_what_could_not_be_read_again_is_not_stored(tmp_path: Path, info: dict[str, Any], said: str) -> None:
    """A run would take it for damaged, and make it for ever."""
    store = Store.open(tmp_path)
    with pytest.raises(ComponentError, match=f"the output cannot be stored: {said}"):
        store.put(Output(content=1), unsigned().model_copy(update={"info": info}))
    assert not store.holds(KEY)
    whole = result("here", 50.0)
    details = whole.result.model_copy(update={"details": {"info": deep(250)}})
    made = whole.model_copy(update={"result": details})
    made._stored = None
    with pytest.raises(ComponentError, match="the output cannot be stored: "):
        store.put_result(made)
    assert store.results(KEY) == []


def test_failures_are_remembered_apart(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    assert store.failure("r1") is None
    store.put_failure(failure("no"))
    store.put_failure(failure("no again"))
    assert store.failure("r1") == failure("no again")
    store.clear_failure("r1")
    store.clear_failure("r1")
    assert store.failure("r1") is None
