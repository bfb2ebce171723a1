"""JSON in folders of weights that is nested too deeply for Python: damaged, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from ddbench_components._hub import is_complete, shards
from ddbench_components.generators._ddpm.flops import imported
from ddbench_components.generators._dit.weights import class_names

from ddbench.errors import ComponentError

DEEP = "[" * 100_000 + "]" * 100_000


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DEEP)
    return path


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
def test_a_file_of_a_pipeline_is_not_whole(tmp_path: Path, name: str) -> None:
    assert not is_complete(written(tmp_path / name))


def test_a_header_of_weights_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(DEEP).to_bytes(8, "little") + DEEP.encode())
    assert not is_complete(path)


def test_an_index_names_no_shards_and_no_classes(tmp_path: Path) -> None:
    assert shards(written(tmp_path / "model.safetensors.index.json")) == []
    with pytest.raises(ComponentError, match="is not an index of a pipeline"):
        class_names(written(tmp_path / "model_index.json"))


def test_a_network_of_unknown_size(tmp_path: Path) -> None:
    written(tmp_path / "unet" / "config.json")
    assert imported(tmp_path, 32) is None
