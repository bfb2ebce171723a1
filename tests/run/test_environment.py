"""What is recorded of a stage beside its output."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.run.environment import measured
from ddbench.store import Store


@pytest.mark.parametrize(
    ("left", "resumed"),
    [
        (None, False),
        ("{}.safetensors", True),
        ("{}.latents", True),
        (".{}.latents.0123", False),
        ("other.latents", False),
    ],
)
def test_work_that_something_was_left_of_is_resumed_and_nothing_is_left_when_it_is_done(
    left: str | None, resumed: bool, tmp_path: Path
) -> None:
    """Not by what a killed worker had only half written."""
    store = Store.open(tmp_path)
    path = store.unfinished("a" * 64, "0123456789abcdef")
    path.parent.mkdir(exist_ok=True)
    if left is not None:
        (path.parent / left.format(path.stem)).write_bytes(b"")
    with measured("cpu", path) as usage:
        pass
    assert usage.get("resumed", False) is resumed
    store.finished("a" * 64)
    assert [p.name for p in path.parent.iterdir()] == (["other.latents"] if left == "other.latents" else [])
