"""Marks of equal and nearly equal images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbench.gallery.contents import Gallery, Picture, Strip
from ddbench.gallery.duplicates import NEAR, marked
from ddbench.gallery.page import number, ranges, to_html
from tests.gallery.scene import read


def plain(level: int, side: int = 32) -> Picture:
    return Picture(torch.full((3, side, side), level, dtype=torch.uint8), f"grey {level}")


def test_marks_name_other_rows_and_repeats_within_a_row() -> None:
    near = int(255 * NEAR)
    rows = marked([((plain(50), plain(50)),), ((plain(50),),), ((plain(50 + near),),), ((plain(52 + 2 * near),),)])
    marks = [[(p.same, p.near) for p in row[0]] for row in rows]
    assert marks == [[((1, 2), (3,)), ((1, 2), (3,))], [((1,), (3,))], [((), (1, 2))], [((), ())]]


def test_images_of_other_classes_are_not_compared() -> None:
    (row,) = marked([((plain(50),), (plain(50),))])
    assert [p.same for cell in row for p in cell] == [(), ()]


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 3), min_size=1, max_size=4), st.floats(0, 12))
def test_marks_are_those_of_each_pair_compared_by_hand(seed: int, sizes: list[int], noise: float) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, (2, 3, 32, 32))
    rows = []
    for size in sizes:
        values = [base[rng.integers(2)] + rng.normal(0, noise * rng.integers(2), base[0].shape) for _ in range(size)]
        rows.append((tuple(Picture(torch.from_numpy(v.clip(0, 255).astype(np.uint8)), "") for v in values),))
    every = [(r, picture.pixels.numpy() / 255) for r, row in enumerate(rows, 1) for picture in row[0]]
    means = [image.reshape(3, 16, 2, 16, 2).mean((2, 4)) for _, image in every]
    for i, picture in enumerate(picture for row in marked(rows) for picture in row[0]):
        others = [j for j in range(len(every)) if j != i]
        equal = {j for j in others if (every[i][1] == every[j][1]).all()}
        near = {j for j in others if np.abs(means[i] - means[j]).mean() <= NEAR} - equal
        assert picture.same == tuple(sorted({every[j][0] for j in equal}))
        assert picture.near == tuple(sorted({every[j][0] for j in near}))


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([4], "4"), ([1, 2], "1, 2"), ([1, 2, 3, 5, 7, 8, 9], "1–3, 5, 7–9")]
)
def test_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_scores_have_three_digits() -> None:
    assert [number(value) for value in (None, 0.123456, -2.0, 1234.5)] == ["", "0.123", "−2", "1.23e+03"]


def test_hostile_names_of_classes_and_samples_are_text() -> None:
    name = "\"'><img src=x onerror=alert(1)>\u202e{{ 1 }}"
    picture = Picture(plain(3).pixels, name)
    strips = (Strip(name, name, ((picture,),), number=1), Strip(name, "", None, missing=name))
    page = read(to_html(Gallery("shown", name, 1, (name,), strips, (name,))))
    assert len(page.rows[0][1][0]) == 1
    assert not [key for key, _ in page.attributes if key.startswith("on")]
    assert "\u202e" not in page.text
    assert page.text.count("onerror=alert(1)") == 8
    assert "{{ 1 }}" in page.text
