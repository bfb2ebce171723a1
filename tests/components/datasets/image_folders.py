"""Folders of one's own images as data sets and in suites."""

from __future__ import annotations

from pathlib import Path

from ddbench_components.datasets.image_folder import ImageFolder

from ddbench import create


def data(path: Path, **params: object) -> ImageFolder:
    made = create("dataset", "image-folder", path=path, **{"image_size": 32, **params})
    assert isinstance(made, ImageFolder)
    return made


def flip(path: Path) -> None:
    """Change a pixel in the middle, and not the size of the file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 128
    path.write_bytes(content)


SUITE = """
suite: pets
dataset: {{use: image-folder, path: {path}, image_size: 32}}
protocol: smoke@1
ipc: [2]
students: [convnet3]
methods: {{real: {{generator: real, selector: random}}}}
"""
