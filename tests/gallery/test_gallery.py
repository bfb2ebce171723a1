"""Galleries show what a store holds, in the order of the selectors, and name what it lacks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ddbench.errors import DdbenchError
from ddbench.gallery import to_html, to_png
from ddbench.gallery.contents import Gallery
from tests.figures.scene import selection_of
from tests.gallery.scene import SUITE, gallery_of, read
from tests.run.runs import run_in_process, state_of

CLASSES = ("red", "green", "blue")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("shown")
    suite, store = folder / "shown.yaml", folder / "store"
    suite.write_text(SUITE)
    assert run_in_process(suite, store).returncode == 0
    return suite, store


@pytest.fixture(scope="module")
def shown(finished: tuple[Path, Path]) -> Gallery:
    return gallery_of(*finished)


ROWS = ["Guided", "Brightest", "<script>alert(1)</script>", "First", "Everything"]


def test_rows_follow_the_pool_that_they_chose_from(shown: Gallery) -> None:
    assert shown.classes == CLASSES
    names = [(strip.number, strip.name) for strip in shown.strips]
    assert names == [
        (0, "Pool: noise"), (1, ROWS[0]), (2, ROWS[1]), (3, ROWS[2]),
        (0, "Pool: noise"), (4, ROWS[3]),
        (0, "Pool: real"), (5, ROWS[4]),
    ]  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_ids_order_and_scores_are_the_selectors(row: str, shown: Gallery, finished: tuple[Path, Path]) -> None:
    _, artifact = (
        selection_of(state_of(*finished), row, 2) if row != ROWS[2] else selection_of(state_of(*finished), ROWS[1], 2)
    )
    (strip,) = (strip for strip in shown.strips if strip.name == row)
    assert strip.cells is not None
    assert [picture.sample_id for cell in strip.cells for picture in cell] == artifact.content()["ids"]
    scores = [[picture.score for picture in cell] for cell in strip.cells]
    assert scores == (artifact.manifest.info["scores"] or [[None, None]] * 3)


def test_the_brightest_are_the_brightest(shown: Gallery) -> None:
    """Found among the images of the pool, whose mean colours are the embeddings."""
    pool, brightest = shown.strips[0], shown.strips[2]
    assert pool.cells is not None
    assert brightest.cells is not None
    for candidates, chosen in zip(pool.cells, brightest.cells, strict=True):
        by_light = sorted(candidates, key=lambda picture: -float(picture.pixels.double().mean()))
        assert [p.sample_id for p in by_light[:2]] == [p.sample_id for p in chosen]
        assert {p.sample_id for p in candidates if 2 in p.same} == {p.sample_id for p in chosen}


def test_the_page_has_the_pixels_of_the_store(shown: Gallery) -> None:
    page = read(to_html(shown))
    assert len(page.rows) == len(shown.strips)
    for strip, (header, cells) in zip(shown.strips, page.rows, strict=True):
        assert strip.name in header
        assert strip.cells is not None
        for name, pictures, drawn in zip(CLASSES, strip.cells, cells, strict=True):
            assert [alt for alt, _ in drawn] == [f"{name}, {picture.sample_id}" for picture in pictures]
            for picture, (_, pixels) in zip(pictures, drawn, strict=True):
                np.testing.assert_array_equal(pixels, picture.pixels.permute(1, 2, 0).numpy())


def test_the_page_runs_and_loads_nothing(shown: Gallery) -> None:
    html = to_html(shown)
    page = read(html)
    assert not page.tags & {"script", "link", "iframe", "object", "form", "a", "base"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("href", "action", "style")]
    assert ("content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'") in page.attributes
    assert "http:" not in html
    assert "https:" not in html
    assert "<script>alert(1)</script>" in page.text


def test_the_same_store_gives_the_same_bytes(shown: Gallery, finished: tuple[Path, Path]) -> None:
    assert to_html(shown) == to_html(gallery_of(*finished))


def test_the_picture_shows_each_image_of_a_row(shown: Gallery) -> None:
    pytest.importorskip("matplotlib")
    first = to_png(shown)
    assert first == to_png(shown)
    image = np.asarray(Image.open(io.BytesIO(first)).convert("RGB"))
    for strip in shown.strips:
        if strip.number:
            assert strip.cells is not None
            pixels = Image.fromarray(strip.cells[0][0].pixels.permute(1, 2, 0).numpy())
            wanted = np.asarray(pixels.resize((48, 48), Image.Resampling.LANCZOS))
            column = np.lib.stride_tricks.sliding_window_view(image[:, 190:238], (48, 48, 3))[:, 0, 0]
            assert (column == wanted).all((1, 2, 3)).any(), strip.name


def test_methods_and_classes_are_chosen_by_name(finished: tuple[Path, Path]) -> None:
    some = gallery_of(*finished, methods=["First", "Brightest"], classes=["blue"])
    assert [strip.name for strip in some.strips if strip.number] == ["First", "Brightest"]
    assert some.classes == ("blue",)
    assert some.notes == ("1 of 3 classes are shown.",)
    with pytest.raises(DdbenchError, match="no method 'Frist'; did you mean 'First'"):
        gallery_of(*finished, methods=["Frist"])
    with pytest.raises(DdbenchError, match="no class 'bleu'; did you mean 'blue'"):
        gallery_of(*finished, classes=["bleu"])


def test_a_row_without_a_set_at_this_ipc_is_named(finished: tuple[Path, Path]) -> None:
    last = gallery_of(*finished, ipc=1).strips[-1]
    assert (last.name, last.missing, last.cells) == ("Everything", "it has no set at IPC 1", None)
    assert "Missing: it has no set at IPC 1" in read(to_html(gallery_of(*finished, ipc=1))).text


def test_a_row_that_is_not_made_yet_is_named(tmp_path: Path) -> None:
    suite, store = tmp_path / "shown.yaml", tmp_path / "store"
    suite.write_text(SUITE)
    with pytest.raises(DdbenchError, match="no row has a stored set"):
        gallery_of(suite, store)
    short = SUITE.replace(
        "  Everything: {generator: real, selector: random}\nexclude:\n  - {selector: random, ipc: 1}\n", ""
    )
    suite.write_text(short)
    assert run_in_process(suite, store).returncode == 0
    suite.write_text(SUITE)
    last = gallery_of(suite, store).strips[-1]
    assert (last.name, last.missing) == ("Everything", "not made yet; run the suite")


def imported(folder: Path, images: Any) -> tuple[Path, Path]:
    """Run a suite on an imported pool."""
    tensors = {"images": images, "labels": torch.arange(3).repeat_interleave(4)}
    metadata = {} if images.dtype == torch.uint8 else {"mean": "[0, 0, 0]", "std": "[1, 1, 1]"}
    save_file(tensors, folder / "pool.safetensors", metadata={**metadata, "classes": '["red", "green", "blue"]'})
    text = SUITE.partition("methods:")[0] + (
        f"generators:\n  learnt: {{use: pool-file, path: {folder / 'pool.safetensors'}}}\n"
        "methods:\n  Learnt: {generator: learnt, pool: 4, selector: first}\n"
    )
    (folder / "shown.yaml").write_text(text)
    ended = run_in_process(folder / "shown.yaml", folder / "store")
    assert ended.returncode == 0, ended.stderr
    return folder / "shown.yaml", folder / "store"


@pytest.mark.parametrize("form", [torch.uint8, torch.float32])
def test_imported_pools_and_float_images_are_shown_as_the_nearest_bytes(form: torch.dtype, tmp_path: Path) -> None:
    made = torch.randint(0, 256, (12, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images = made if form == torch.uint8 else made.float() / 255 + 0.001
    if form == torch.float32:
        images[0, 0, 0, 0], made[0, 0, 0, 0] = 1.5, 255
    gallery = gallery_of(*imported(tmp_path, images))
    pool, row = gallery.strips
    assert pool.cells is not None
    assert row.cells is not None
    assert torch.equal(torch.stack([p.pixels for cell in pool.cells for p in cell]), made)
    assert torch.equal(torch.stack([p.pixels for cell in row.cells for p in cell]), made[[0, 1, 4, 5, 8, 9]])
