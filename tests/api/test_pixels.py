"""Images are bytes, or floats whose 1 is the byte 255; the two are never mixed or mistaken for each other."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ddbench import ComponentError, Context, Samples, Scorer, component
from ddbench.api.pixels import check_one_form, nearest_bytes, outside_unit, wrong_pixels

BYTES = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)


@component("scorer", "brightness", version=1)
class Brightness(Scorer):
    """The sum of the bytes."""

    provides = ("sum",)

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        assert images.dtype == torch.uint8
        return {"sum": images.float().sum(dim=(1, 2, 3))}


def test_every_byte_survives_as_a_float() -> None:
    assert nearest_bytes(BYTES) is BYTES
    assert nearest_bytes(BYTES.float() / 255).equal(BYTES)


def test_learnt_pixels_are_clamped_and_rounded_by_hand() -> None:
    learnt = torch.tensor([-8.0, -0.01, 0.0, 0.4, 0.5, 100.4 / 255, 100.6 / 255, 1.0, 1.2, 9.0])
    assert nearest_bytes(learnt).tolist() == [0, 0, 0, 102, 128, 100, 101, 255, 255, 255]
    assert outside_unit(learnt) == pytest.approx(0.4)
    assert outside_unit(BYTES) == 0


@pytest.mark.parametrize("values", [[0.0, 1.0], [-8.0, 9.0], [], [-2.4, 2.7]])
def test_what_may_be_learnt_is_right(values: list[float]) -> None:
    assert wrong_pixels(torch.tensor(values, dtype=torch.float32)) is None
    assert wrong_pixels(BYTES) is None


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (BYTES.float(), "has pixels from 0 to 255, not in [0, 1]; divide bytes by 255"),
        (torch.tensor([-8.5, 1.0]), "has pixels from -8.5 to 1, not in [0, 1]; undo their normalisation"),
        (torch.tensor([0.0, float("nan")]), "has NaN or infinite values in 'images'"),
        (torch.tensor([0.0, float("inf")]), "has NaN or infinite values in 'images'"),
        (torch.zeros(2).half(), "has images of torch.float16, not uint8 or float32"),
        (torch.zeros(2).long(), "has images of torch.int64, not uint8 or float32"),
    ],
)
def test_other_values_are_refused(images: Tensor, said: str) -> None:
    assert str(wrong_pixels(images)).startswith(said)


def test_bytes_and_floats_are_not_joined() -> None:
    check_one_form([BYTES, BYTES])
    samples = Samples(BYTES, ("a",))
    with pytest.raises(ComponentError, match="a pool mixes values of float32 and uint8; its images must all be"):
        Samples.concatenate([samples, Samples(BYTES.float() / 255, ("b",))])


def test_a_scorer_sees_bytes() -> None:
    scores = [Brightness().score(images, Context())["sum"] for images in (BYTES, BYTES.float() / 255)]
    assert scores[0].equal(scores[1])
