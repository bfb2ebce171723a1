"""Licences that components state, and the page that lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ddbench
from ddbench.registry import catalogue
from ddbench.text import one_line
from tests.conftest import ROOT

IMAGENET = "ImageNet's terms of access: non-commercial research and education only"
DIT, NANO = "CC-BY-NC-4.0 (facebook/DiT-XL-2-256)", "Apache-2.0 (ddbench/dit-nano)"


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "tiny-cifar"])
def test_cifar_has_no_licence(name: str) -> None:
    assert ddbench.create("dataset", name).licence == "none is stated by its authors"


@pytest.mark.parametrize("name", ["imagewoof", "imagenette", "imageidc", "imagenet100", "tiny-imagenet"])
def test_subsets_of_imagenet_have_its_terms(name: str) -> None:
    assert ddbench.create("dataset", name).licence == IMAGENET


@pytest.mark.parametrize(
    ("name", "params", "licence"),
    [
        ("dit-xl2", {}, DIT),
        ("dit-nano", {}, NANO),
        ("mode-guidance", {"model": "ddbench/dit-nano"}, NANO),
        ("minimax", {"vae": "stabilityai/sd-vae-ft-mse"}, f"{DIT}, MIT (stabilityai/sd-vae-ft-mse)"),
        ("minimax", {"checkpoint": Path("0012000.pt")}, f"{DIT}, unknown (the checkpoint)"),
        ("dit-xl2", {"transformer": "./mine", "vae": "ours/vae"}, "unknown (a folder), unknown (ours/vae)"),
        ("dit-xl2", {"model": "/home/me/pipeline"}, "unknown (a folder)"),
        ("real", {}, "that of the data set"),
        ("dm", {}, "that of the data set"),
        ("rded", {}, "that of the data set"),
        ("ddpm", {}, "unknown"),
        ("folder", {"path": Path("pool")}, "unknown"),
    ],
)
def test_a_generator_names_the_licence_of_each_source_of_weights(
    name: str, params: dict[str, Any], licence: str
) -> None:
    assert ddbench.create("generator", name, **params).licence == licence


def test_licences_are_one_line_and_the_page_lists_them() -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8").split("## Licences")[1]
    for name in (cls.info.name for cls in catalogue().components("dataset")):
        if name == "image-folder" or f"`{name}`" not in page:
            continue
        licence = ddbench.create("dataset", name).licence
        assert licence == one_line(licence) != ""
        row = next(line for line in page.splitlines() if f"`{name}`" in line)
        assert licence == IMAGENET or "its authors state none" in row
        assert (licence == IMAGENET) == (IMAGENET in row)
    for source, licence in (("DiT-XL-2-256", "CC-BY-NC-4.0"), ("dit-nano", "Apache-2.0"), ("sd-vae-ft-mse", "MIT")):
        assert any(source in line and f"| {licence} |" in line for line in page.splitlines())
