"""Suites on the photographs of a user."""

from __future__ import annotations

from pathlib import Path


def write_suite(path: Path, size: int, choices: str) -> None:
    """Write a suite on ``photos`` in its folder, with images of ``size`` pixels.

    Args:
        path: the suite's file.
        size: the size of the images in pixels.
        choices: YAML of the methods, and of what they use.
    """
    path.write_text(
        f"suite: {path.stem}\n"
        f"dataset: {{use: image-folder, path: photos, image_size: {size}}}\n"
        f"protocol: smoke@1\nipc: [1]\nstudents: [convnet3]\n{choices}"
    )
